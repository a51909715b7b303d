import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { bootstrap, bootstrapDifference, ratio } from "./bootstrap.js";

const means = (values: readonly number[]) => values.map((value) => [value, 1]);

describe("bootstrap", () => {
  it("gives the measure of the texts themselves as its value", () => {
    const { value, low, high } = bootstrap(
      [
        [1, 2],
        [5, 1],
        [0, 3],
      ],
      ratio,
      Rng.fromSeed(1),
    );
    expect(value).toBe(1);
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
  });

  it("is as wide as the normal interval of a mean: 2 * 1.96 s / sqrt n", () => {
    const values = Array.from(Rng.fromSeed("width").normals(400));
    const mean = values.reduce((sum, x) => sum + x, 0) / 400;
    const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 399);
    const { low, high } = bootstrap(means(values), ratio, Rng.fromSeed("resample"), 4000);
    expect((high - low) / ((2 * 1.96 * deviation) / 20)).toBeCloseTo(1, 1);
  });

  it("covers the true mean about 95 times in 100", () => {
    const rng = Rng.fromSeed("coverage");
    let covered = 0;
    for (let i = 0; i < 200; i++) {
      const { low, high } = bootstrap(means(Array.from(rng.normals(60))), ratio, rng, 300);
      if (low <= 0 && 0 <= high) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.9);
    expect(covered / 200).toBeLessThan(0.99);
  });

  it("is a point where all texts are alike, and the same for the same seed", () => {
    const interval = () => bootstrap(means([2, 2, 2]), ratio, Rng.fromSeed(7));
    expect(interval()).toEqual({ value: 2, low: 2, high: 2 });
    expect(interval()).toEqual(interval());
  });

  it("has no value without texts", () => {
    expect(bootstrap([], ratio, Rng.fromSeed(0)).value).toBeNaN();
  });
});

describe("the difference of two samples", () => {
  it("is that of their ratios, as wide as the normal interval: 2 * 1.96 sqrt(v / n + w / m)", () => {
    const [a, b] = [Rng.fromSeed("a").normals(300), Rng.fromSeed("b").normals(200)].map((list) => Array.from(list));
    const mean = (list: readonly number[]) => list.reduce((sum, x) => sum + x, 0) / list.length;
    const variance = (list: readonly number[]) => mean(list.map((x) => (x - mean(list)) ** 2));
    const { value, low, high } = bootstrapDifference(means(a!), means(b!), Rng.fromSeed("resample"), 4000);
    expect(value).toBeCloseTo(mean(a!) - mean(b!), 10);
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance(a!) / 300 + variance(b!) / 200))).toBeCloseTo(1, 1);
  });
});
