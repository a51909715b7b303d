/** From logits to a token. */
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";

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
 * the same distribution as MiniHF's argmax(logits + tau * gumbel), at a third of its cost. tau 0 is greedy.
 */
export function sampleToken(logits: Float32Array, tau: number, rng: Rng): number {
  if (tau === 0) return greedyToken(logits);
  const max = logits[greedyToken(logits)]!;
  if (cumulative.length < logits.length) cumulative = new Float64Array(logits.length);
  let sum = 0;
  for (let id = 0; id < logits.length; id++) cumulative[id] = sum += Math.exp((logits[id]! - max) / tau);
  const target = rng.uniform() * sum;
  let [low, high] = [0, logits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > target) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Kept from token to token: thousands a second would have to be collected. */
let cumulative = new Float64Array();

/** log sum exp(logits), which taken from a logit leaves its log probability. `max`: the largest of them. */
export function logNormalizer(logits: Float32Array, max: number): number {
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - max);
  return max + Math.log(sum);
}

/** base + scale * (guided - base), Ho & Salimans 2022, in place of `base`. [V] */
export function classifierFree(base: Float32Array, guided: Float32Array, scale: number): Float32Array {
  for (let id = 0; id < base.length; id++) base[id]! += scale * (guided[id]! - base[id]!);
  return base;
}
