/** Which experts are chosen, and by which weights, where the keys are axes. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { ExpertChoice } from "./expertChoice.js";
import type { StoredExpert } from "./expertFile.js";

const identity = { base: "b", encoder: "e", zDim: 3, slots: 1, span: 8 };
const expert = (name: string, ...keys: number[][]): StoredExpert => ({
  facts: { name, space: identity, role: "router", texts: 1, spans: 1, steps: 1, rowsPerStep: 1, trained: "2026-11-28" },
  folder: `experts/${name}`,
  adapterSha256: `hash of ${name}`,
  keys: keys.map((key) => Float32Array.from(key)),
});
const experts = [expert("x", [1, 0, 0]), expert("y", [0, 2, 0], [0, -3, 0]), expert("z", [0, 0, 1])];
const space = new LatentSpace(identity);
const z = Float32Array.of(0.6, -0.8, 0);

describe("the choice of experts", () => {
  it("takes the one whose nearest key has the largest cosine, whatever the keys' lengths", () => {
    expect(new ExpertChoice(experts, space).choose(z)).toEqual([
      { name: "y", folder: "experts/y", sha256: "hash of y", weight: 1 },
    ]);
    const cosines = new ExpertChoice(experts, space).nearness(z.map((value) => 9 * value));
    for (const [i, expected] of [0.6, 0.8, 0].entries()) expect(cosines[i]).toBeCloseTo(expected, 6);
  });

  it("weighs several by the softmax of cosine over temperature", () => {
    const chosen = new ExpertChoice(experts, space, { k: 2, temperature: 0.1 }).choose(z);
    expect(chosen.map(({ name }) => name)).toEqual(["y", "x"]);
    expect(chosen[0]!.weight).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
    expect(chosen[0]!.weight + chosen[1]!.weight).toBeCloseTo(1, 12);
  });

  it("takes all where fewer are there than asked for, and the first of equal ones", () => {
    expect(new ExpertChoice(experts, space, { k: 9 }).choose(z)).toHaveLength(3);
    expect(new ExpertChoice(experts, space).choose(Float32Array.of(1, 0, 1))[0]!.name).toBe("x");
  });

  it("compares keys, the means of slots, where there are several", () => {
    const slotted = new LatentSpace({ zDim: 6, slots: 2, span: 8 });
    const latent = Float32Array.of(0, 0, 2, 0, 2, 2, 0.5);
    expect(new ExpertChoice(experts, slotted).choose(latent)[0]!.name).toBe("z");
  });

  it.each([
    [[], {}, /^experts: expected at least one, got none; /],
    [experts, { k: 0 }, /^`k`: expected a whole number of at least 1, got 0; /],
    [experts, { temperature: 0 }, /^`temperature`: expected a number above 0, got 0; /],
    [experts, { temperature: Number.NaN }, /got NaN; /],
  ])("refuses %#", (of, options, message) => {
    expect(() => new ExpertChoice(of, space, options)).toThrow(message);
  });
});
