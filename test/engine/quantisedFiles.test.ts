/** Bases that bitsandbytes made: the file's own four bits are multiplied by, or its values in fp32. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packModel } from "../../src/checkpoint/pack.js";
import { readVae } from "../../src/checkpoint/vae.js";
import { loadBase } from "../../src/engine/baseModel.js";
import { Engine } from "../../src/engine/engine.js";
import { NF4, openSafetensorsFolder } from "../../src/formats/index.js";
import { describeModel } from "../../src/host/describeModel.js";
import { openWeights } from "../../src/host/modelFiles.js";
import type { Quant } from "../../src/weights/index.js";
import { readRows } from "../../src/weights/index.js";
import { expectRefusal } from "../badInput/folder.js";
import { quantiseBase } from "../fixtures/bitsandbytes/build.js";
import { runtime, tinyFolder } from "../parity/reference.js";

const dense = join(tinyFolder, "base");
const adapters = join(tinyFolder, "adapters");
const UP = "model.layers.1.mlp.up_proj.weight";

let folder: string;
let quantised: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-nf4-"));
  quantised = join(folder, "base");
  await quantiseBase(dense, quantised);
});
afterAll(() => rm(folder, { recursive: true }));

async function meanOf(path: string, quant: Quant): Promise<Float32Array> {
  const base = await openWeights(path, quant);
  const engine = new Engine({ runtime, base, vae: await readVae(adapters, base) });
  const [encoding] = await engine.encode([{ ids: [5, 80, 211, 7, 300] }]);
  await engine.close();
  await base.weights.close();
  return encoding!.mean;
}

function relativeError(got: Float32Array, expected: Float32Array): number {
  const size = (of: Float32Array) => Math.sqrt(of.reduce((sum, value) => sum + value * value, 0));
  return size(got.map((value, i) => value - expected[i]!)) / size(expected);
}

it("in nf4 never goes through fp32", async () => {
  const source = await openSafetensorsFolder(quantised);
  const isPacked = (name: string) => source.info(name).dtype === NF4;
  const config: unknown = JSON.parse(await readFile(join(quantised, "config.json"), "utf8"));
  const guarded = {
    ...source,
    readRows: (name: string, begin: number, end: number) =>
      isPacked(name) ? expect.unreachable() : source.readRows(name, begin, end),
    readFloat32: (name: string) => (isPacked(name) ? expect.unreachable() : source.readFloat32(name)),
  };
  const { weights } = await loadBase(config, guarded, { quant: "nf4" });
  expect(source.names.filter(isPacked)).toHaveLength(3 * 7);
  for (const name of source.names) expect((await weights.read(name)).kind).toBe(isPacked(name) ? "packed" : "dense");
  await source.close();
});

it("encodes in nf4 as the base that it was made of does", async () => {
  expect(await meanOf(quantised, "nf4")).toEqual(await meanOf(dense, "nf4"));
});

it("encodes its values in fp32, and rounded to other forms", async () => {
  const expected = await meanOf(quantised, "nf4");
  expect(relativeError(await meanOf(quantised, "none"), expected)).toBeLessThan(1e-5);
  expect(relativeError(await meanOf(quantised, "int8"), expected)).toBeLessThan(0.05);
});

it("has in fp32 the values of its packed weight", async () => {
  const [plain, packed] = [await openWeights(quantised, "none"), await openWeights(quantised, "nf4")];
  const weight = await packed.weights.read(UP);
  await packed.weights.close();
  expect(plain.weights.tensor(UP).data).toEqual(readRows(weight, 0, 160));
});

it("is shown with its type and its number of parameters", async () => {
  const [own, other] = [(await describeModel(quantised)).base!, (await describeModel(dense)).base!];
  expect(own.parameters).toBe(other.parameters);
  expect(own.dtypes.map(({ dtype }) => dtype)).toEqual([NF4, "F32"]);
});

describe("refused", () => {
  it("is a config of nf4 beside dense weights", async () => {
    const mixed = join(folder, "mixed");
    await quantiseBase(dense, mixed);
    await writeFile(join(mixed, "model.safetensors"), await readFile(join(dense, "model.safetensors")));
    await expectRefusal(() => openWeights(mixed), "mismatch", /weights in nf4, as quantization_config .*got none/);
  });

  it("is packing it to float16", async () => {
    const work = () => packModel(quantised, adapters, join(folder, "packed"));
    await expectRefusal(work, "unsupported", /pack: expected a base of dense weights, got .* in nf4; give the base/);
  });
});
