import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { contentWords, holdsPhrase, proseMeasures, wordsOf } from "./words.js";

describe("words", () => {
  it("are lower-case runs of letters, apostrophes within them", () => {
    expect(wordsOf("“Don't!” said Zoë's fox-cub, 3 times.")).toEqual(["don't", "said", "zoë's", "fox", "cub", "times"]);
    expect(wordsOf("")).toEqual([]);
  });

  it("with content are those that are no function words", () => {
    expect([...contentWords("The fox and the fox were in an orchard.")]).toEqual(["fox", "orchard"]);
  });

  it("of a phrase are found whole", () => {
    expect(holdsPhrase("At the Old Mill, they sat.", "old mill")).toBe(true);
    expect(holdsPhrase("The miller sat.", "mill")).toBe(false);
  });
});

describe("prose", () => {
  const rng = Rng.fromSeed("prose");

  it("counts known words over all texts: 3 of 5", () => {
    const { knownWords, texts } = proseMeasures(["the fox", "the glorp blim"], new Set(["the", "fox"]), rng);
    expect([texts, knownWords.value]).toEqual([2, 3 / 5]);
  });

  it("counts 4-grams that stood before: 4 words twice repeat 1 of 5", () => {
    expect(proseMeasures(["a b c d a b c d"], new Set(), rng).repeatedGrams.value).toBe(1 / 5);
    expect(proseMeasures(["a a a a a a"], new Set(), rng).repeatedGrams.value).toBe(2 / 3);
    expect(proseMeasures(["a b c d e", "a b c d e"], new Set(), rng).repeatedGrams.value).toBe(0);
  });
});
