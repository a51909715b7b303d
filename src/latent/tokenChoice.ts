/** From logits to a token. */
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";
import { exponentialSums } from "./exponentials.js";

/** The most likely token; the lowest id where several are. */
export function greedyToken(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Throws "nonFinite" where logits are not finite or all equal, as for a z so large that activations overflow. */
export function checkLogits(logits: Float32Array): void {
  const most = logits[greedyToken(logits)]!;
  if (Number.isFinite(most) && logits.some((logit) => logit < most)) return;
  throw new BigVaeError("nonFinite", {
    subject: "writing",
    expected: "logits that tell tokens apart",
    got: `${most} for all`,
    remedy: "check the length of z, ae_scale is the usual one per dimension",
  });
}

/**
 * A token from softmax(logits / tau), by inverting the cumulative distribution with one uniform number;
 * the same distribution as MiniHF's argmax(logits + tau * gumbel), at a fraction of its cost. tau 0 is greedy.
 */
export function sampleToken(logits: Float32Array, tau: number, rng: Rng): number {
  if (tau === 0) return greedyToken(logits);
  const max = logits[greedyToken(logits)]!;
  const sums = exponentialSums(logits, max, tau);
  const target = rng.uniform() * sums.at(-1)!;
  let [low, high] = [0, logits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** log sum exp(logits), which taken from a logit leaves its log probability. `max`: the largest of them. */
export function logNormalizer(logits: Float32Array, max: number): number {
  return max + Math.log(exponentialSums(logits, max, 1).at(-1)!);
}

/** base + scale * (guided - base), Ho & Salimans 2022, in place of `base`. [V] */
export function classifierFree(base: Float32Array, guided: Float32Array, scale: number): Float32Array {
  for (let id = 0; id < base.length; id++) base[id]! += scale * (guided[id]! - base[id]!);
  return base;
}
