/** The likelihood of a text under the VAE, by importance sampling from its posterior (Burda et al. 2016). All logarithms are natural. */
import type { Latent, Posterior } from "../latent/index.js";

/**
 * log w = log p(x|z) + log p(z) - log q(z|x) for a draw z of q(z|x) = N(mean, s^2), with the prior p(z) = N(0, I):
 * log p(x|z) + 1/2 sum_i ((z_i - mean_i)^2 / s_i^2 + log s_i^2 - z_i^2), as the other normalisers cancel. Nats.
 */
export function logWeight(logLikelihood: number, z: Latent, { mean, logVariance }: Posterior): number {
  let difference = 0;
  for (let i = 0; i < z.length; i++) {
    const log = logVariance?.[i] ?? 0;
    difference += (z[i]! - mean[i]!) ** 2 * Math.exp(-log) + log - z[i]! ** 2;
  }
  return logLikelihood + difference / 2;
}

export interface ImportanceEstimate {
  /** log p^(x) = log (1/K sum_k w_k): in expectation a lower bound of log p(x), -ELBO's opposite at K = 1, rising with K. Nats. */
  logLikelihood: number;
  /** (sum w)^2 / sum w^2: how many of the K draws count; 1 says that a single one carries the estimate. */
  effectiveSamples: number;
}

/** The estimate from the K log-weights of one text. */
export function importanceEstimate(logWeights: readonly number[]): ImportanceEstimate {
  const max = Math.max(...logWeights);
  let sum = 0;
  let squares = 0;
  for (const logW of logWeights) {
    const w = Math.exp(logW - max);
    sum += w;
    squares += w * w;
  }
  return { logLikelihood: max + Math.log(sum / logWeights.length), effectiveSamples: sum ** 2 / squares };
}
