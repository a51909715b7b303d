import { expect, it } from "vitest";
import { TfIdf } from "./tfIdf.js";

it("cosines are those computed by hand", () => {
  const texts = new TfIdf(["The fox, the kite.", "A fox slept.", "The kite: kite!", "", "It rained."]);
  // Of 5 texts 2 have the, fox and kite (b); 1 each of a, slept, it and rained (c).
  const [b, c] = [Math.log(5 / 2), Math.log(5)];
  // (the 2b, fox b, kite b), (a c, fox b, slept c), (the b, kite 2b)
  const norms = [Math.sqrt(6) * b, Math.sqrt(b * b + 2 * c * c), Math.sqrt(5) * b];
  const expected = [1, b ** 2 / (norms[0]! * norms[1]!), (4 * b ** 2) / (norms[0]! * norms[2]!), 0, 0];
  for (const [i, value] of texts.similarities(0).entries()) expect(value).toBeCloseTo(expected[i]!, 12);
  expect(texts.similarities(2)[0]).toBeCloseTo(expected[2]!, 12);
  expect(Array.from(texts.similarities(3))).toEqual([0, 0, 0, 0, 0]);
});

it("a word that all texts have says nothing", () => {
  const texts = new TfIdf(["fox", "fox", "fox kite"]);
  expect(Array.from(texts.similarities(0))).toEqual([0, 0, 0]);
  expect(texts.similarities(2)[2]).toBeCloseTo(1, 12);
});
