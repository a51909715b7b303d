/** Adam by its formulas, worked out for two steps; weight decay is decoupled from them and spares vectors. */
import { describe, expect, it } from "vitest";
import { Adam } from "./adam.js";
import { FlatTensors } from "./flatTensors.js";

const [BETA1, BETA2, EPS] = [0.9, 0.99, 1e-8];
const shapes = new Map([
  ["matrix", [1, 2]],
  ["vector", [2]],
]);

function flat(...values: number[]): FlatTensors {
  const tensors = new FlatTensors(shapes);
  tensors.data.set(values);
  return tensors;
}

function adamOf(parameters: FlatTensors, weightDecay = 0): Adam {
  return new Adam(parameters, { betas: [BETA1, BETA2], eps: EPS, weightDecay });
}

const close = (got: Float32Array, expected: readonly number[]) => {
  expect(got).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(got[i], `value ${i}`).toBeCloseTo(value, 6);
};

const START = [1, -2, 3, -4];

it("steps by the rate against the sign of the first gradient, whatever its size", () => {
  const parameters = flat(...START);
  adamOf(parameters).apply(flat(5, -0.01, 100, -3), 1, 0.1, 1);
  close(parameters.data, [0.9, -1.9, 2.9, -3.9]);
});

it("steps by the corrected means of gradient and square at the second", () => {
  const parameters = flat(...START);
  const adam = adamOf(parameters);
  const [first, second] = [
    [1, -2, 0.5, 3],
    [2, 1, -0.5, 0],
  ] as const;
  adam.apply(flat(...first), 1, 0.1, 1);
  const before = Array.from(parameters.data);
  adam.apply(flat(...second), 2, 0.05, 1);
  const expected = before.map((x, i) => {
    const mean = (BETA1 * (1 - BETA1) * first[i]! + (1 - BETA1) * second[i]!) / (1 - BETA1 ** 2);
    const square = (BETA2 * (1 - BETA2) * first[i]! ** 2 + (1 - BETA2) * second[i]! ** 2) / (1 - BETA2 ** 2);
    return x - (0.05 * mean) / (Math.sqrt(square) + EPS);
  });
  close(parameters.data, expected);
});

it("scales the gradients that it is given", () => {
  const [scaled, halved] = [adamOf(flat(...START)), adamOf(flat(...START))];
  scaled.apply(flat(2, -4, 6, 8), 1, 0.1, 0.5);
  halved.apply(flat(1, -2, 3, 4), 1, 0.1, 1);
  for (const name of ["mean", "square", "parameters"] as const) expect(scaled[name].data).toEqual(halved[name].data);
  close(scaled.mean.data, [0.1, -0.2, 0.3, 0.4]);
  close(scaled.square.data, [0.01, 0.04, 0.09, 0.16]);
});

describe("weight decay", () => {
  it("shrinks matrices by rate times decay beside the step, and leaves vectors alone", () => {
    const [decayed, plain] = [flat(...START), flat(...START)];
    adamOf(decayed, 0.2).apply(flat(5, 5, 5, 5), 1, 0.1, 1);
    adamOf(plain).apply(flat(5, 5, 5, 5), 1, 0.1, 1);
    close(decayed.data, [0.98 * 1 - 0.1, 0.98 * -2 - 0.1, 2.9, -4.1]);
    expect(decayed.values("vector")).toEqual(plain.values("vector"));
  });

  it("is no part of the gradient: without one there is no mean, no square, and the shrinking is geometric", () => {
    const parameters = flat(...START);
    const adam = adamOf(parameters, 0.2);
    for (let step = 1; step <= 3; step++) adam.apply(flat(0, 0, 0, 0), step, 0.1, 1);
    close(parameters.data, [0.98 ** 3, -2 * 0.98 ** 3, 3, -4]);
    for (const state of [adam.mean, adam.square]) expect(new Set(state.data)).toEqual(new Set([0]));
  });
});
