/** What lies between inputs and outputs equals the original's values: hidden states of the base and of the encoder. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../src/graph/index.js";
import { MASKED } from "../../src/model/attention.js";
import { loraLinear, makeParameter } from "../../src/model/lora.js";
import { float32, type HostTensors, int64 } from "../../src/runtime/runtime.js";
import { foldedCausalMask, ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { baseLoss } from "../../src/train/objectives/baseObjective.js";
import { encoderGraph } from "../../src/vae/encoder.js";
import { logitsOf, normOf } from "./innerValues.js";
import { loadTinyAdapters, loadTinyBase, maxDifference, openCases, runtime } from "./reference.js";

const TOLERANCE = 1e-4;
const FINAL_NORM = "model.norm.weight";

let cases: Awaited<ReturnType<typeof openCases>>;
let base: Awaited<ReturnType<typeof loadTinyBase>>;

beforeAll(async () => {
  cases = await openCases();
  base = await loadTinyBase();
  return () => cases.close();
});

async function run(outputs: Record<string, Value>, feeds: HostTensors): Promise<Record<string, Float32Array>> {
  const session = await runtime.createSession(outputs);
  const results = await session.run({ ...base.weights.tensors, ...feeds });
  const values = Object.entries(results).map(([name, { data }]) => [name, (data as Float32Array).slice()]);
  await session.release();
  return Object.fromEntries(values);
}

/** 0, 1, .., time - 1 for each row. [B, T] */
const positions = (rows: number, time: number) =>
  int64(
    Array.from({ length: rows * time }, (_, i) => i % time),
    rows,
    time,
  );

describe("hidden states equal the original's", () => {
  it("of the base, after the first block and after the last norm", async () => {
    const ids = (await cases.rows("base.input_ids")).flat();
    const [rows, time] = cases.shape("base.input_ids") as [number, number];
    const { loss } = baseLoss(base.config, rows, time);
    const outputs = {
      first: normOf({ loss }, "model.layers.1.input_layernorm.weight").before,
      last: normOf({ loss }, FINAL_NORM).after,
      logits: logitsOf(loss),
    };
    const { first, last, logits } = await run(outputs, {
      ...ropeFeeds(base.config, time),
      positions: positions(rows, time),
      mask: foldedCausalMask(base.config, time),
      input_ids: int64(ids, ids.length),
    });
    expect(maxDifference(first!, await cases.floats("base.hidden_1"))).toBeLessThan(TOLERANCE);
    expect(maxDifference(last!, await cases.floats("base.hidden_last"))).toBeLessThan(TOLERANCE);
    expect(maxDifference(logits!, await cases.floats("base.logits"))).toBeLessThan(TOLERANCE);
  });

  it.each(["full", "left", "right"])("of the encoder, %s padding, but for the padding itself", async (padding) => {
    const { config } = base;
    const vae = await loadTinyAdapters(config);
    const { shape, tensors } = vae.adapters.encoder;
    const parameter = makeParameter();
    const graph = encoderGraph(
      { config, zDim: vae.zDim, parameter },
      loraLinear({ config, parameter }, "encoder", shape),
    );
    const ids = (await cases.rows(`encode.${padding}.input_ids`)).flat();
    const shown = (await cases.rows(`encode.${padding}.attention_mask`)).flat();
    const [rows, time] = cases.shape(`encode.${padding}.input_ids`) as [number, number];
    const width = config.hiddenSize;
    const embeddings = new Float32Array(ids.length * width);
    for (const [i, id] of ids.entries()) base.weights.embed(id, embeddings, i * width);
    const mask = Float32Array.from(shown, (seen) => (seen ? 0 : MASKED));
    const { hidden } = await run(
      { hidden: normOf(graph, FINAL_NORM).after },
      {
        ...ropeFeeds(config, time),
        ...tensors,
        embeddings: float32(embeddings, rows, time, width),
        positions: positions(rows, time),
        mask: float32(mask, rows, 1, 1, time),
      },
    );
    const seenOf = (flat: Float32Array) => flat.filter((_, i) => shown[Math.floor(i / width)]);
    const expected = await cases.floats(`encode.${padding}.hidden_last`);
    expect(maxDifference(seenOf(hidden!), seenOf(expected))).toBeLessThan(TOLERANCE);
  });
});
