import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import type { EvaluatedModel } from "./scoring.js";
import { cutSentences, evaluateSentences } from "./sentences.js";

const END = 0;
const tokenizer = {
  eosId: END,
  encode: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids: readonly number[]) => String.fromCharCode(...ids.filter((id) => id !== END)),
};
const memory: number[][] = [];
/** z is the number of the row that was encoded; every second row comes back with another first letter. */
const rebuilt = (z: number) => {
  const ids = memory[z]!;
  return [...(z % 2 === 0 ? ids : [88, ...ids.slice(1)]), END];
};
const model: Pick<EvaluatedModel, "encode" | "write"> = {
  encode: async (rows) => {
    memory.length = 0;
    return rows.map(({ ids }) => ({
      mean: Float32Array.of(memory.push([...ids]) - 1),
      poolWeights: new Float32Array(ids.length),
      slotWeights: [],
    }));
  },
  write: async (rows, options) => {
    expect(options).toMatchObject({ stopId: END, nTokens: 33, tau: 0 });
    return rows.map((row) => rebuilt(row.z![0]!));
  },
};

const options = (texts: string[]) => ({
  model: model as EvaluatedModel,
  tokenizer,
  space: LatentSpace.plain,
  texts,
  rng: Rng.fromSeed(1),
});

describe("sentences", () => {
  it("count as exact where every letter comes back, with an interval over texts", async () => {
    const texts = ["One cat. Two dogs!", "Three owls. Four ants.", "A very very very very very long one."];
    const report = await evaluateSentences(options(texts));
    expect(report.sentences).toBe(4);
    expect(report.exactMatch).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
    // 1 of 9 and 1 of 10 letters are wrong.
    expect(report.editSimilarity.value).toBeCloseTo((1 + 8 / 9 + 1 + 9 / 10) / 4, 10);
    expect(report.failures).toEqual([
      { text: "Two dogs!", rebuilt: "Xwo dogs!" },
      { text: "Four ants.", rebuilt: "Xour ants." },
    ]);
  });

  it("of a single text have an interval over sentences", async () => {
    const { exactMatch } = await evaluateSentences(options(["One.\nTwo.\nThree.\nFour.\nFive.\nSix.\n"]));
    expect(exactMatch.value).toBe(0.5);
    expect(exactMatch.high - exactMatch.low).toBeGreaterThan(0.3);
  });

  it("are written as long as z says and a quarter more, and cut there when they do not end", async () => {
    const space = new LatentSpace({ zDim: 2, slots: 2, span: 16 });
    const endless: Pick<EvaluatedModel, "encode" | "write"> = {
      encode: async (rows) => {
        const encodings = await model.encode(rows);
        return encodings.map((encoding, i) => ({
          ...encoding,
          mean: space.withLength(Float32Array.of(encoding.mean[0]!, 0), rows[i]!.ids.length),
        }));
      },
      write: async (rows) =>
        rows.map(({ z, nTokens }) => {
          const ids = memory[z![0]!]!;
          expect(Math.abs(nTokens! - (1.25 * ids.length + 2))).toBeLessThanOrEqual(1);
          return [...ids, ...new Array<number>(nTokens! - ids.length).fill(88)];
        }),
    };
    const { exactMatch } = await evaluateSentences({
      ...options(["One cat. Four ants here."]),
      model: endless as EvaluatedModel,
      space,
    });
    expect(exactMatch.value).toBe(1);
  });

  it("a line each are as many as there are lines", () => {
    const plain = readFileSync(new URL("../../data/plain-sentences.txt", import.meta.url), "utf8");
    const words = { ...tokenizer, encode: (text: string) => text.split(" ").map((word) => word.length) };
    const lines = plain.trim().split("\n");
    expect(cutSentences({ tokenizer: words }, [plain]).map(({ sentence }) => sentence)).toEqual(lines);
    expect(lines.length).toBe(60);
  });

  it("are needed, and an end token too", async () => {
    const long = "no sentence of up to thirty-two letters";
    await expect(evaluateSentences(options([long]))).rejects.toMatchObject({ kind: "usage" });
    const { eosId: _, ...without } = tokenizer;
    const endless = evaluateSentences({ ...options(["One."]), tokenizer: without });
    await expect(endless).rejects.toMatchObject({ kind: "mismatch" });
  });
});
