/** Blends on a model that spells its latents out, a letter a dimension. */

import { describe, expect, it } from "vitest";
import { EVEN_SCALE, type Latent, LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { type BlendRule, blendRules, evaluateBlends } from "./blend.js";
import type { EvaluatedModel } from "./scoring.js";

const tokenizer = {
  eosId: 0,
  encode: (text: string) => Array.from(new TextEncoder().encode(text)),
  decode: (ids: readonly number[]) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id !== 0))),
};
/** The base finds letters likely, and other bytes unlikely by a nat. Where it mends, all spaces are written as "s". */
const scales: number[] = [];
const model: EvaluatedModel = {
  encode: async () => [],
  write: async (rows, options) =>
    rows.map(({ z, cfgScale, nTokens = options.nTokens }) => {
      scales.push(cfgScale!);
      const ids = Array.from(z!.subarray(0, nTokens), Math.round);
      return cfgScale === 1 ? ids : ids.map((id) => (id === 32 ? 115 : id));
    }),
  score: async (rows) =>
    rows.map(({ target }) => ({
      greedy: [],
      logProbabilities: target.map((id) => (id >= 97 && id <= 122 ? -1 : -2)),
    })),
};
const zOf = (text: string) => Float32Array.from(tokenizer.encode(text));
const ruleTo = (text: string, guidance = false): BlendRule => ({ rule: "made", guidance, blend: () => zOf(text) });
const options = {
  model,
  tokenizer,
  space: LatentSpace.plain,
  means: ["a red kite", "that mill!"].map(zOf),
  nTokens: 10,
  known: new Set(["a", "red", "kite", "mill"]),
  rng: Rng.fromSeed("blend"),
  pairs: 20,
};

describe("blends", () => {
  it("hold words of both ends when they are made so, and cost what they cost more", async () => {
    const report = await evaluateBlends({ ...options, rules: [ruleTo("red mill !")] });
    expect(report).toMatchObject({ pairs: 20, skipped: 0, blends: [{ rule: "made", guidance: false }] });
    const { bothEnds, fluencyDip, knownWords } = report.blends[0]!;
    expect([bothEnds.value, knownWords.value]).toEqual([1, 1]);
    // Both ends have two bytes that are no letters among ten, the blend has three.
    expect(fluencyDip.value).toBeCloseTo(0.1, 10);
    expect(report.knownWordsOfEnds.value).toBeCloseTo(4 / 5, 10);
    expect(new Set(report.examples.map(({ from, to }) => `${from}, ${to}`))).toEqual(
      new Set(["a red kite, that mill!", "that mill!, a red kite"]),
    );
    expect(report.examples[0]!.between).toEqual(["red mill !"]);
  });

  it("are guided at the scale of their weights; the ends are not", async () => {
    scales.length = 0;
    const report = await evaluateBlends({
      ...options,
      pairs: 2,
      rules: [ruleTo("red mill !"), ruleTo("red mill !", true)],
    });
    expect(scales).toEqual([1, 1, 1, 1, 1, 1, EVEN_SCALE, EVEN_SCALE]);
    expect(report.examples[0]!.between).toEqual(["red mill !", "redsmills!"]);
    expect(report.blends.map(({ bothEnds }) => bothEnds.value)).toEqual([1, 0]);
    expect(report.blends[1]!.knownWords.value).toBe(0);
  });

  it("go by the rules of the space", async () => {
    const rules = blendRules(LatentSpace.plain);
    expect(rules.map(({ rule, guidance }) => [rule, guidance])).toEqual([
      ["lerp", false],
      ["lerp", true],
      ["normLerp", false],
      ["normLerp", true],
    ]);
    expect(blendRules(LatentSpace.plain, "normLerp", true)).toHaveLength(1);
    const at = (i: number) => rules[i]!.blend(Float32Array.of(2, 0), Float32Array.of(0, 2), 0.5);
    expect([Array.from(at(0)), at(2)[0]! / Math.SQRT2]).toEqual([[1, 1], expect.closeTo(1, 5)]);
  });

  it("hold none where the middle is noise", async () => {
    const report = await evaluateBlends({ ...options, rules: blendRules(LatentSpace.plain, "lerp", false) });
    expect(report.blends[0]!.bothEnds.value).toBe(0);
  });

  it("of texts without words of their own are not counted", async () => {
    const means = [options.means[0]!, options.means[0]!];
    const report = await evaluateBlends({ ...options, means, rules: [ruleTo("red mill !")] });
    expect(report).toMatchObject({ pairs: 0, skipped: 20 });
  });

  it("of sentences are as long as the length between, and read without their end", async () => {
    const space = new LatentSpace({ zDim: 12, slots: 2, span: 12 });
    const sentence = (text: string, length: number) => space.withLength(zOf(text.padEnd(12, "\0")), length);
    const asked = new Set<number>();
    const read: (readonly number[])[] = [];
    const ending: EvaluatedModel = {
      ...model,
      write: async (rows) =>
        rows.map(({ z, nTokens }) => {
          asked.add(nTokens!);
          const ids = Array.from(space.content(z! as Latent), Math.round);
          return ids.slice(0, ids.indexOf(0) + 1);
        }),
      score: async (rows, ...rest) => {
        read.push(...rows.map(({ target }) => target));
        return model.score(rows, ...rest);
      },
    };
    const report = await evaluateBlends({
      ...options,
      space,
      model: ending,
      nTokens: undefined,
      means: [sentence("red kite", 5), sentence("old mill", 9)],
      rules: [
        {
          rule: "made",
          guidance: false,
          blend: (a, b, t) => space.withLength(zOf("kite mill\0\0\0"), space.lengthOf(space.lerp(a, b, t))),
        },
      ],
    });
    // 1.25 T + 2 of 5, of 9 and of their geometric mean, 6.7.
    expect([...asked].sort((a, b) => a - b)).toEqual([8, 10, 13]);
    expect(read.every((ids) => !ids.includes(0))).toBe(true);
    expect(report.blends[0]!.bothEnds.value).toBe(1);
  });
});
