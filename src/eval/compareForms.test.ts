import { expect, it } from "vitest";
import { compareForms, equalTokens } from "./compareForms.js";

it("counts greedy tokens before the first that differs", () => {
  expect(equalTokens([1, 2, 3, 4], [1, 2, 9, 4])).toBe(2);
  expect(equalTokens([1, 2], [1, 2])).toBe(2);
  expect(equalTokens([5], [6])).toBe(0);
});

it("compares a form with fp32: all is equal with itself, and a half-turned mean is not", () => {
  const greedy = [Array.from({ length: 32 }, (_, i) => i)];
  const exact = { bitsPerByte: 1, greedy, means: [Float32Array.of(1, 0), Float32Array.of(0, 2)] };
  expect(compareForms(exact, exact)).toEqual({ bitsPerByte: 1, greedyTokensEqual: 1, meanCosine: 1, leastCosine: 1 });
  const other = {
    bitsPerByte: 1.5,
    greedy: [greedy[0]!.with(8, 99)],
    means: [Float32Array.of(0, 1), Float32Array.of(0, 1)],
  };
  expect(compareForms(other, exact)).toEqual({
    bitsPerByte: 1.5,
    greedyTokensEqual: 0.25,
    meanCosine: 0.5,
    leastCosine: 0,
  });
  expect(compareForms({ ...other, means: [] }, { ...exact, means: [] })).not.toHaveProperty("meanCosine");
});
