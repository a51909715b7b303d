/** BLEU equals sacrebleu's values (test/fixtures/eval/make_bleu.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bleuCounts, bleuOfCounts, corpusBleu, tokenize13a } from "./bleu.js";

interface Fixture {
  corpora: { name: string; hypotheses: string[]; references: string[]; bleu: number }[];
  lines: { text: string; tokens: string[] }[];
}
const fixture: Fixture = JSON.parse(
  readFileSync(new URL("../../test/fixtures/eval/bleu.json", import.meta.url), "utf8"),
);

describe("13a tokenisation", () => {
  it.each(fixture.lines)("of %j", ({ text, tokens }) => {
    expect(tokenize13a(text)).toEqual(tokens);
  });
});

describe("corpus BLEU", () => {
  it.each(fixture.corpora)("$name: $bleu", ({ hypotheses, references, bleu }) => {
    expect(corpusBleu(hypotheses, references)).toBeCloseTo(bleu, 10);
  });

  it("is 100 for identical texts and 0 for none", () => {
    expect(corpusBleu(["The same five words here."], ["The same five words here."])).toBeCloseTo(100, 10);
    expect(corpusBleu([], [])).toBe(0);
  });

  it("clips a repeated word: p_1 = 2/7 of 'the the the the the the the' (Papineni et al., example 2)", () => {
    const [matches, , , , totals] = bleuCounts("the the the the the the the", "the cat is on the mat");
    expect([matches, totals]).toEqual([2, 7]);
  });

  it("penalises brevity: half the length costs e^-1", () => {
    expect(bleuOfCounts([8, 7, 6, 5, 8, 7, 6, 5, 8, 16])).toBeCloseTo(100 / Math.E, 10);
  });
});
