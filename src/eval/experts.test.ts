/** The worth of experts on a model whose losses are known: what an expert says of a token is the number in its folder's name. */
import { expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { evaluateExperts } from "./experts.js";

/** Kinds are the letters of their texts; the latent of a span is its kind's axis. */
const KINDS = ["a", "b"];
const tokenizer = { encode: (text: string) => Array.from(text, (c) => KINDS.indexOf(c)), decode: () => "" };
const LOSSES: Record<string, Record<string, number>> = {
  a: { a: 1, b: 3 },
  b: { a: 3, b: 1 },
  one: { a: 1.5, b: 1.5 },
};

it("gives the losses of all arms, what lies below what, and the share of the true gain", async () => {
  const model = {
    encode: async (rows: readonly { ids: readonly number[] }[]) =>
      rows.map(({ ids }) => ({
        mean: Float32Array.from([0, 1], (d) => (d === ids[0] ? 9 : 0)),
        logVariance: Float32Array.of(-80, -80),
      })),
    write: async () => [],
    score: async (
      rows: readonly { target: readonly number[]; experts?: readonly { folder: string; weight: number }[] }[],
    ) =>
      rows.map(({ target, experts }) => {
        const kind = KINDS[target[0]!]!;
        const loss = experts
          ? experts.reduce((sum, { folder, weight }) => sum + weight * LOSSES[folder]![kind]!, 0)
          : 2;
        return { logProbabilities: target.map(() => -loss), greedy: target.map(() => false) };
      }),
  };
  const kinds = ["a", "b", "a", "b", "a", "b"];
  const report = await evaluateExperts({
    ...{ model, tokenizer, space: new LatentSpace({ zDim: 2, slots: 1, span: 4 }), span: 4, one: "one" },
    rng: Rng.fromSeed(1),
    texts: [...kinds.map((kind) => ({ text: kind.repeat(10), kind })), { text: "aa", kind: "a" }],
    experts: KINDS.map((kind) => ({ kind, folder: kind })),
    nearest: (z, k) =>
      k === 1 ? [{ folder: z[0]! > z[1]! ? "a" : "b", weight: 1 }] : KINDS.map((folder) => ({ folder, weight: 0.5 })),
  });
  // A text shorter than a span and one token is left out; the others have two windows, of 8 and 6 tokens.
  expect(report).toMatchObject({ texts: 6, windows: 12, tokens: 84, kindFound: { value: 1 } });
  const { router, top1, top2, one, average, true: own, random } = report.loss;
  expect([router, top1, top2, one, average, own].map(({ value }) => value)).toEqual([2, 1, 2, 1.5, 2, 1]);
  expect(random.value).toBeGreaterThan(1);
  expect(report.top1Below.one).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  expect(report.top2Below.top1.value).toBe(-1);
  expect(report.ofTrueGain.overOne.top1.value).toBe(1);
  expect(report.ofTrueGain.overRouter.top2.value).toBe(0);
});
