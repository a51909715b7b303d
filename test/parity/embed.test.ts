/** Means of the base's hidden states equal those of the original's states, and of a forward pass in plain loops. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { openWeights } from "../../src/host/modelFiles.js";
import { cosine } from "../../src/latent/latent.js";
import { EMBEDDING, headName } from "../../src/model/weights.js";
import { saturatesInInt8, WeightStore } from "../../src/weights/index.js";
import { expectRefusal } from "../badInput/folder.js";
import { loadTinyBase, maxDifference, openCases, runtime, tinyFolder } from "./reference.js";
import { meanOf, slowHiddenStates } from "./slowForward.js";

const TOLERANCE = 1e-4;
const TEXTS = [[7, 300, 41, 5, 88, 120, 9], [400, 12], Array.from({ length: 23 }, (_, i) => 5 + ((i * 37) % 500))];
const causal = (t: number, j: number) => j <= t;

let base: Awaited<ReturnType<typeof loadTinyBase>>;
beforeAll(async () => {
  base = await loadTinyBase();
});

it("the plain loops give the original's hidden states", async () => {
  const cases = await openCases();
  const [row] = await cases.rows("base.input_ids");
  const states = slowHiddenStates(base, row!, causal).flatMap((state) => [...state]);
  const expected = (await cases.floats("base.hidden_last")).subarray(0, states.length);
  expect(maxDifference(states, expected)).toBeLessThan(TOLERANCE);
  await cases.close();
});

it.each(["int8", "int4", "nf4"] as const)("a base packed as %s gives nearly the same means", async (quant) => {
  const packedBase = await openWeights(`${tinyFolder}/base`, quant);
  const packed = new Engine({ runtime, base: packedBase });
  const dense = new Engine({ runtime, base });
  const rows = TEXTS.map((ids) => ({ ids }));
  const [near, exact] = [await packed.embed(rows, false), await dense.embed(rows, false)];
  for (const [i, mean] of exact.entries())
    expect(cosine(near[i]!, mean)).toBeGreaterThan(quant === "int8" ? 0.999 : 0.9);
  expect(near).not.toEqual(exact);
  await packed.close();
  await packedBase.weights.close();
  await dense.close();
});

it.skipIf(await saturatesInInt8(runtime))(
  "int8 keeps the means where one value of a hidden state outweighs the others",
  async () => {
    const name = "model.layers.0.input_layernorm.weight";
    const norm = base.weights.tensor(name);
    const data = (norm.data as Float32Array).map((value, i) => (i === 3 ? 300 * value : value));
    const uneven = {
      ...base,
      weights: WeightStore.ofTensors(
        { ...base.weights.tensors, [name]: { ...norm, data } },
        { embedding: EMBEDDING, head: headName(base.config) },
      ),
    };
    const exact = new Engine({ runtime, base: uneven, form: "merged" });
    const rounded = new Engine({ runtime, base: uneven, form: "merged", int8Sample: TEXTS[0]! });
    const rows = TEXTS.map((ids) => ({ ids }));
    const [expected, got] = [await exact.embed(rows, false), await rounded.embed(rows, false)];
    const least = Math.min(...got.map((mean, i) => cosine(mean, expected[i]!)));
    expect(least).toBeGreaterThan(0.999);
    await exact.close();
    await rounded.close();
  },
);

describe.each(["merged", "unmerged"] as const)("%s", (form) => {
  let engine: Engine;
  beforeAll(() => {
    engine = new Engine({ runtime, base, form });
  });
  afterAll(() => engine.close());

  it("the causal mean is that of the original's last hidden states", async () => {
    const cases = await openCases();
    const rows = await cases.rows("base.input_ids");
    const states = await cases.floats("base.hidden_last");
    const width = base.config.hiddenSize;
    const means = await engine.embed(
      rows.map((ids) => ({ ids })),
      true,
    );
    let at = 0;
    for (const [i, ids] of rows.entries()) {
      const ofRow = ids.map(() => states.subarray(at, (at += width)));
      expect(maxDifference(means[i]!, meanOf(ofRow))).toBeLessThan(TOLERANCE);
    }
    await cases.close();
  });

  it.each([true, false])("texts of several lengths at once, causal: %s", async (isCausal) => {
    const means = await engine.embed(
      TEXTS.map((ids) => ({ ids })),
      isCausal,
    );
    for (const [i, ids] of TEXTS.entries()) {
      const states = slowHiddenStates(base, ids, isCausal ? causal : () => true);
      expect(maxDifference(means[i]!, meanOf(states))).toBeLessThan(TOLERANCE);
    }
  });

  it.each([true, false])("without what is skipped and what is masked, causal: %s", async (isCausal) => {
    const [ids, mask] = [TEXTS[0]!, [1, 1, 0, 1, 1, 0, 1]];
    const [mean] = await engine.embed([{ ids, mask, skip: 1 }], isCausal);
    const sees = (t: number, j: number) => (mask[j] === 1 || j === t) && (!isCausal || j <= t);
    const counted = slowHiddenStates(base, ids, sees).filter((_, t) => t > 0 && mask[t] === 1);
    expect(maxDifference(mean!, meanOf(counted))).toBeLessThan(TOLERANCE);
  });

  it("within a sliding window", async () => {
    const config = { ...base.config, slidingWindow: 4 };
    const windowed = new Engine({ runtime, base: { ...base, config }, form });
    const [mean] = await windowed.embed([{ ids: TEXTS[2]! }], true);
    const states = slowHiddenStates(base, TEXTS[2]!, (t, j) => j <= t && t - j < 4);
    expect(maxDifference(mean!, meanOf(states))).toBeLessThan(TOLERANCE);
    await windowed.close();
  });

  it("rows without a token that counts are refused", async () => {
    const refused = (row: { ids: number[]; mask?: number[]; skip?: number }) =>
      expectRefusal(() => engine.embed([{ ids: [5] }, row], true), "usage", /text 2: .*an empty text/);
    await refused({ ids: [] });
    await refused({ ids: [5], skip: 1 });
    await refused({ ids: [5, 6], mask: [0, 0] });
  });
});
