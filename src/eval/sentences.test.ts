import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import type { EvaluatedModel } from "./scoring.js";
import { evaluateSentences } from "./sentences.js";

const END = 0;
const tokenizer = {
  eosId: END,
  encode: (text: string) => Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (ids: readonly number[]) => String.fromCharCode(...ids.filter((id) => id !== END)),
};
const memory: number[][] = [];
/** z is the number of the row that was encoded; every second row comes back with another first letter. */
const model: Pick<EvaluatedModel, "encode" | "write"> = {
  encode: async (rows) =>
    rows.map(({ ids }) => ({
      mean: Float32Array.of(memory.push([...ids]) - 1),
      poolWeights: new Float32Array(ids.length),
      slotWeights: [],
    })),
  write: async (rows, options) => {
    expect(options).toMatchObject({ stopId: END, nTokens: 33, tau: 0 });
    return rows.map((row) => {
      const number = row.z![0]!;
      const ids = memory[number]!;
      return number % 2 === 0 ? ids : [88, ...ids.slice(1)];
    });
  },
};

const options = (texts: string[]) => ({ model: model as EvaluatedModel, tokenizer, texts, rng: Rng.fromSeed(1) });

describe("sentences", () => {
  it("count as exact where every letter comes back, with an interval over texts", async () => {
    const { sentences, exactMatch } = await evaluateSentences(
      options(["One cat. Two dogs!", "A very very very very very long one."]),
    );
    expect(sentences).toBe(2);
    expect(exactMatch).toEqual({ value: 0.5, low: 0.5, high: 0.5 });
  });

  it("are needed, and an end token too", async () => {
    await expect(evaluateSentences(options(["no sentence"]))).rejects.toMatchObject({ kind: "usage" });
    const { eosId: _, ...endless } = tokenizer;
    const without = evaluateSentences({ ...options(["One."]), tokenizer: endless });
    await expect(without).rejects.toMatchObject({ kind: "mismatch" });
  });
});
