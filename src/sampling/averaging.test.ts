import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import { averagedBy, checkAveraging } from "./averaging.js";
import type { TracedLatent } from "./model.js";

/** Two slots of one value, and the length. */
const space = new LatentSpace({ zDim: 2, slots: 2, span: 4 });
const draft = (...content: number[]): TracedLatent => ({
  z: space.withLength(Float32Array.from(content), 4 * content.length),
  role: "draft",
  parents: [],
});
const drafts = [draft(3, 4), draft(-3, 4), draft(0, 5)];

describe("drafts become one latent", () => {
  it("by their mean", () => {
    const { z, parents } = averagedBy("mean", drafts, space);
    expect(z[0]).toBeCloseTo(0, 6);
    expect(z[1]).toBeCloseTo(13 / 3, 6);
    expect(parents.map(({ latent, weight }) => [latent, weight])).toEqual(drafts.map((each) => [each, 1 / 3]));
  });

  it("by their mean at the mean of their norms, the length as it is", () => {
    const { z, norm } = averagedBy("normKept", drafts, space);
    expect(norm).toBeCloseTo(5, 6);
    expect(z[1]).toBeCloseTo(5, 6);
    expect(space.lengthOf(z)).toBeCloseTo(8, 5);
  });

  it("by the one nearest to all, which stays what it was", () => {
    expect(averagedBy("medoid", drafts, space)).toBe(drafts[2]);
  });

  it("by the first alone", () => {
    expect(averagedBy("one", drafts, space)).toBe(drafts[0]);
  });

  it("by no other rule", () => {
    expect(() => checkAveraging("median" as never)).toThrow(
      'avg: expected averaging by mean, normKept, medoid, one, got "median"; leave it out for the card\'s',
    );
  });
});
