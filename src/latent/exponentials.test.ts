import { expect, it } from "vitest";
import { Rng } from "../rng.js";
import { exponentialSums } from "./exponentials.js";

const last = (sums: Float64Array) => sums.at(-1)!;

it.each([0.1, 0.5, 0.9, 1, 2, 10])("sums e^((logit - max) / tau) at temperature %d", (tau) => {
  const logits = Rng.fromSeed(`sums ${tau}`)
    .normals(4096)
    .map((normal) => 6 * normal);
  const max = Math.max(...logits);
  let sum = 0;
  const expected = Array.from(logits, (logit) => (sum += Math.exp((logit - max) / tau)));
  const sums = exponentialSums(logits, max, tau);
  expect(sums).toHaveLength(4096);
  const errors = expected.map((value, i) => Math.abs(sums[i]! / value - 1));
  expect(Math.max(...errors)).toBeLessThan(2e-12);
});

it("each term has a relative error below 2e-12, down to what a float64 holds", () => {
  for (let x = 0; x > -690; x -= 0.173) {
    const logit = Math.fround(x);
    expect(Math.abs(last(exponentialSums(Float32Array.of(logit), 0, 1)) / Math.exp(logit) - 1)).toBeLessThan(2e-12);
  }
});

it("the largest counts 1 and what cannot be 0, and what is no number is none", () => {
  expect([...exponentialSums(Float32Array.of(3, Number.NEGATIVE_INFINITY, 3), 3, 1)]).toEqual([1, 1, 2]);
  expect([...exponentialSums(Float32Array.of(0, -1e30), 0, 1e-3)]).toEqual([1, 1]);
  expect([...exponentialSums(Float32Array.of(0, -1, 0), 0, 1e-308)]).toEqual([1, 1, 2]);
  expect(last(exponentialSums(Float32Array.of(0, Number.NaN), 0, 1))).toBeNaN();
});

it("sums of a shorter vocabulary are its own", () => {
  exponentialSums(new Float32Array(100), 0, 1);
  expect([...exponentialSums(new Float32Array(3), 0, 1)]).toEqual([1, 2, 3]);
});
