/** Two topics, and a sampler that keeps to them, or not: every figure can be counted. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { evaluateProse } from "./prose.js";
import type { EvaluatedModel, Score } from "./scoring.js";

const END = 0;
/** Letters are tokens; what a latent says of a text is how often it has a, b, c and d. */
const tokenizer = {
  encode: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids: readonly number[]) => ids.map((id) => (id === END ? "" : String.fromCharCode(id))).join(""),
  eosId: END,
};
const space = new LatentSpace({ zDim: 4, slots: 1, span: 8 });
const asked: { context: string; nTokens: number; tau: number; stopId?: number }[] = [];

/** The base writes c's, and gives each c the probability 1/2 and any other token 1/4. */
const model: EvaluatedModel = {
  encode: async (rows) =>
    rows.map(({ ids }) => {
      if (ids.length === 0) throw new Error("an empty span was encoded");
      const mean = Float32Array.from("abcd", (letter) => ids.filter((id) => id === letter.charCodeAt(0)).length);
      return { mean, poolWeights: new Float32Array(), slotWeights: [] };
    }),
  write: async (rows, { context, nTokens, tau, stopId, writer }) => {
    expect(writer).toBe("base");
    asked.push({ context: tokenizer.decode(context), nTokens, tau, stopId });
    return rows.map(() => [...tokenizer.encode("c".repeat(nTokens - 1)), END]);
  },
  score: async (rows, writer) => {
    expect(writer).toBe("base");
    return rows.map(
      ({ target }): Score => ({
        logProbabilities: target.map((id) => Math.log(id === "c".charCodeAt(0) ? 1 / 2 : 1 / 4)),
        greedy: target.map(() => false),
      }),
    );
  },
};

// Two sentences begin each text; the third is not of the prompt.
const texts = ["Aa aa. Aaa aa. Rest.", "Bb bb. Bbb bb. Rest.", "Dd dd. Ddd dd. Rest."];
const spans: Record<string, string[]> = {
  // An empty span between, and one behind the end, which does not count.
  "Aa aa. Aaa aa.": ["aaaa", "\0", "aa a\0", "\0"],
  // About another text.
  "Bb bb. Bbb bb.": ["dddd dddd", "dd dd"],
};
const report = evaluateProse({
  model,
  tokenizer,
  space,
  texts,
  known: new Set(["aaaa"]),
  rng: Rng.fromSeed("prose"),
  runs: 2,
  tau: 0.7,
  write: async (prompt) => spans[prompt]!.map(tokenizer.encode),
});

describe("prose", () => {
  it("goes on from two sentences, as plain sampling does with as many tokens at most", async () => {
    expect(await report).toMatchObject({ runs: 2, prompts: 3 });
    expect(asked).toEqual([
      { context: "Aa aa. Aaa aa.", nTokens: 11, tau: 0.7, stopId: END },
      { context: "Bb bb. Bbb bb.", nTokens: 14, tau: 0.7, stopId: END },
    ]);
  });

  it("counts spans that end before they begin, up to the end of the text: 1 of 3 and 0 of 2", async () => {
    expect((await report).emptySpans.value).toBe(1 / 5);
  });

  it("has the base's loss behind the prompt, without end tokens, beside that of its own text", async () => {
    const { baseLoss, plainLoss, lossAbovePlain } = await report;
    expect(baseLoss.value).toBeCloseTo(Math.log(4), 10);
    expect(plainLoss.value).toBeCloseTo(Math.log(2), 10);
    expect(lossAbovePlain.value).toBeCloseTo(Math.log(2), 10);
    expect(lossAbovePlain.high).toBeCloseTo(Math.log(2), 10);
  });

  it("keeps the topic where its own prompt is the nearest", async () => {
    const { topicKept, plainTopicKept } = await report;
    // The first run writes of a, as its prompt; the second of d. The base writes of c, which is of no prompt: as near as all others.
    expect(topicKept.value).toBe(1 / 2);
    expect(plainTopicKept.value).toBe(0);
  });

  it("joins the spans of a run: no word is aaaa", async () => {
    const { written, plain, texts: given } = await report;
    expect(written).toMatchObject({ texts: 2, knownWords: { value: 0 } });
    expect(plain.texts).toBe(2);
    expect(given.texts).toBe(3);
  });

  it("needs two texts", async () => {
    const options = { model, tokenizer, space, known: new Set<string>(), rng: Rng.fromSeed(1), tau: 1 };
    await expect(evaluateProse({ ...options, texts: ["Only one."], write: async () => [] })).rejects.toThrow(
      "eval: expected at least two texts, got 1; give more texts",
    );
  });
});
