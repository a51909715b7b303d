/** How the latents of a set of texts lie: posteriors N(mean, I), prior N(0, I). Nats throughout. */
import type { Latent } from "../latent/index.js";

/** KL(q(z|x) || p(z)) = |mean|^2 / 2 of one text. Nats. */
export function klToPrior(mean: Latent): number {
  let squares = 0;
  for (const value of mean) squares += value * value;
  return squares / 2;
}

/** The same by dimension, averaged over texts: mean_i^2 / 2. [Z], nats. */
export function klPerDimension(means: readonly Latent[]): Float64Array {
  const kl = new Float64Array(means[0]?.length ?? 0);
  for (const mean of means) for (let i = 0; i < kl.length; i++) kl[i]! += mean[i]! ** 2 / (2 * means.length);
  return kl;
}

/** Unbiased variance over texts of each dimension of the means. [Z] */
export function variances(means: readonly Latent[]): Float64Array {
  const width = means[0]?.length ?? 0;
  const average = new Float64Array(width);
  for (const mean of means) for (let i = 0; i < width; i++) average[i]! += mean[i]! / means.length;
  const variance = new Float64Array(width);
  for (const mean of means)
    for (let i = 0; i < width; i++) variance[i]! += (mean[i]! - average[i]!) ** 2 / (means.length - 1);
  return variance;
}

/** Active units: dimensions whose variance is at least delta; 0.01 in Optimus (Li et al. 2020), 0.2 in DELLA (Hu et al. 2022). */
export function activeUnits(variance: Float64Array, delta: number): number {
  return variance.filter((value) => value >= delta).length;
}

/**
 * I_q(x; z) = E_x E_q(z|x) log q(z|x) - E_q(z) log q(z), with one z per text and q(z) the mixture of all N posteriors
 * (Dieng et al. 2019): -Z/2 - mean_n [ log sum_m exp(-|z_n - mean_m|^2 / 2) - log N ]. Cannot exceed log N. Nats.
 */
export function mutualInformation(means: readonly Latent[], zs: readonly Latent[]): number {
  const count = means.length;
  let aggregate = 0;
  const exponents = new Float64Array(count);
  for (const z of zs) {
    for (let m = 0; m < count; m++) {
      const mean = means[m]!;
      let distance = 0;
      for (let i = 0; i < z.length; i++) distance += (z[i]! - mean[i]!) ** 2;
      exponents[m] = -distance / 2;
    }
    const max = exponents.reduce((a, b) => Math.max(a, b));
    aggregate += max + Math.log(exponents.reduce((sum, exponent) => sum + Math.exp(exponent - max), 0) / count);
  }
  return -(zs[0]?.length ?? 0) / 2 - aggregate / zs.length;
}

/** Bound of I(x; z) for a channel of noise variance 1 with means of these variances: 1/2 sum_i log(1 + Var mean_i). Nats. */
export function mutualInformationBound(variance: Float64Array): number {
  return variance.reduce((sum, value) => sum + Math.log1p(value) / 2, 0);
}
