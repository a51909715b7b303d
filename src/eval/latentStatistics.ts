/** How the latents of a set of texts lie: posteriors N(mean, s^2), prior N(0, I). Nats throughout. */
import type { Latent, Posterior } from "../latent/index.js";

/** KL(q(z|x) || p(z)) of dimension i of one text: (mean^2 + s^2 - 1 - log s^2) / 2. Nats. */
function klOf({ mean, logVariance }: Posterior, i: number): number {
  const log = logVariance?.[i] ?? 0;
  return (mean[i]! ** 2 + Math.exp(log) - 1 - log) / 2;
}

/** KL(q(z|x) || p(z)) of one text: |mean|^2 / 2 where s is 1. Nats. */
export function klToPrior(posterior: Posterior): number {
  return posterior.mean.reduce((sum, _, i) => sum + klOf(posterior, i), 0);
}

/** The same by dimension, averaged over texts. [Z], nats. */
export function klPerDimension(posteriors: readonly Posterior[]): Float64Array {
  const kl = new Float64Array(posteriors[0]?.mean.length ?? 0);
  for (const posterior of posteriors)
    for (let i = 0; i < kl.length; i++) kl[i]! += klOf(posterior, i) / posteriors.length;
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
 * (Dieng et al. 2019). With e_nm = sum_i ((z_ni - mean_mi)^2 / s_mi^2 + log s_mi^2) / 2:
 * -E sum_i (1 + log s_i^2) / 2 - mean_n [ log sum_m exp(-e_nm) - log N ]. Cannot exceed log N. Nats.
 */
export function mutualInformation(posteriors: readonly Posterior[], zs: readonly Latent[]): number {
  const count = posteriors.length;
  const energies = posteriors.map(energyOf);
  let aggregate = 0;
  const exponents = new Float64Array(count);
  for (const z of zs) {
    for (const [m, energy] of energies.entries()) exponents[m] = -energy(z);
    const max = exponents.reduce((a, b) => Math.max(a, b));
    aggregate += max + Math.log(exponents.reduce((sum, exponent) => sum + Math.exp(exponent - max), 0) / count);
  }
  return -((zs[0]?.length ?? 0) + meanLogVariance(posteriors)) / 2 - aggregate / zs.length;
}

/** z -> sum_i ((z_i - mean_i)^2 / s_i^2 + log s_i^2) / 2: -log q(z|x) up to a constant. */
function energyOf(posterior: Posterior): (z: Latent) => number {
  const { mean, logVariance } = posterior;
  const precision = mean.map((_, i) => Math.exp(-(logVariance?.[i] ?? 0)));
  const logs = meanLogVariance([posterior]);
  return (z) => {
    let sum = logs;
    for (let i = 0; i < z.length; i++) sum += (z[i]! - mean[i]!) ** 2 * precision[i]!;
    return sum / 2;
  };
}

/** E_x sum_i log s_i^2; 0 where s is 1. */
function meanLogVariance(posteriors: readonly Posterior[]): number {
  const sums = posteriors.map(({ logVariance }) => logVariance?.reduce((sum, value) => sum + value, 0) ?? 0);
  return sums.reduce((sum, value) => sum + value, 0) / posteriors.length;
}

/** Bound of I(x; z), that of a Gaussian z with these variances: 1/2 sum_i (log(Var mean_i + E s_i^2) - E log s_i^2). Nats. */
export function mutualInformationBound(posteriors: readonly Posterior[]): number {
  const variance = variances(posteriors.map(({ mean }) => mean));
  const noise = variance.map((_, i) => {
    const squares = posteriors.reduce((sum, { logVariance }) => sum + Math.exp(logVariance?.[i] ?? 0), 0);
    return squares / posteriors.length;
  });
  const logs = variance.reduce((sum, value, i) => sum + Math.log(value + noise[i]!), 0);
  return (logs - meanLogVariance(posteriors)) / 2;
}
