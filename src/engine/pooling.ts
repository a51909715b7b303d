/** Token rows to vectors of the base alone: means of its last hidden states, rows of like length in one batch. */
import { MASKED } from "../model/attention.js";
import { float32, int64 } from "../runtime/runtime.js";
import { type BaseModel, copyEmbedding } from "./baseModel.js";
import type { TokenRow } from "./encoding.js";
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
  const { hiddenSize } = base.config;
  const [b, t] = [rows.length, Math.max(...rows.map(({ ids }) => ids.length))];
  const embeddings = new Float32Array(b * t * hiddenSize);
  const seen = new Uint8Array(b * t);
  const weights = new Float32Array(b * t);
  for (const [row, { ids, mask, skip = 0 }] of rows.entries()) {
    const counted = ids.map((_, i) => i >= skip && (mask?.[i] ?? 1) === 1);
    const count = counted.filter(Boolean).length;
    for (const [i, id] of ids.entries()) {
      copyEmbedding(base, id, embeddings, (row * t + i) * hiddenSize);
      seen[row * t + i] = mask?.[i] ?? 1;
      if (counted[i]) weights[row * t + i] = 1 / count;
    }
  }
  const positions = Array.from({ length: b * t }, (_, i) => (i % t) * pooled.ropeSteps);
  const feeds = {
    ...pooled.weights,
    embeddings: float32(embeddings, b, t, hiddenSize),
    positions: int64(positions, b, t),
    mask: causal ? causalMasks(base, seen, b, t) : plainMasks(seen, b, t),
    pool: float32(weights, b, 1, t),
  };
  const { mean } = await pooled.session.run(feeds, {}, signal);
  return rows.map((_, row) => (mean!.data as Float32Array).slice(row * hiddenSize, (row + 1) * hiddenSize));
}

/** [B, 1, 1, T]: every token sees all that are no padding. */
function plainMasks(seen: Uint8Array, rows: number, time: number) {
  return float32(
    Float32Array.from(seen, (shown) => (shown ? 0 : MASKED)),
    rows,
    1,
    1,
    time,
  );
}

/** [B, 1, G*T, T]: a token sees those up to itself that are no padding, within the sliding window. Heads of a group lie one after another. */
function causalMasks({ config }: BaseModel, seen: Uint8Array, rows: number, time: number) {
  const { numAttentionHeads, numKeyValueHeads, slidingWindow = Number.POSITIVE_INFINITY } = config;
  const group = numAttentionHeads / numKeyValueHeads;
  const block = time * time;
  const mask = new Float32Array(rows * group * block).fill(MASKED);
  for (let row = 0; row < rows; row++) {
    const start = row * group * block;
    for (let t = 0; t < time; t++)
      for (let j = Math.max(0, t + 1 - slidingWindow); j <= t; j++)
        if (seen[row * time + j]) mask[start + t * time + j] = 0;
    for (let g = 1; g < group; g++) mask.copyWithin(start + g * block, start, start + block);
  }
  return float32(mask, rows, 1, group * time, time);
}
