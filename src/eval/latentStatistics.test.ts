/** Statistics of latents against closed forms. */
import { describe, expect, it } from "vitest";
import { type Posterior, rms, sample } from "../latent/index.js";
import { Rng } from "../rng.js";
import {
  activeUnits,
  klPerDimension,
  klToPrior,
  mutualInformation,
  mutualInformationBound,
  variances,
} from "./latentStatistics.js";

const sampled = (posteriors: readonly Posterior[]) =>
  posteriors.map((posterior, i) => sample(posterior, 1, Rng.fromSeed(i)));
/** Means N(0, deviation_i^2) of texts. */
function gaussianMeans(count: number, deviations: readonly number[]): Posterior[] {
  const rng = Rng.fromSeed("means");
  return Array.from({ length: count }, () => ({
    mean: Float32Array.from(deviations, (deviation) => deviation * rng.normal()),
  }));
}

describe("KL to the prior", () => {
  it("is |mean|^2 / 2", () => {
    expect(klToPrior({ mean: Float32Array.of(3, 4) })).toBe(12.5);
    expect(klToPrior({ mean: Float32Array.of(0, 0) })).toBe(0);
  });

  it("by dimension sums to the mean over texts", () => {
    expect(Array.from(klPerDimension([{ mean: Float32Array.of(3, 4) }, { mean: Float32Array.of(1, 0) }]))).toEqual([
      2.5, 4,
    ]);
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
    const means = Array.from({ length: 2000 }, () => ({ mean: new Float32Array(4) }));
    expect(mutualInformation(means, sampled(means))).toBeCloseTo(0, 1);
  });

  it("is log N, its cap, where no two posteriors touch", () => {
    const means = Array.from({ length: 100 }, (_, i) => ({
      mean: Float32Array.from({ length: 50 }, (_, d) => (d === i % 50 ? 100 * (i + 1) : 0)),
    }));
    // -Z/2 is the expectation of -|eps|^2 / 2, which the sample does not meet exactly.
    expect(Math.abs(mutualInformation(means, sampled(means)) - Math.log(100))).toBeLessThan(1.5);
  });

  it("is 1/2 sum log(1 + variance), the bound, for Gaussian means", () => {
    const means = gaussianMeans(4000, [2, 1, 0]);
    const expected = (Math.log(5) + Math.log(2)) / 2;
    expect(mutualInformationBound(means)).toBeCloseTo(expected, 1);
    expect(mutualInformation(means, sampled(means))).toBeCloseTo(expected, 1);
  });
});

describe("a learned variance", () => {
  /** All texts with the same s, means N(0, deviation^2): everything as for s = 1 in units of s. */
  const scaled = (s: number) =>
    gaussianMeans(1000, [2, 1, 0]).map(({ mean }) => ({
      mean: mean.map((value) => s * value),
      logVariance: new Float32Array(3).fill(2 * Math.log(s)),
    }));

  it("has the KL of two normals, by quadrature", () => {
    const [mean, s] = [0.7, 0.3];
    let integral = 0;
    for (let z = -8; z < 8; z += 1e-3) {
      const q = Math.exp(-((z - mean) ** 2) / (2 * s * s)) / (s * Math.sqrt(2 * Math.PI));
      const p = Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
      if (q > 0) integral += q * Math.log(q / p) * 1e-3;
    }
    const posterior = { mean: Float32Array.of(mean), logVariance: Float32Array.of(2 * Math.log(s)) };
    expect(klToPrior(posterior)).toBeCloseTo(integral, 4);
    expect(klPerDimension([posterior])[0]).toBeCloseTo(integral, 4);
  });

  it("leaves mutual information and its bound as they are when all is scaled", () => {
    for (const s of [0.1, 3]) {
      const [unit, other] = [scaled(1), scaled(s)];
      expect(mutualInformationBound(other)).toBeCloseTo(mutualInformationBound(unit), 4);
      expect(mutualInformation(other, sampled(other))).toBeCloseTo(mutualInformation(unit, sampled(unit)), 3);
    }
  });
});

describe("ae_scale, the RMS of sampled z", () => {
  it("is sqrt(1 + mean square of the means)", () => {
    const means = gaussianMeans(4000, [2, 1, 0]);
    expect(rms(sampled(means))).toBeCloseTo(Math.sqrt(1 + 5 / 3), 1);
  });
});
