/** The report of a model made up so that every figure is known, and of the small reference model. */
import { describe, expect, it } from "vitest";
import { loadTinyAdapters, loadTinyBase, readJson, runtime, tinyFolder } from "../../test/parity/reference.js";
import { Engine } from "../engine/engine.js";
import { type Latent, LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { loadTokenizer } from "../tokenizer/index.js";
import { evaluate } from "./evaluate.js";
import { evaluateRebuilding } from "./rebuilding.js";
import type { EvaluatedModel, Score } from "./scoring.js";

const V = 256;
/** Text as bytes; a zero byte ends a text. */
const tokenizer = {
  encode: (text: string) => Array.from(new TextEncoder().encode(text)),
  decode: (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids)),
  eosId: 0,
};

/** z is ten times the tokens themselves, so that noise of variance 1 changes nothing; the base knows nothing. */
const tokenAt = (z: Latent, t: number) => Math.round(z[t]! / 10);
const exact: EvaluatedModel = {
  encode: async (rows) =>
    rows.map(({ ids }) => ({
      mean: Float32Array.from(ids, (id) => 10 * id),
      poolWeights: new Float32Array(ids.length),
      slotWeights: [],
    })),
  write: async (rows, { nTokens }) => rows.map(({ z }) => Array.from({ length: nTokens }, (_, t) => tokenAt(z!, t))),
  score: async (rows, writer) =>
    rows.map(({ z, target }): Score => {
      const greedy = target.map((id, t) => writer === "decoder" && tokenAt(z!, t) === id);
      const logProbability = (right: boolean) => Math.log(writer === "base" ? 1 / V : right ? 0.9 : 0.1 / (V - 1));
      return { greedy, logProbabilities: greedy.map(logProbability) };
    }),
};

const texts = ["abcdefghijklmnop", "ABCDEFGH", "01234567", "short", ""];

describe("a decoder that always gives the right token nine tenths", () => {
  const report = evaluate({
    model: exact,
    tokenizer,
    space: LatentSpace.plain,
    texts,
    span: 8,
    maxPositions: 100,
    rng: Rng.fromSeed("evaluate"),
    importance: { draws: [1, 4], spans: 3 },
  });

  it("counts spans: consecutive, tails dropped", async () => {
    expect(await report).toMatchObject({ texts: 5, spans: 4, tokens: 32 });
  });

  it("has the losses of its probabilities", async () => {
    const { recNllMean, recNllSampled, lossBase, lossShuffled, lossRatio, bitsPerByte } = await report;
    expect(recNllMean.value).toBeCloseTo(-Math.log(0.9), 10);
    expect(recNllSampled.value).toBeCloseTo(-Math.log(0.9), 10);
    expect(lossBase.value).toBeCloseTo(Math.log(V), 10);
    // No two spans have a byte in common at one place.
    expect(lossShuffled.value).toBeCloseTo(-Math.log(0.1 / (V - 1)), 10);
    expect(lossRatio.value).toBeCloseTo(-Math.log(0.9) / Math.log(V), 10);
    expect(bitsPerByte.value).toBeCloseTo(8, 10);
    expect(bitsPerByte.high - bitsPerByte.low).toBeCloseTo(0, 10);
  });

  it("reconstructs everything", async () => {
    const { forcedTokenAccuracy, greedyTokenAccuracy, exactMatch, editSimilarity, editSimilaritySampled } =
      await report;
    const similarities = [editSimilarity, editSimilaritySampled];
    for (const { value, low, high } of [forcedTokenAccuracy, greedyTokenAccuracy, exactMatch, ...similarities])
      expect([value, low, high]).toEqual([1, 1, 1]);
  });

  it("has the KL of its means, in nats per span", async () => {
    const squares = ["abcdefgh", "ijklmnop", "ABCDEFGH", "01234567"].map((text) =>
      tokenizer.encode(text).reduce((sum, id) => sum + (10 * id) ** 2 / 2, 0),
    );
    const { kl, klPerDimension, activeUnits, mutualInformation } = await report;
    expect(kl.value / (squares.reduce((a, b) => a + b, 0) / 4)).toBeCloseTo(1, 6);
    expect(klPerDimension.reduce((a, b) => a + b, 0) / kl.value).toBeCloseTo(1, 6);
    expect(activeUnits.map(({ count }) => count)).toEqual([8, 8]);
    expect(mutualInformation.cap).toBeCloseTo(Math.log(4), 10);
    expect(mutualInformation.bound).toBeGreaterThan(mutualInformation.cap);
  });

  it("has a perplexity for each number of draws", async () => {
    const { perplexity } = await report;
    expect(perplexity.map(({ draws, spans }) => [draws, spans])).toEqual([
      [1, 3],
      [4, 3],
    ]);
    expect(perplexity[0]!.ess.value).toBe(1);
    expect(perplexity[1]!.ess.value).toBeGreaterThanOrEqual(1);
    expect(perplexity[1]!.ess.value).toBeLessThanOrEqual(4);
  });
});

it("the quick report is the part on rebuilding and loss", async () => {
  const options = { model: exact, tokenizer, space: LatentSpace.plain, texts, span: 8, maxPositions: 100 };
  const all = await evaluate({ ...options, rng: Rng.fromSeed(3), importance: { draws: [1], spans: 1 } });
  const quick = await evaluateRebuilding({ ...options, rng: Rng.fromSeed(3) });
  expect(all).toMatchObject(quick);
  const left = new Set(Object.keys(quick));
  expect(Object.keys(all).filter((name) => !left.has(name))).toEqual([
    "recNllSampled",
    "kl",
    "klPerDimension",
    "activeUnits",
    "mutualInformation",
    "aeScale",
    "perplexity",
  ]);
});

describe("latents of several slots", () => {
  const space = new LatentSpace({ zDim: 8, slots: 2, span: 8 });
  const withLength: EvaluatedModel = {
    ...exact,
    encode: async (rows) =>
      (await exact.encode(rows)).map((encoding, i) => ({
        ...encoding,
        mean: space.withLength(encoding.mean, 4 * rows[i]!.ids.length),
      })),
  };

  it("are measured as their slots are: the length beside them counts for nothing", async () => {
    const options = { tokenizer, texts, span: 8, maxPositions: 100, importance: { draws: [1, 4], spans: 3 } };
    const reports = [
      await evaluate({ ...options, model: exact, space: LatentSpace.plain, rng: Rng.fromSeed(5) }),
      await evaluate({ ...options, model: withLength, space, rng: Rng.fromSeed(5) }),
    ];
    expect(reports[1]).toEqual(reports[0]);
  });

  it("are sampled with their length, which carries no noise", async () => {
    const lengths: number[] = [];
    const model: EvaluatedModel = {
      ...withLength,
      write: (rows, options) => {
        lengths.push(...rows.map(({ z }) => space.lengthOf(z!)));
        return withLength.write(rows, options);
      },
    };
    await evaluateRebuilding({ model, tokenizer, space, texts, span: 8, maxPositions: 100, rng: Rng.fromSeed(5) });
    expect(lengths.map(Math.round)).toEqual(new Array(8).fill(32));
  });
});

describe("a text longer than the window", () => {
  it("counts up to the window, in tokens and in bytes", async () => {
    const options = {
      model: exact,
      tokenizer,
      space: LatentSpace.plain,
      span: 8,
      rng: Rng.fromSeed(0),
      importance: { draws: [1], spans: 1 },
    };
    const { bitsPerByte } = await evaluate({ ...options, texts: ["x".repeat(40)], maxPositions: 10 });
    expect(bitsPerByte.value).toBeCloseTo(8, 10);
  });
});

it("texts without two spans are refused", async () => {
  const options = { model: exact, tokenizer, space: LatentSpace.plain, maxPositions: 10, rng: Rng.fromSeed(0) };
  await expect(evaluate({ ...options, texts: ["few words"] })).rejects.toThrow(
    "eval: expected texts with at least two spans of 64 tokens, got 0; give more or longer texts",
  );
});

it("the engine of the small reference model is measured as it scores", async () => {
  const base = await loadTinyBase();
  const vae = await loadTinyAdapters(base.config);
  const tokenizer = loadTokenizer(
    await readJson(`${tinyFolder}/base/tokenizer.json`),
    await readJson(`${tinyFolder}/base/tokenizer_config.json`),
  );
  const model = new Engine({ runtime, base, vae });
  const texts = [
    "A fox found a lantern in the orchard, and nobody knew.",
    "The baker was happy; the kite was mended at the mill.",
  ];
  const rng = Rng.fromSeed("reference");
  const report = await evaluate({
    model,
    tokenizer,
    space: model.space!,
    texts,
    span: 8,
    samples: 2,
    maxPositions: model.maxPositions,
    rng,
    importance: { draws: [1, 8], spans: 2 },
  });
  let [loss, right, tokens] = [0, 0, 0];
  for (const text of texts) {
    const ids = tokenizer.encode(text);
    for (let start = 0; start + 8 <= ids.length; start += 8) {
      const target = ids.slice(start, start + 8);
      const [encoding] = await model.encode([{ ids: target }]);
      const [score] = await model.score([{ z: encoding!.mean, target }], "decoder", []);
      loss -= score!.logProbabilities.reduce((sum, value) => sum + value, 0);
      right += score!.greedy.filter(Boolean).length;
      tokens += 8;
    }
  }
  expect(report.tokens).toBe(tokens);
  expect(report.recNllMean.value).toBeCloseTo(loss / tokens, 4);
  expect(report.forcedTokenAccuracy.value).toBeCloseTo(right / tokens, 10);
  expect(report.recNllMean.low).toBeLessThanOrEqual(report.recNllMean.value);
  expect(report.perplexity.every(({ value }) => Number.isFinite(value.value))).toBe(true);
  await model.close();
});
