import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { EVEN_SCALE, mixScale } from "./guidance.js";
import { average, normLerp, sample, slerp } from "./latent.js";
import { LatentSpace } from "./latentSpace.js";
import { cutToLength, writeLimit } from "./textLength.js";

const rng = Rng.fromSeed("space");
const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 5);
};

describe("a space of one slot", () => {
  const space = new LatentSpace({ zDim: 4, slots: 1, span: 64 });
  const [a, b] = [Float32Array.of(3, 0, 4, 0), Float32Array.of(0, 1, 0, 0)];

  it("is plain vectors", () => {
    expect(space.width).toBe(4);
    expect(space.lengthOf(a)).toBe(64);
    expect(space.norm(a)).toBe(5);
    close(space.rescale(a, 10), [6, 0, 8, 0]);
    close(space.normLerp(a, b, 0.3), normLerp(a, b, 0.3));
    close(space.slerp(a, b, 0.3), slerp(a, b, 0.3));
    close(space.sample({ mean: a }, 1, rng.fork("x")), sample({ mean: a }, 1, rng.fork("x")));
    expect(space.key(a)).toEqual(a);
    expect(space.similarity(a, b)).toBe(0);
    expect(space.similarity(a, a)).toBeCloseTo(1, 6);
  });
});

describe("a space of several slots", () => {
  const space = new LatentSpace({ zDim: 4, slots: 2, span: 64 });
  const a = space.withLength(Float32Array.of(3, 0, 4, 0), 16);
  const b = space.withLength(Float32Array.of(0, 1, 0, 0), 64);

  it("has the length of the text as its last value", () => {
    expect(space.width).toBe(5);
    expect(a[4]).toBeCloseTo(Math.log(16 / 64), 6);
    expect(space.lengthOf(a)).toBeCloseTo(16, 4);
    // A geometric mean half-way.
    expect(space.lengthOf(space.lerp(a, b, 0.5))).toBeCloseTo(32, 4);
  });

  it("keeps lengths within reason where a latent was extrapolated", () => {
    expect(space.lengthOf(Float32Array.of(0, 0, 0, 0, 50))).toBe(8 * 64);
    expect(space.lengthOf(Float32Array.of(0, 0, 0, 0, -50))).toBe(1);
  });

  it("changes the norm of the slots and not the length", () => {
    expect(space.norm(a)).toBe(5);
    close(space.rescale(a, 10), [6, 0, 8, 0, a[4]!]);
    expect(space.meanNorm([a, b])).toBe(3);
    const middle = space.normLerp(a, b, 0.5);
    expect(space.norm(middle)).toBeCloseTo(3, 5);
    expect(space.lengthOf(middle)).toBeCloseTo(32, 4);
    expect(space.lengthOf(space.slerp(a, b, 0.5))).toBeCloseTo(32, 4);
    const mixed = space.normKeptSum([a, b], [0.5, 0.5]);
    expect(space.norm(mixed)).toBeCloseTo(3, 5);
    expect(space.lengthOf(mixed)).toBeCloseTo(32, 4);
  });

  it("gives a sum the mean length of its parts, whatever the weights sum to", () => {
    for (const weights of [
      [1, 1],
      [0.5, 0.5],
      [3, 3],
    ])
      expect(space.lengthOf(space.weightedSum([a, b], weights))).toBeCloseTo(32, 4);
    expect(space.lengthOf(space.weightedSum([a], [2]))).toBeCloseTo(16, 4);
    // As the other values where the weights sum to 1: 64 * 64 / 16.
    expect(space.lengthOf(space.weightedSum([b, b, a], [1, 1, -1]))).toBeCloseTo(256, 2);
    expect(space.lengthOf(space.weightedSum([a, b], [1, -1]))).toBeCloseTo(32, 4);
    close(space.weightedSum([a, b], [1, 1]).subarray(0, 4), [3, 1, 4, 0]);
  });

  it("finds the medoid by the slots alone", () => {
    const far = space.withLength(Float32Array.of(3, 0, 4, 0.5), 500);
    expect(space.medoid([b, a, far])).toBe(a);
  });

  it("guides its mixes by default, as one slot does not", () => {
    expect(space.mixScale([1, 1])).toBeCloseTo(EVEN_SCALE, 6);
    expect(space.mixScale([1, 1], 1)).toBe(1);
    expect(LatentSpace.plain.mixScale([1, 1])).toBe(1);
  });

  it("puts noise on the slots and none on the length", () => {
    const drawn = space.sample({ mean: a }, 1, rng.fork("noise"));
    expect(drawn[4]).toBe(a[4]);
    close(drawn.subarray(0, 4), sample({ mean: a.subarray(0, 4) }, 1, rng.fork("noise")));
    const random = space.random(a, 1.5, rng.fork("random"));
    expect(space.lengthOf(random)).toBe(64);
    expect(space.norm(random)).toBeCloseTo(1.5 * 2, 5);
  });

  it("has the mean of the slots as its key", () => {
    close(space.key(a), [3.5, 0]);
    close(space.key(a), average(space.slots(a)));
  });

  it("moves the key alone: what tells slots apart and the length stay", () => {
    const moved = space.towardKey(a, b, 0.5);
    // Keys (3.5, 0) and (0, 0.5): each slot moves by (-1.75, 0.25).
    close(moved, [1.25, 0.25, 2.25, 0.25, a[4]!]);
    close(space.key(space.towardKey(a, b, 1)), space.key(b));
  });

  it("finds slots that say the same at another place", () => {
    const at = (...values: number[]) => space.withLength(Float32Array.from(values), 64);
    expect(space.similarity(at(1, 0, 0, 2), at(0, 5, 3, 0))).toBeCloseTo(1, 6);
    // Slots of the one: nearest 1 and 0; of the other: 1 and 1.
    expect(space.similarity(at(1, 0, 0, 1), at(1, 0, 1, 0))).toBeCloseTo((1 + 0 + 1 + 1) / 4, 6);
  });

  it("refuses a width that its slots cannot share", () => {
    expect(() => new LatentSpace({ zDim: 5, slots: 2, span: 64 })).toThrow(
      /expected a width that 2 slots share evenly/,
    );
  });
});

it("keeps the slots of a latent that is given another length, and a latent without one as it is", () => {
  const space = new LatentSpace({ zDim: 4, slots: 2, span: 64 });
  const z = space.withLength(Float32Array.of(1, 2, 3, 4), 10);
  expect(space.lengthOf(space.ofLength(z, 40))).toBeCloseTo(40, 4);
  expect([...space.content(space.ofLength(z, 40))]).toEqual([1, 2, 3, 4]);
  expect(LatentSpace.plain.ofLength(z, 40)).toBe(z);
});

it("guides a mix the more, the less of it is of one text", () => {
  expect(mixScale([1, 0])).toBe(1);
  expect(mixScale([0, 3])).toBe(1);
  expect(mixScale([0.5, 0.5])).toBeCloseTo(EVEN_SCALE, 6);
  // The base is added 0.3 times half-way, in proportion to 1 - sum of the squared shares elsewhere.
  const base = (1 / EVEN_SCALE - 1) / 0.5;
  expect(mixScale([1, 1, 1, 1])).toBeCloseTo(1 / (1 + 0.75 * base), 6);
  expect(mixScale([])).toBeCloseTo(1 / (1 + base), 6);
  expect(mixScale([0.75, -0.25], 0.5)).toBeCloseTo(1 / (1 + 2 * 0.375), 6);
  expect(mixScale([1, 2], 1)).toBe(1);
});

it("cuts a text that did not end to its length, and leaves one that did", () => {
  expect(writeLimit(10)).toBe(14);
  expect(writeLimit(15.99999)).toBe(22);
  expect(cutToLength([5, 6, 7, 8, 9], 3.4, 0)).toEqual([5, 6, 7]);
  expect(cutToLength([5, 6, 7, 8, 0], 3.4, 0)).toEqual([5, 6, 7, 8, 0]);
  expect(cutToLength([5, 6, 7], 2, undefined)).toEqual([5, 6]);
  expect(cutToLength([5, 6, 7], 0.2, 0)).toEqual([5]);
});
