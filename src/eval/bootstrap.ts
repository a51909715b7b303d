/** Confidence intervals by resampling texts (Efron 1979): spans of one text are not independent, texts are. */
import type { Rng } from "../rng.js";

/** A measure with its 95 % bootstrap interval. */
export interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** Resamples of an interval. */
const RESAMPLES = 1000;
const TAIL = 0.025;

/**
 * A measure that is a function of sums over texts, with its 95 % percentile interval over texts drawn with replacement.
 * `perText` holds what each text adds to each sum. NaN where there is no text.
 */
export function bootstrap(
  perText: readonly (readonly number[])[],
  measure: (sums: readonly number[]) => number,
  rng: Rng,
  resamples = RESAMPLES,
): Estimate {
  const value = measure(sumOf(perText, (i) => i));
  const drawn = Array.from({ length: resamples }, () => measure(sumOf(perText, () => rng.integer(perText.length))));
  drawn.sort((a, b) => a - b);
  return { value, low: quantile(drawn, TAIL), high: quantile(drawn, 1 - TAIL) };
}

/** Ratio of one sample minus ratio of the other, each resampled independently. */
export function bootstrapDifference(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
  rng: Rng,
  resamples = RESAMPLES,
): Estimate {
  const resampled = (sample: readonly (readonly number[])[]) => ratio(sumOf(sample, () => rng.integer(sample.length)));
  const value = ratio(sumOf(a, (i) => i)) - ratio(sumOf(b, (i) => i));
  const drawn = Array.from({ length: resamples }, () => resampled(a) - resampled(b)).sort((x, y) => x - y);
  return { value, low: quantile(drawn, TAIL), high: quantile(drawn, 1 - TAIL) };
}

/** First sum divided by the second: a mean, where each text adds [sum of its values, number of its values]. */
export function ratio([numerator, denominator]: readonly number[]): number {
  return numerator! / denominator!;
}

/** The sums over a resample of the texts, whose i-th text is number `pick(i)`. */
function sumOf(perText: readonly (readonly number[])[], pick: (i: number) => number): number[] {
  const sums = new Array<number>(perText[0]?.length ?? 2).fill(0);
  for (let i = 0; i < perText.length; i++) {
    const text = perText[pick(i)]!;
    for (let k = 0; k < sums.length; k++) sums[k]! += text[k]!;
  }
  return sums;
}

/** The quantile by linear interpolation between order statistics. */
function quantile(sorted: readonly number[], q: number): number {
  const at = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (high - low) * (at - Math.floor(at));
}
