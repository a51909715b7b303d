import { describe, expect, it } from "vitest";
import { cutIntoPieces, joinPieces } from "./pieces.js";

const atMost = (length: number) => (piece: string) => piece.length <= length;

describe("a text is cut", () => {
  it.each([
    [99, " The fox ran. It slept. ", ["The fox ran. It slept."]],
    [23, "The fox ran. It slept.\n\nThe owl sang.", ["The fox ran. It slept.", "The owl sang."]],
    [14, "The fox ran.  It slept. The owl sang.", ["The fox ran.", "It slept.", "The owl sang."]],
    [12, "He ran. The brown fox slept. So.", ["He ran.", "The brown", "fox slept.", "So."]],
    [4, "Abcdefghij k", ["Abcd", "efgh", "ij", "k"]],
    [1, "a👩‍👧b", ["a", "👩‍👧", "b"]],
    [5, "", [""]],
  ])("into pieces of at most %i", (length, text, pieces) => {
    expect(cutIntoPieces(text, atMost(length))).toEqual(pieces);
  });

  it("and put together as it was, at any length", () => {
    const text = 'Mr. Fox said "no. \nNever." And\tso on.\n\nIt rained for twentysevendays.';
    for (let length = 1; length < text.length; length++) {
      const pieces = cutIntoPieces(text, atMost(length));
      expect(pieces.filter((piece) => piece.length > length || piece === "")).toEqual([]);
      expect(joinPieces(text, pieces, pieces)).toBe(text);
    }
  });

  it("and other pieces take the places of its own", () => {
    expect(joinPieces("A cat.\n\nA cat. Two", ["A cat.", "A cat.", "Two"], ["One", " two ", "three"])).toBe(
      "One\n\ntwo three",
    );
  });
});
