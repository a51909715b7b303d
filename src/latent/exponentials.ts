/**
 * Running sums of exponentials, for softmax over a vocabulary: faster than Math.exp, and the same on every machine.
 *
 *     e^x = 2^k * 2^(j / 64) * e^r,  x = (64 k + j) * ln 2 / 64 + r,  0 <= r < ln 2 / 64
 *
 * The first two factors come from tables, the third from five terms of its series: relative error below 2e-12.
 */

/** Parts of a power of two. */
const PARTS = 64;
const PER_UNIT = PARTS / Math.LN2;
const FRACTIONS = Float64Array.from({ length: PARTS }, (_, j) => 2 ** (j / PARTS));

/** Below 2^-LOWEST a term is 0. */
const LOWEST = 1000;
const POWERS = Float64Array.from({ length: LOWEST + 1 }, (_, i) => (i === 0 ? 0 : 2 ** (i - LOWEST)));

/** Kept from call to call: thousands a second would have to be collected. */
let sums = new Float64Array();

/**
 * Sums of e^((logits[0..i] - max) / tau) for each i, [V]; they hold until the next call. `max` is the largest logit; NaN where a logit is.
 */
export function exponentialSums(logits: Float32Array, max: number, tau: number): Float64Array {
  if (sums.length < logits.length) sums = new Float64Array(logits.length);
  const scale = Math.min(PER_UNIT / tau, Number.MAX_VALUE);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) {
    const y = Math.max((logits[i]! - max) * scale, -PARTS * LOWEST);
    const n = Math.floor(y);
    const r = (y - n) / PER_UNIT;
    const series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r / 24)));
    sums[i] = sum += POWERS[LOWEST + (n >> 6)]! * FRACTIONS[n & 63]! * series;
  }
  return sums.subarray(0, logits.length);
}
