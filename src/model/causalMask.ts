/** The causal mask of training, folded for grouped-query attention. */
import { MASKED } from "./attention.js";

/**
 * [G * T, T]: 0 where the token of a query row may see a key, MASKED elsewhere; the query heads of a group lie one after another.
 * With a sliding window w a token at position p sees those before it in the row at positions q > p - w.
 */
export function causalMask(
  positions: readonly number[],
  group: number,
  slidingWindow = Number.POSITIVE_INFINITY,
): Float32Array {
  const time = positions.length;
  const mask = new Float32Array(group * time * time);
  for (let row = 0; row < group * time; row++) {
    const i = row % time;
    for (let j = 0; j < time; j++) {
      if (j > i || positions[i]! - positions[j]! >= slidingWindow) mask[row * time + j] = MASKED;
    }
  }
  return mask;
}
