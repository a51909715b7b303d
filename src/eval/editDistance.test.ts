import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editSimilarity, tokenEditDistance } from "./editDistance.js";

/** The textbook recurrence (Wagner & Fischer 1974). */
function recurrence(a: readonly number[], b: readonly number[]): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, x] of a.entries()) {
    const next = [i + 1];
    for (const [j, y] of b.entries()) next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (x === y ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

describe("token edit distance", () => {
  // Few distinct ids, so that sequences share some; up to 2^24, beyond what one UTF-16 unit holds.
  const ids = fc.array(fc.constantFrom(0, 1, 2, 55_296, 70_000, 2 ** 24), { maxLength: 40 });

  it("equals the recurrence", () =>
    fc.assert(fc.property(ids, ids, (a, b) => tokenEditDistance(a, b) === recurrence(a, b))));

  it("is a metric", () =>
    fc.assert(
      fc.property(ids, ids, ids, (a, b, c) => {
        expect(tokenEditDistance(a, a)).toBe(0);
        expect(tokenEditDistance(a, b)).toBe(tokenEditDistance(b, a));
        expect(tokenEditDistance(a, c)).toBeLessThanOrEqual(tokenEditDistance(a, b) + tokenEditDistance(b, c));
      }),
    ));

  it("as a similarity: one of four replaced is 3/4", () => {
    expect(editSimilarity([1, 2, 3, 4], [1, 9, 3, 4])).toBe(0.75);
    expect(editSimilarity([], [])).toBe(1);
    expect(editSimilarity([1], [])).toBe(0);
  });
});
