/** Texts of one letter each: whether a span arrived at another letter, and at what loss, can be counted. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { evaluatePlans, type PlanPair, type PlansOptions } from "./plans.js";
import type { EvaluatedModel, Score } from "./scoring.js";

const END = 0;
const SPAN = 4;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const encode = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
const tokenizer = {
  encode,
  decode: (ids: readonly number[]) => ids.map((id) => (id === END ? "" : String.fromCharCode(id))).join(""),
  eosId: END,
};
/** The share of each letter. */
const shares = (ids: readonly number[]) =>
  Float32Array.from(LETTERS, (letter) => ids.filter((id) => id === letter.charCodeAt(0)).length / ids.length);

/** The base gives a letter -1 behind itself, and -2 behind another. */
const model: EvaluatedModel = {
  encode: async (rows) =>
    rows.map(({ ids }) => {
      if (ids.length === 0) throw new Error("an empty span was encoded");
      return { mean: shares(ids) };
    }),
  write: async () => [],
  score: async (rows) =>
    rows.map(
      ({ target }): Score => ({
        logProbabilities: target.map((id, t) => (id === target[t - 1] ? -1 : -2)),
        greedy: target.map(() => false),
      }),
    ),
};

/** Each text is two spans of one letter. */
const texts = Array.from(LETTERS, (letter) => letter.repeat(2 * SPAN));
const whole = (text: string) => encode(text);
const ways: PlansOptions["ways"] = {
  stay: async ({ start }) => whole(start.repeat(2)),
  go: async ({ start, goal }) => [...whole(start + goal), END],
  nothing: async () => [END],
};
const report = (changes: Partial<PlansOptions> = {}) =>
  evaluatePlans({
    ...{ model, tokenizer, texts, ways, span: SPAN, pairs: 30, reference: "stay", rng: Rng.fromSeed("plans") },
    space: new LatentSpace({ zDim: LETTERS.length, slots: 1, span: SPAN }),
    bridge: async ({ start, goal }) => [whole(start), whole(start.slice(0, 2) + goal.slice(0, 2)), whole(goal)],
    embed: async (rows) => rows.map(shares),
    ...changes,
  });
const value = (estimate: { value: number }) => estimate.value;

describe("ways to a goal", () => {
  it("arrive or do not, and cost what the base says", async () => {
    const measured = await report();
    const [stay, go, nothing] = measured.ways;
    expect(measured).toMatchObject({ texts: 26, pairs: 30, randomSpans: 48, reference: "stay" });
    expect([stay, go, nothing].map((each) => value(each!.reached))).toEqual([0, 1, 0]);
    expect([stay, go, nothing].map((each) => value(each!.reachedByBase))).toEqual([0, 1, 0]);
    expect(value(go!.nearness)).toBeCloseTo(1, 6);
    expect(value(stay!.baseLoss)).toBeCloseTo(1, 6);
    // One change of letter in eight.
    expect(value(go!.baseLoss)).toBeCloseTo(9 / 8, 6);
    expect(value(go!.lossAboveReference)).toBeCloseTo(1 / 8, 6);
    // Start to start is alike, start to goal is not; the end token does not count.
    expect(value(stay!.coherence)).toBeCloseTo(1, 6);
    expect(value(go!.coherence)).toBeCloseTo(1 / 2, 6);
    expect(go!.tokens).toBe(8);
    expect(value(measured.ownLoss)).toBeCloseTo((2 + 3) / 4, 6);
    expect(value(measured.ownCoherence)).toBeCloseTo(1, 6);
    expect(measured.nearest5).toBeCloseTo(1, 6);
  });

  it("are given pairs of two different texts, none twice", async () => {
    const pairs: PlanPair[] = [];
    const stay = async (pair: PlanPair) => {
      pairs.push(pair);
      return whole(pair.start);
    };
    await report({ ways: { stay }, pairs: 60 });
    expect(new Set(pairs.map(({ start, goal }) => `${start} ${goal}`)).size).toBe(60);
    for (const { start, goal, startZ } of pairs) {
      expect(start).not.toBe(goal);
      expect(startZ).toEqual(shares(encode(start)));
    }
    expect(pairs.map(({ index }) => index)).toEqual(pairs.map((_, i) => i));
  });
});

describe("bridges", () => {
  it("count where their middle is near to both ends", async () => {
    expect(value((await report()).bridges.reached)).toBe(1);
    const oneSided = await report({ bridge: async ({ start, goal }) => [whole(start), whole(goal), whole(goal)] });
    expect(value(oneSided.bridges.reached)).toBe(0);
    expect(value((await report({ bridge: async () => [] })).bridges.reached)).toBe(0);
  });
});

it("fewer than three texts are refused", async () => {
  await expect(report({ texts: texts.slice(0, 2) })).rejects.toThrow(/at least three texts with a span, got 2/);
});
