/** Token rows to vectors of the base alone: means of its last hidden states, rows of like length in one batch. */
import { causalMasks } from "../model/causalMask.js";
import { float32 } from "../runtime/runtime.js";
import type { BaseModel } from "./baseModel.js";
import { type TokenRow, wholeRows } from "./encoding.js";
import type { BoundSession } from "./sessions.js";

/** A row whose hidden states are averaged. */
export interface PooledRow extends TokenRow {
  /** Tokens at its beginning that are read and do not count in the mean; default: 0. */
  skip?: number;
}

/** What the base is asked to pool. */
export interface Pooling {
  base: BaseModel;
  pooled: BoundSession;
  /** Whether a token sees those before it alone, as when the base writes; otherwise it sees all. */
  causal: boolean;
}

/** The mean of each row, [D]; shorter rows are padded at their end. */
export async function poolBatch(
  { base, pooled, causal }: Pooling,
  rows: readonly PooledRow[],
  signal?: AbortSignal,
): Promise<Float32Array[]> {
  const { config } = base;
  const { rows: b, time: t, seen, feeds } = wholeRows(base, pooled, rows);
  const weights = new Float32Array(b * t);
  for (const [row, { skip = 0 }] of rows.entries()) {
    const counted = seen[row]!.map((shown, i) => (i >= skip ? shown : 0));
    const count = counted.reduce((sum, counts) => sum + counts, 0);
    weights.set(
      counted.map((counts) => counts / count),
      row * t,
    );
  }
  const positions = Array.from({ length: t }, (_, i) => i);
  const causalMask = () => {
    const group = config.numAttentionHeads / config.numKeyValueHeads;
    const masks = causalMasks(
      config,
      seen.map((shown) => ({ seen: shown, positions })),
    );
    return { mask: float32(masks, b, 1, group * t, t) };
  };
  const all = { ...feeds, ...(causal ? causalMask() : {}), pool: float32(weights, b, 1, t) };
  const { mean } = await pooled.session.run(all, {}, signal);
  const width = config.hiddenSize;
  return rows.map((_, row) => (mean!.data as Float32Array).slice(row * width, (row + 1) * width));
}
