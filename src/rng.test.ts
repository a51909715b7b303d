import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Rng } from "./rng.js";

/** Of the first version; another value would change every text of every seed. */
const GOLDEN = {
  key: [593656744, 1078135669, 1443506724, 448390832],
  uniform: [0.7470174714017414, 0.7316471744026837, 801],
  named: [526236452, -1418754574, -2144784344, 338974478],
  normals: [1.0699793100357056, -0.3205220401287079, 0.2815382778644562],
  permutation: [1, 0, 2, 5, 3, 4],
};

describe("Rng", () => {
  it("gives the same numbers for ever", () => {
    const rng = Rng.fromSeed(7);
    expect(rng.key).toEqual(GOLDEN.key);
    expect([rng.uniform(), rng.uniform(), rng.integer(1000)]).toEqual(GOLDEN.uniform);
    expect(Rng.fromSeed("fox").key).toEqual(GOLDEN.named);
    expect(Array.from(Rng.fromSeed(7).fork("row", 3).normals(3))).toEqual(GOLDEN.normals);
    expect(Array.from(Rng.fromSeed(7).permutation(6))).toEqual(GOLDEN.permutation);
  });

  it("forks independently of how far it is, and of other forks", () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(20), fc.string(), (seed, advance, name) => {
        const fresh = Rng.fromSeed(seed).fork(name);
        const used = Rng.fromSeed(seed);
        for (let i = 0; i < advance; i++) used.normal();
        used.fork("another");
        expect(used.fork(name).normals(4)).toEqual(fresh.normals(4));
      }),
      { seed: 1 },
    );
  });

  it("is replayed from its key", () => {
    const rng = Rng.fromSeed(3).fork("draft", 1, 2);
    expect(Rng.fromKey(JSON.parse(JSON.stringify(rng.key))).normals(5)).toEqual(rng.normals(5));
  });

  it("does not mix up names: order, kind and grouping count", () => {
    const rng = Rng.fromSeed(0);
    const forks = [rng.fork("a", "b"), rng.fork("b", "a"), rng.fork("ab"), rng.fork(1), rng.fork("1"), rng.fork(1, 1)];
    expect(new Set(forks.map(({ key }) => key.join())).size).toBe(forks.length);
    const seeds = Array.from({ length: 2000 }, (_, seed) => Rng.fromSeed(seed).uniform());
    expect(new Set(seeds).size).toBe(2000);
  });

  it("has forks that do not move together", () => {
    const n = 20_000;
    const [a, b] = [0, 1].map((row) => Rng.fromSeed(5).fork("row", row).normals(n)) as [Float32Array, Float32Array];
    const correlation = a.reduce((sum, x, i) => sum + x * b[i]!, 0) / n;
    expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(n));
  });

  it("is uniform and normal", () => {
    const n = 50_000;
    const rng = Rng.fromSeed(9);
    const uniforms = Array.from({ length: n }, () => rng.uniform());
    const buckets = new Array<number>(10).fill(0);
    for (const u of uniforms) buckets[Math.floor(u * 10)]!++;
    // 0.999 quantile of chi-square with 9 degrees of freedom.
    expect(buckets.reduce((sum, count) => sum + (count - n / 10) ** 2 / (n / 10), 0)).toBeLessThan(27.88);
    const normals = rng.normals(n);
    const mean = normals.reduce((sum, x) => sum + x, 0) / n;
    const variance = normals.reduce((sum, x) => sum + x * x, 0) / n;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });
});
