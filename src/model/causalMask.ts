/** Causal masks of whole rows, folded for grouped-query attention. */
import { MASKED } from "./attention.js";
import type { ModelConfig } from "./config.js";

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

/** A row of tokens: whether each is shown, and its position. */
export interface MaskedRow {
  seen: ArrayLike<number>;
  positions: readonly number[];
}

/** [B, 1, G * T, T] of rows of equal length: causal, and hiding tokens that are not shown. */
export function causalMasks(config: ModelConfig, rows: readonly MaskedRow[]): Float32Array {
  const time = rows[0]!.positions.length;
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  // Positions matter to a sliding window alone.
  const shared = config.slidingWindow === undefined ? causalMask(rows[0]!.positions, group) : undefined;
  const size = group * time * time;
  const mask = new Float32Array(rows.length * size);
  for (const [row, { seen, positions }] of rows.entries()) {
    mask.set(shared ?? causalMask(positions, group, config.slidingWindow), row * size);
    for (let j = 0; j < time; j++) {
      if (seen[j]) continue;
      for (let i = 0; i < group * time; i++) mask[row * size + i * time + j] = MASKED;
    }
  }
  return mask;
}
