/** Points of a space whose latents are known: a text is one byte, eight times, and z is that byte in every dimension. */
import { describe, expect, it } from "vitest";
import { LatentSpace, mixScale } from "../latent/index.js";
import { Rng } from "../rng.js";
import type { EvaluatedModel } from "./scoring.js";
import { evaluateSpace } from "./space.js";

const tokenizer = {
  eosId: 0,
  encode: (text: string) => Array.from(new TextEncoder().encode(text)),
  decode: (ids: readonly number[]) => String.fromCharCode(...ids),
};
const BYTES = [98, 100, 102, 104, 106];
const texts = BYTES.map((byte) => String.fromCharCode(byte).repeat(8));
const space = new LatentSpace({ zDim: 4, slots: 2, span: 8 });

/** What was asked to be written, by scale. */
let asked: { z: Float32Array; scale: number }[] = [];
/** A token costs a nat where it is one of a text, else three; where the base mends, it costs two in place of three. */
const model: EvaluatedModel = {
  encode: async (rows) =>
    rows.map(({ ids }) => ({
      mean: space.withLength(new Float32Array(4).fill(ids[0]!), ids.length),
      logVariance: new Float32Array(4).fill(Math.log(1e-6)),
      poolWeights: new Float32Array(ids.length),
      slotWeights: [],
    })),
  write: async (rows, { nTokens }) =>
    rows.map(({ z, cfgScale }) => {
      asked.push({ z: z!, scale: cfgScale! });
      const value = z!.slice(0, 4).reduce((sum, x) => sum + x, 0) / 4;
      const isText = BYTES.some((byte) => Math.abs(byte - value) < 0.1);
      return new Array<number>(nTokens).fill(isText ? Math.round(value) : cfgScale === 1 ? 1 : 2);
    }),
  score: async (rows) =>
    rows.map(({ target }) => ({
      greedy: [],
      logProbabilities: target.map((id) => (id === 1 ? -3 : id === 2 ? -2 : -1)),
    })),
};
const options = { model, tokenizer, space, texts, span: 8, aeScale: 50, rng: Rng.fromSeed("space") };

describe("points of the space", () => {
  it("cost what they cost more than the texts' own spans", async () => {
    asked = [];
    const report = await evaluateSpace({ ...options, count: 40 });
    expect(report).toMatchObject({ texts: 5, spans: 5, count: 40, lossOwn: { value: 1, low: 1, high: 1 } });
    expect(report.points.map(({ point, guidance }) => [point, guidance])).toEqual(
      ["mean", "normKept", "medoid", "aggregate", "random"].flatMap((point) => [
        [point, false],
        [point, true],
      ]),
    );
    for (const { point, guidance, loss, excess } of report.points) {
      expect(excess.value).toBeCloseTo(loss.value - 1, 10);
      expect(loss.value).toBeLessThanOrEqual(guidance ? 2 : 3);
      // Latents of one direction: the medoid is a text's own.
      if (point === "medoid") expect(excess).toEqual({ value: 0, low: 0, high: 0 });
      // The root mean square 50 is of no text.
      if (point === "random") expect(excess.value).toBe(guidance ? 1 : 2);
    }
    expect(asked.map(({ scale }) => scale).slice(0, 80)).toEqual([
      ...new Array(40).fill(1),
      ...new Array(40).fill(mixScale([1, 1, 1, 1])),
    ]);
    expect(asked.every(({ z }) => Math.abs(space.lengthOf(z) - 8) < 1e-4)).toBe(true);
  });

  it("of the aggregate posterior have mean and variance of the sampled latents", async () => {
    asked = [];
    await evaluateSpace({ ...options, count: 400, guidance: false });
    const values = asked.slice(3 * 400, 4 * 400).map(({ z }) => z[0]!);
    const mean = values.reduce((sum, x) => sum + x, 0) / 400;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 399;
    // 98, 100 ... 106: mean 102, unbiased variance 10.
    expect(Math.abs(mean - 102)).toBeLessThan(4 * Math.sqrt(10 / 400));
    expect(Math.abs(variance / 10 - 1)).toBeLessThan(4 * Math.sqrt(2 / 400));
  });

  it("need four texts", async () => {
    await expect(evaluateSpace({ ...options, texts: texts.slice(0, 3) })).rejects.toThrow(
      "eval: expected at least 4 texts with a span, got 3; give more or longer texts",
    );
  });
});
