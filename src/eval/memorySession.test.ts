/** A session whose spans, drafts and times are given: every figure can be counted. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { evaluateMemory, type SessionSpan } from "./memorySession.js";
import type { EvaluatedModel, Score } from "./scoring.js";

/** Letters are tokens. */
const tokenizer = {
  encode: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids: readonly number[]) => String.fromCharCode(...ids),
  eosId: 0,
};

/** The router gives each token 1/2, the base 1/4. */
const model: EvaluatedModel = {
  encode: async (rows) => rows.map(({ ids }) => ({ mean: Float32Array.of(ids.length, 1) })),
  write: async (rows, { nTokens }) => rows.map(() => tokenizer.encode("p".repeat(nTokens))),
  score: async (rows, writer) =>
    rows.map(({ target }): Score => {
      const logProbabilities = target.map(() => Math.log(writer === "router" ? 1 / 2 : 1 / 4));
      return { logProbabilities, greedy: target.map(() => false) };
    }),
};

const asked: [run: number, recalls: boolean][] = [];
const span = (text: string, recalled: (number | undefined)[]): SessionSpan => ({
  ids: tokenizer.encode(text),
  z: Float32Array.of(1, 1),
  context: [65],
  drafts: recalled.map((record) => ({ ids: [1, 2, 3], recalled: record })),
  milliseconds: recalled.every((record) => record !== undefined) ? 125 : 375,
});

/** Of two spans a run, the first has both drafts recalled, the second one; the second says the same in every run. */
const options = {
  model,
  tokenizer,
  space: new LatentSpace({ zDim: 2, slots: 1, span: 80 }),
  texts: ["One fox ran. It hid. Rest.", "Two owls sat. They ate. Rest."],
  known: new Set<string>(),
  rng: Rng.fromSeed(1),
  tau: 1,
  kept: async () => 7,
  async write(_prompt: string, run: number, recalls: boolean) {
    asked.push([run, recalls]);
    return [span(`a b c ${"x".repeat(run + 1)}`, [run, 100]), span("w x y z", [100, undefined])];
  },
};

describe("a session", () => {
  it("counts hits, times, tokens and repetition, and compares its end with the same runs without the memory", async () => {
    const report = await evaluateMemory({ ...options, spans: 12 });
    // 4 runs, then the last one from each text; then those again without the memory.
    expect(asked).toEqual([...[0, 1, 2, 3, 4, 5].map((run) => [run, true]), [4, false], [5, false]]);
    expect(report.spans).toBe(12);
    expect(report.parts).toHaveLength(1);
    expect(report.parts[0]).toMatchObject({
      spans: 12,
      kept: 7,
      recalled: 3 / 4,
      allRecalled: 1 / 2,
      secondsPerSpan: 0.25,
      secondsAllRecalled: 0.125,
      // Six texts "a b c x.." of 7 to 12 letters, six of 7, six written drafts of 3.
      tokensPerSpan: (7 + 8 + 9 + 10 + 11 + 12 + 6 * 7 + 6 * 3) / 12,
      distinctSpans: 7 / 12,
      distinctGrams: 7 / 12,
      // Records 0 to 5 once, record 100 twelve times.
      distinctDrafts: 7 / 18,
      mostUsed: 12,
    });
    expect(report.recalled.runs).toBe(2);
    expect(report.recalled.gainFromZ.value).toBeCloseTo(Math.log(2), 10);
    // Of four spans, the second run's second says what the first's did.
    expect(report.recalled.distinctSpans.value).toBe(3 / 4);
    expect(report.written.distinctGrams.value).toBe(3 / 4);
  });

  it("needs a span from each text before it is measured", async () => {
    await expect(evaluateMemory({ ...options, spans: 0 })).rejects.toThrow(
      "`spans`: expected at least one span from each text, got 0; give more, or fewer texts",
    );
  });
});
