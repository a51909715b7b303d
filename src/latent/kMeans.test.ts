/** Centres of directions that are known. */
import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { kMeans } from "./kMeans.js";
import { cosine, norm } from "./latent.js";

const rng = Rng.fromSeed("k-means");
const axis = (d: number, length = 1) => Float32Array.from({ length: 4 }, (_, i) => (i === d ? length : 0));

describe("k-means", () => {
  it("finds groups about axes, whatever the lengths, as centres of length 1", () => {
    const vectors = Array.from({ length: 90 }, (_, i) => {
      const noise = rng.fork("noise", i).normals(4);
      return axis(i % 3, 5).map((value, d) => (value + 0.2 * noise[d]!) * (1 + i));
    });
    const centres = kMeans(vectors, 3, rng.fork("centres"));
    expect(centres).toHaveLength(3);
    for (const centre of centres) expect(norm(centre)).toBeCloseTo(1, 5);
    for (const d of [0, 1, 2])
      expect(Math.max(...centres.map((centre) => cosine(centre, axis(d))))).toBeGreaterThan(0.99);
  });

  it("gives the direction of the sum of unit vectors for one centre", () => {
    const [centre] = kMeans([axis(0, 3), axis(1, 7)], 1, rng.fork("one"));
    for (const [d, expected] of [Math.SQRT1_2, Math.SQRT1_2, 0, 0].entries())
      expect(centre![d]).toBeCloseTo(expected, 5);
  });

  it("gives as many centres as there are directions, and none of vectors without one", () => {
    expect(kMeans([axis(0), axis(0, 2), axis(1)], 5, rng.fork("few"))).toHaveLength(2);
    expect(kMeans([axis(0, 0)], 2, rng.fork("none"))).toEqual([]);
    expect(kMeans([], 2, rng.fork("empty"))).toEqual([]);
  });

  it("is the same for the same seed", () => {
    const vectors = Array.from({ length: 40 }, (_, i) => rng.fork("random", i).normals(6));
    expect(kMeans(vectors, 5, Rng.fromSeed(3))).toEqual(kMeans(vectors, 5, Rng.fromSeed(3)));
  });
});
