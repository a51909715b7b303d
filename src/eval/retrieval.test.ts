/** Texts of letters whose latents are known: what is found can be counted by hand. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { COMPARISONS, evaluateRetrieval, type LabelledText } from "./retrieval.js";
import type { EvaluatedModel } from "./scoring.js";

/** Two slots of four values. */
const space = new LatentSpace({ zDim: 8, slots: 2, span: 4 });
/** A text is words; a token is a word's number. */
function wordTokenizer() {
  const words: string[] = [];
  const idOf = (word: string) => (words.includes(word) ? words.indexOf(word) : words.push(word) - 1);
  return {
    encode: (text: string) => text.split(" ").map(idOf),
    decode: (ids: readonly number[]) => ids.map((id) => words[id]!).join(" "),
  };
}
/** The latent of a span is looked up by its first word. */
function encodedBy(
  latents: Record<string, readonly number[]>,
  { decode }: ReturnType<typeof wordTokenizer>,
): EvaluatedModel {
  const notAsked = () => Promise.reject(new Error("only latents are asked for"));
  return {
    encode: async (rows) =>
      rows.map(({ ids }) => {
        const content = Float32Array.from(latents[decode(ids.slice(0, 1))]!);
        return { mean: space.withLength(content, 2), poolWeights: new Float32Array(), slotWeights: [] };
      }),
    write: notAsked,
    score: notAsked,
  };
}

function retrieval(texts: readonly LabelledText[], latents: Record<string, readonly number[]>) {
  const tokenizer = wordTokenizer();
  const rng = Rng.fromSeed("retrieval");
  return evaluateRetrieval({ model: encodedBy(latents, tokenizer), tokenizer, space, texts, rng, span: 2 });
}

describe("the next span of a text", () => {
  // Spans of two words: a x | b x | c y and d z | e y.
  const texts = [{ text: "a x b x c y" }, { text: "d z e y tail" }];
  const latents = {
    a: [1, 0, 0, 0, 0, 1, 0, 0],
    // The same slots in another order: the key and the match are those of a, the values are not.
    b: [0, 1, 0, 0, 1, 0, 0, 0],
    c: [0, 0, 1, 0, 0, 0, 1, 0],
    d: [1, 0, 0, 0, 0, 0, 0, 1],
    e: [1, 0, 0, 0, 0, 0, 0, 1],
  };
  const report = retrieval(texts, latents);

  it("is asked for by each span that another of its text follows", async () => {
    expect(await report).toMatchObject({ texts: 2, spans: 5, queries: 3, candidates: 4 });
    expect(Object.keys((await report).nextSpan!)).toEqual([...COMPARISONS]);
  });

  it("is found where its latent is the nearest", async () => {
    const { z, match, key } = (await report).nextSpan!;
    // By values a finds d and e, b finds nobody (all 0), d finds e.
    expect(z.recallAt1.value).toBeCloseTo(1 / 3, 10);
    // By slots a finds b, b finds a, d finds e.
    for (const by of [match, key]) {
      expect(by.recallAt1.value).toBeCloseTo(2 / 3, 10);
      expect(by.sameText.value).toBe(1);
      expect(by.recallAt10.value).toBe(1);
    }
  });

  it("by words shares a word that others lack", async () => {
    // a and b share x, c and e share y: d (z) has no word of e.
    const { recallAt1, sameText } = (await report).nextSpan!.tfIdf;
    expect(recallAt1.value).toBeCloseTo(1 / 3, 10);
    expect(sameText.low).toBeLessThanOrEqual(sameText.value);
  });

  it("is not all that is reported where texts are labelled", async () => {
    expect(await report).not.toHaveProperty("sharedFactor");
  });
});

describe("texts that share a factor", () => {
  // Six foxes with one latent and six owls with another; half of each are sad.
  const texts = Array.from({ length: 12 }, (_, i) => ({
    text: i < 6 ? `fox${i} ran` : `owl${i} flew`,
    factors: { who: i < 6 ? "fox" : "owl", feeling: i % 2 === 0 ? "sad" : "glad", kind: "fable" },
  }));
  const latents = Object.fromEntries(
    texts.map(({ text, factors }) => [
      text.split(" ")[0],
      factors.who === "fox" ? [1, 0, 0, 0, 1, 0, 0, 0] : [0, 1, 0, 0, 0, 1, 0, 0],
    ]),
  );

  it("are the five nearest as often as counted", async () => {
    const { sharedFactor } = await retrieval(texts, latents);
    expect(sharedFactor).toMatchObject({ texts: 12, factors: ["who", "feeling"] });
    const { chance, ...by } = sharedFactor!.precisionAt5;
    // By chance 5 of 11 share each factor. The five nearest are the others of the kind: all share who, two of five the feeling.
    expect(chance).toBeCloseTo(5 / 11, 10);
    for (const name of ["z", "key", "centredKey", "match"] as const) expect(by[name].value).toBeCloseTo(0.7, 10);
    // Words find them too: ran and flew.
    expect(by.tfIdf.value).toBeCloseTo(0.7, 10);
  });
});
