import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadTokenizer } from "./tokenizer.js";
import { trainBpe, WordCounts } from "./trainBpe.js";

// test/fixtures/bpe/train_bpe.py made merges.json with Hugging Face's trainer.
const text = readFileSync("test/fixtures/bpe/text.txt", "utf8");
const expected = JSON.parse(readFileSync("test/fixtures/bpe/merges.json", "utf8"));
const specialTokens = ["<pad>", "<s>", "</s>"];

it("learns the merges, the ids and the encoding of Hugging Face's trainer", () => {
  const json = trainBpe(WordCounts.of([text]), { vocabSize: 700, specialTokens }) as {
    model: { vocab: object; merges: string[][] };
  };
  expect(json.model.merges).toEqual(expected.merges);
  const vocab = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
  expect(vocab.map(([token]) => token)).toEqual(expected.vocab);
  const tokenizer = loadTokenizer(json);
  expect(tokenizer).toMatchObject({ vocabSize: 700, bosId: 1, eosId: 2, padId: 0 });
  expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  expect(tokenizer.encode(text)).toEqual(expected.ids);
});

it("stops where no pairs are left, and does not mind how the texts are cut between words", () => {
  const small = trainBpe(WordCounts.of(["ab ab", " ab"]), { vocabSize: 1000, specialTokens: [] });
  expect(small).toEqual(trainBpe(WordCounts.of(["ab ab ab"]), { vocabSize: 1000, specialTokens: [] }));
  expect(loadTokenizer(small).vocabSize).toBe(258);
});

it("refuses a vocabulary without room for the bytes", () => {
  expect(() => trainBpe(new WordCounts(), { vocabSize: 258, specialTokens })).toThrow(
    /`vocabSize`: expected a whole number of at least 259, .*, got 258/,
  );
});
