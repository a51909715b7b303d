/** Arithmetic and disentanglement on models made up so that the answers are known. */
import { describe, expect, it } from "vitest";
import { type Latent, LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import { arithmeticCase, evaluateArithmetic } from "./arithmetic.js";
import { evaluateDisentanglement, zMinVar } from "./disentanglement.js";
import { FACTOR_NAMES, SENTENCE_VALUES } from "./factorSentences.js";
import type { EvaluatedModel } from "./scoring.js";
import { holdsPhrase, wordsOf } from "./words.js";

/** Tokens are words, numbered as they come. */
const vocabulary: string[] = [];
const tokenizer = {
  encode: (text: string) =>
    wordsOf(text).map((word) => (vocabulary.includes(word) ? vocabulary.indexOf(word) : vocabulary.push(word) - 1)),
  decode: (ids: readonly number[]) => ids.map((id) => vocabulary[id]).join(" "),
};

/** A model whose latents are given by a function of the tokens; it writes what another function makes of them. */
const modelOf = (encode: (ids: readonly number[]) => Latent, write: (z: Latent) => number[]): EvaluatedModel => ({
  encode: async (rows) =>
    rows.map(({ ids }) => ({ mean: encode(ids), poolWeights: new Float32Array(ids.length), slotWeights: [] })),
  write: async (rows, { nTokens }) => rows.map(({ z }) => write(z!).slice(0, nTokens)),
  score: async () => [],
});

const space = LatentSpace.plain;

describe("arithmetic", () => {
  it("asks for one factor to change", () => {
    for (let seed = 0; seed < 50; seed++) {
      const { factor, from, to, sentences, expected } = arithmeticCase(Rng.fromSeed(seed));
      const [x1, x2, x3] = sentences;
      expect([x1, x2, x3, expected].map(({ factors }) => factors[factor])).toEqual([from, to, from, to]);
      expect(x2.factors).toEqual({ ...x1.factors, [factor]: to });
      expect(expected.factors).toEqual({ ...x3.factors, [factor]: to });
      expect([holdsPhrase(x3.text, from), holdsPhrase(expected.text, to)]).toEqual([true, true]);
    }
  });

  it("is solved by bags of words, where z3 + z2 - z1 is the bag asked for", async () => {
    const WIDTH = 1000;
    const bag = (ids: readonly number[]) => {
      const z = new Float32Array(WIDTH);
      for (const id of ids) z[id]!++;
      return z;
    };
    const written = (z: Latent) => [...z.keys()].filter((id) => z[id]! > 0.5);
    const options = { model: modelOf(bag, written), tokenizer, space, rng: Rng.fromSeed("bag"), cases: 60 };
    const { changed, kept, changedByChance, keptUnchanged } = await evaluateArithmetic(options);
    expect([changed.value, kept.value, changedByChance.value, keptUnchanged.value]).toEqual([1, 1, 0, 1]);
  });

  it("is written as long as z says, up to the end token", async () => {
    const ofLength = new LatentSpace({ zDim: 2, slots: 2, span: 64 });
    const END = 1e6;
    const asked: number[] = [];
    const lengths: number[] = [];
    const model: EvaluatedModel = {
      encode: async (rows) =>
        rows.map(({ ids }) => ({
          mean: ofLength.withLength(new Float32Array(2), ids.length),
          poolWeights: new Float32Array(ids.length),
          slotWeights: [],
        })),
      write: async (rows, options) => {
        expect(options.stopId).toBe(END);
        return rows.map(({ z, nTokens }) => {
          lengths.push(Math.round(ofLength.lengthOf(z!)));
          asked.push(nTokens!);
          return [END];
        });
      },
      score: async () => [],
    };
    const options = { model, tokenizer: { ...tokenizer, eosId: END }, space: ofLength, cases: 5 };
    await evaluateArithmetic({ ...options, rng: Rng.fromSeed(2) });
    const words = (text: string) => tokenizer.encode(text).length;
    for (let i = 0; i < 5; i++) {
      const { sentences } = arithmeticCase(Rng.fromSeed(2).fork("arithmetic", i));
      const [x1, x2, x3] = sentences.map(({ text }) => words(text));
      expect(lengths.slice(2 * i, 2 * i + 2)).toEqual([Math.round((x3! * x2!) / x1!), x3]);
      expect(Math.abs(asked[2 * i + 1]! - (1.25 * x3! + 2))).toBeLessThan(1.1);
    }
  });

  it("is not solved by a model that always writes the same", async () => {
    const options = {
      model: modelOf(
        () => new Float32Array(1),
        () => [],
      ),
      tokenizer,
      space,
      rng: Rng.fromSeed(0),
      cases: 20,
    };
    expect((await evaluateArithmetic(options)).changed.value).toBe(0);
  });
});

describe("z-min-var", () => {
  const rng = Rng.fromSeed("labels");
  const values = ["a", "b", "c", "d"];
  const labels = Object.fromEntries(
    ["first", "second", "third"].map((name) => [name, Array.from({ length: 400 }, () => rng.pick(values))]),
  );
  const options = { rng: Rng.fromSeed("groups"), groupSize: 32, groups: 60, runs: 2 };

  it("is 1 where each factor has its dimension", () => {
    const latents = Array.from({ length: 400 }, (_, i) =>
      Float32Array.from([rng.normal(), ...Object.values(labels).map((list) => values.indexOf(list[i]!)), rng.normal()]),
    );
    expect(zMinVar(latents, labels, options)).toBe(1);
  });

  it("is near chance where latents know nothing", () => {
    const latents = Array.from({ length: 400 }, () => rng.normals(6));
    expect(Math.abs(zMinVar(latents, labels, { ...options, runs: 8 }) - 1 / 3)).toBeLessThan(0.15);
  });

  it("of labelled sentences is 1 for a model that reads their factors, and falls with shuffled labels", async () => {
    const factorsOf = (ids: readonly number[]) =>
      Float32Array.from(FACTOR_NAMES, (name) =>
        SENTENCE_VALUES[name].findIndex((value) => holdsPhrase(tokenizer.decode(ids), value)),
      );
    const model = modelOf(factorsOf, () => []);
    const report = await evaluateDisentanglement({ ...options, model, tokenizer, space, sentences: 400 });
    expect(report.zMinVar).toBeGreaterThan(0.95);
    expect(Math.abs(report.shuffled - report.chance)).toBeLessThan(0.2);
    expect(report.chance).toBe(0.2);
  });
});
