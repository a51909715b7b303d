/** A linear-Gaussian decoder, where everything has a closed form: x | z ~ N(a z, v), z ~ N(0, 1), so x ~ N(0, a^2 + v). */
import { describe, expect, it } from "vitest";
import { sample } from "../latent/index.js";
import { Rng } from "../rng.js";
import { importanceEstimate, logWeight } from "./importanceSampling.js";

const [A, V] = [0.8, 0.5];
const logNormal = (x: number, mean: number, variance: number) =>
  -0.5 * (Math.log(2 * Math.PI * variance) + (x - mean) ** 2 / variance);
/** log p(x) of a text of several dimensions. */
const closedForm = (xs: readonly number[]) => xs.reduce((sum, x) => sum + logNormal(x, 0, A * A + V), 0);

const xs = [1.1, -0.3, 0.7];
/** The encoder's mean: not the true posterior's, and its variance 1 is not either. */
const mean = Float32Array.from(xs, (x) => 0.6 * x);

function draw(rng: Rng): number {
  const z = sample({ mean }, 1, rng);
  const logLikelihood = xs.reduce((sum, x, i) => sum + logNormal(x, A * z[i]!, V), 0);
  return logWeight(logLikelihood, z, { mean });
}

/** Mean and standard error of the estimate with k draws. */
function repeated(k: number, times: number) {
  const rng = Rng.fromSeed(`k ${k}`);
  const values = Array.from(
    { length: times },
    () => importanceEstimate(Array.from({ length: k }, () => draw(rng))).logLikelihood,
  );
  const average = values.reduce((sum, x) => sum + x, 0) / times;
  const variance = values.reduce((sum, x) => sum + (x - average) ** 2, 0) / (times - 1);
  return { average, error: Math.sqrt(variance / times) };
}

describe("importance sampling", () => {
  it("reaches the closed-form likelihood with many draws", () => {
    const rng = Rng.fromSeed("many");
    const { logLikelihood } = importanceEstimate(Array.from({ length: 100_000 }, () => draw(rng)));
    expect(logLikelihood).toBeCloseTo(closedForm(xs), 1.5);
  });

  it("is in expectation the ELBO with one draw: E log p(x|z) - |mean|^2 / 2", () => {
    // E (x - a z)^2 = (x - a mean)^2 + a^2 under z ~ N(mean, 1).
    const elbo = xs.reduce(
      (sum, x, i) => sum + logNormal(x, A * mean[i]!, V) - A ** 2 / (2 * V) - mean[i]! ** 2 / 2,
      0,
    );
    const { average, error } = repeated(1, 20_000);
    expect(Math.abs(average - elbo)).toBeLessThan(4 * error);
  });

  it("does not fall with the number of draws, and stays below the likelihood", () => {
    const averages = [1, 3, 10, 50].map((k) => repeated(k, 2000).average);
    expect(averages).toEqual(averages.toSorted((a, b) => a - b));
    expect(averages.at(-1)!).toBeLessThan(closedForm(xs) + 0.01);
  });

  it("has no variance where the posterior is the true one: with a = 0 every weight is p(x)", () => {
    const rng = Rng.fromSeed("exact");
    const zero = { mean: new Float32Array(3) };
    const weights = Array.from({ length: 5 }, () => logWeight(-7, sample(zero, 1, rng), zero));
    const { logLikelihood, effectiveSamples } = importanceEstimate(weights);
    expect(logLikelihood).toBeCloseTo(-7, 6);
    expect(effectiveSamples).toBeCloseTo(5, 6);
  });

  it("has no variance where a learned posterior is the true one: N(a x / (a^2 + v), v / (a^2 + v))", () => {
    const rng = Rng.fromSeed("true posterior");
    const posterior = {
      mean: Float32Array.from(xs, (x) => (A * x) / (A * A + V)),
      logVariance: new Float32Array(3).fill(Math.log(V / (A * A + V))),
    };
    for (let k = 0; k < 5; k++) {
      const z = sample(posterior, 1, rng);
      const logLikelihood = xs.reduce((sum, x, i) => sum + logNormal(x, A * z[i]!, V), 0);
      expect(logWeight(logLikelihood, z, posterior)).toBeCloseTo(closedForm(xs), 4);
    }
  });

  it("counts the draws that matter", () => {
    expect(importanceEstimate([0, 0, -1000, -1000])).toEqual({ logLikelihood: Math.log(0.5), effectiveSamples: 2 });
    expect(importanceEstimate([-5000])).toEqual({ logLikelihood: -5000, effectiveSamples: 1 });
  });
});
