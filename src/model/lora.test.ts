import { expect, it } from "vitest";
import { runGraph } from "../../test/runGraph.js";
import { tinyConfig } from "../../test/train/tiny.js";
import { gradients, input, mul, sumAll } from "../graph/index.js";
import { Rng } from "../rng.js";
import { float32 } from "../runtime/runtime.js";
import { isCheaperMerged, loraLinear, loraShapes, makeParameter, mergedLinear } from "./lora.js";

const config = tinyConfig(50);
const PATH = "layers.0.mlp.up_proj";
const lora = { rank: 3, alpha: 6, targets: ["mlp.up_proj"] };
const rng = Rng.fromSeed("lora");

it("gives the same values and gradients beside the base and merged into it", async () => {
  const forms = [loraLinear, mergedLinear].map((form) => {
    const parameter = makeParameter();
    const x = input("x", [5, config.hiddenSize]);
    const y = form(config, parameter, "encoder", lora)(PATH, x);
    const names = ["A", "B"].map((matrix) => `encoder.${PATH}.lora_${matrix}`);
    const trained = names.map((name) => parameter(name, loraShapes(config, "encoder", lora).get(name)!));
    const [a, b, dx] = gradients(sumAll(mul(y, y)), [...trained, x]);
    return { y, a: a!, b: b!, dx: dx! };
  });
  const shapes = new Map([...loraShapes(config, "encoder", lora)].filter(([name]) => name.includes(PATH)));
  shapes.set("x", [5, config.hiddenSize]);
  shapes.set(`model.${PATH}.weight`, [config.intermediateSize, config.hiddenSize]);
  const feeds = Object.fromEntries(
    Array.from(shapes, ([name, shape]) => [name, float32(rng.fork(name).normals(shape[0]! * shape[1]!), ...shape)]),
  );
  const [beside, merged] = await Promise.all(forms.map((form) => runGraph(form, feeds)));
  for (const name of ["y", "a", "b", "dx"]) {
    const expected = beside![name]!.data;
    const scale = Math.max(...expected.map(Math.abs));
    for (const [i, value] of merged![name]!.data.entries()) {
      expect(Math.abs(value - expected[i]!) / scale).toBeLessThan(1e-5);
    }
  }
});

it("is merged where the rank is a large part of the width", () => {
  expect(isCheaperMerged({ ...config, hiddenSize: 256, intermediateSize: 640 }, { ...lora, rank: 64 })).toBe(true);
  expect(isCheaperMerged({ ...config, hiddenSize: 576, intermediateSize: 1536 }, { ...lora, rank: 32 })).toBe(false);
});
