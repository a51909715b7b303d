import { describe, expect, it } from "vitest";
import { plainSentences } from "./sentences.js";

const sentences = [...plainSentences(1, 2000)];
const texts = sentences.map(({ text }) => text);

describe("plainSentences", () => {
  it("gives the same sentences for the same seed, from any start", () => {
    expect([...plainSentences(1, 5, 100)]).toEqual(sentences.slice(100, 105));
    expect(sentences[7]!.id).toBe("p1-7");
    expect([...plainSentences(2, 1)][0]!.text).not.toBe(texts[0]);
  });

  it("begins with a capital and ends with a mark, or is a note in lower case", () => {
    const notes = texts.filter((text) => text === text.toLowerCase());
    for (const text of texts) {
      if (text === text.toLowerCase()) expect(text).toMatch(/^[a-z].*[a-z0-9!?]$|^\d/);
      else expect(text).toMatch(/^"?[A-Z0-9].*[.?!]"?$/);
    }
    expect(notes.length).toBeGreaterThan(80);
    expect(notes.length).toBeLessThan(260);
  });

  it("leaves no slot, mark or double space behind", () => {
    for (const text of texts) expect(text).not.toMatch(/[{}#^]| {2}|undefined|^ | $/);
  });

  it("writes a and an by sound", () => {
    for (const text of texts) {
      expect(text).not.toMatch(/\ba (?!uni|use|usu|euro|one)[aeiou]/i);
      expect(text).not.toMatch(/\ban (?!hour|honest)[^aeiou8\d]/i);
    }
  });

  it("has a wide vocabulary, few repeats and short sentences", () => {
    const words = new Set(texts.flatMap((text) => text.toLowerCase().match(/[a-z'-]+/g) ?? []));
    expect(words.size).toBeGreaterThanOrEqual(1500);
    expect(new Set(texts).size).toBeGreaterThanOrEqual(1950);
    for (const text of texts) {
      const length = text.split(" ").length;
      expect(length).toBeGreaterThanOrEqual(3);
      expect(length).toBeLessThanOrEqual(25);
    }
  });
});
