import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { LatentSpace } from "./latentSpace.js";
import { centredKeys, LatentSearch, nearest } from "./search.js";

/** Two slots of two values. */
const space = new LatentSpace({ zDim: 4, slots: 2, span: 8 });
const latent = (...content: number[]) => space.withLength(Float32Array.from(content), 8);
const query = latent(1, 0, 0, 1);

describe("the nearest latents", () => {
  // Both slots in another order, one of them, a slot between, none.
  const latents = [latent(-1, 0, 0, -1), latent(1, 0, 1, 0), latent(0, 2, 3, 0), latent(1, 1, 1, 1)];

  it("are those whose slots match best", () => {
    const found = nearest(space, query, latents, 3);
    expect(found.map(({ index }) => index)).toEqual([2, 1, 3]);
    expect(found[0]!.similarity).toBeCloseTo(1, 6);
    // The slots of the query find 1 and 0, those of the other 1 and 1.
    expect(found[1]!.similarity).toBeCloseTo(3 / 4, 6);
    expect(found[2]!.similarity).toBeCloseTo(Math.SQRT1_2, 6);
  });

  it("by key are those whose mean slots have the same direction", () => {
    const found = nearest(space, query, latents, 4, "key");
    expect(found.map(({ index }) => index)).toEqual([3, 2, 1, 0]);
    expect(found[0]!.similarity).toBeCloseTo(1, 6);
    // (3, 2) and (1, 1)
    expect(found[1]!.similarity).toBeCloseTo(5 / Math.sqrt(26), 6);
    expect(found[2]!.similarity).toBeCloseTo(Math.SQRT1_2, 6);
    expect(found[3]!.similarity).toBeCloseTo(-1, 6);
  });

  it("of equal ones are the first, and all where there are no more", () => {
    const same = [latents[1]!, query, query, query];
    expect(nearest(space, query, same, 2).map(({ index }) => index)).toEqual([1, 2]);
    expect(nearest(space, query, same, 9)).toHaveLength(4);
    expect(nearest(space, query, [], 3)).toEqual([]);
  });

  it("with one slot are those of the largest cosine, by whichever", () => {
    const single = new LatentSpace({ zDim: 2, slots: 1, span: 8 });
    const zs = [Float32Array.of(1, 1), Float32Array.of(3, 0), Float32Array.of(0, 1)];
    for (const by of ["match", "key"] as const)
      expect(nearest(single, Float32Array.of(1, 0), zs, 3, by).map(({ index }) => index)).toEqual([1, 0, 2]);
  });
});

it("centred keys have the mean 0", () => {
  // The keys are (1, 1) and (3, -1).
  const keys = centredKeys(space, [latent(1, 1, 1, 1), latent(6, 0, 0, -2)]);
  expect(keys.map((key) => Array.from(key))).toEqual([
    [-1, 1],
    [1, -1],
  ]);
});

describe("among many latents", () => {
  const rng = Rng.fromSeed("search");
  // All keys lie around (10, 10): by their plain cosines they are alike.
  const around = (i: number) => latent(...Array.from(rng.fork(i).normals(4), (value) => 10 + value));
  const many = Array.from({ length: 9000 }, (_, i) => around(i));
  const asked = latent(14, 10, 10, 6);
  const twins = [10, 4321, 8999];
  for (const i of twins) many[i] = latent(10, 6, 14, 10);

  it("those that match stand out of the first choice, wherever they are", () => {
    const found = nearest(space, asked, many, 3);
    expect(found.map(({ index }) => index)).toEqual(twins);
    for (const { similarity } of found) expect(similarity).toBeCloseTo(1, 6);
  });

  it("as many are found as are asked for, in their order, however many were dropped", () => {
    const search = new LatentSearch<number>(space, asked, 2500);
    for (const [i, z] of many.entries()) search.add(i, z);
    const found = search.found();
    expect(found).toHaveLength(2500);
    expect(found.slice(0, 3).map(({ item }) => item)).toEqual(twins);
    for (const [i, { similarity }] of found.entries())
      if (i > 0) expect(similarity).toBeLessThanOrEqual(found[i - 1]!.similarity);
  });

  it("by key nothing is lost on the way", () => {
    const exact = many
      .map((z, index) => ({ index, z }))
      .map(({ index, z }) => ({ index, similarity: nearest(space, asked, [z], 1, "key")[0]!.similarity }))
      .sort((a, b) => b.similarity - a.similarity || a.index - b.index);
    expect(nearest(space, asked, many, 20, "key")).toEqual(exact.slice(0, 20));
  });
});
