/** Statistics of latents against closed forms. */
import { describe, expect, it } from "vitest";
import { type Latent, rms, sample } from "../latent/index.js";
import { Rng } from "../rng.js";
import {
  activeUnits,
  klPerDimension,
  klToPrior,
  mutualInformation,
  mutualInformationBound,
  variances,
} from "./latentStatistics.js";

const sampled = (means: readonly Latent[]) => means.map((mean, i) => sample(mean, 1, Rng.fromSeed(i)));
/** Means N(0, deviation_i^2) of texts. */
function gaussianMeans(count: number, deviations: readonly number[]): Latent[] {
  const rng = Rng.fromSeed("means");
  return Array.from({ length: count }, () => Float32Array.from(deviations, (deviation) => deviation * rng.normal()));
}

describe("KL to the prior", () => {
  it("is |mean|^2 / 2", () => {
    expect(klToPrior(Float32Array.of(3, 4))).toBe(12.5);
    expect(klToPrior(Float32Array.of(0, 0))).toBe(0);
  });

  it("by dimension sums to the mean over texts", () => {
    expect(Array.from(klPerDimension([Float32Array.of(3, 4), Float32Array.of(1, 0)]))).toEqual([2.5, 4]);
  });
});

describe("active units", () => {
  it("are counted by the unbiased variance", () => {
    const variance = variances([Float32Array.of(1, 5, 0), Float32Array.of(3, 5, 0.2)]);
    expect(Array.from(variance, (v) => Number(v.toFixed(6)))).toEqual([2, 0, 0.02]);
    expect([activeUnits(variance, 0.01), activeUnits(variance, 0.2)]).toEqual([2, 1]);
  });
});

describe("mutual information", () => {
  it("is none where all texts have one posterior", () => {
    const means = Array.from({ length: 2000 }, () => new Float32Array(4));
    expect(mutualInformation(means, sampled(means))).toBeCloseTo(0, 1);
  });

  it("is log N, its cap, where no two posteriors touch", () => {
    const means = Array.from({ length: 100 }, (_, i) =>
      Float32Array.from({ length: 50 }, (_, d) => (d === i % 50 ? 100 * (i + 1) : 0)),
    );
    // -Z/2 is the expectation of -|eps|^2 / 2, which the sample does not meet exactly.
    expect(Math.abs(mutualInformation(means, sampled(means)) - Math.log(100))).toBeLessThan(1.5);
  });

  it("is 1/2 sum log(1 + variance), the bound, for Gaussian means", () => {
    const means = gaussianMeans(4000, [2, 1, 0]);
    const expected = (Math.log(5) + Math.log(2)) / 2;
    expect(mutualInformationBound(variances(means))).toBeCloseTo(expected, 1);
    expect(mutualInformation(means, sampled(means))).toBeCloseTo(expected, 1);
  });
});

describe("ae_scale, the RMS of sampled z", () => {
  it("is sqrt(1 + mean square of the means)", () => {
    const means = gaussianMeans(4000, [2, 1, 0]);
    expect(rms(sampled(means))).toBeCloseTo(Math.sqrt(1 + 5 / 3), 1);
  });
});
