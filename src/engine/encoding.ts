/** Encoding: token rows to posteriors, rows of like length in one batch. */
import type { LatentSpace, Posterior } from "../latent/index.js";
import { MASKED } from "../model/attention.js";
import { float32, int64 } from "../runtime/runtime.js";
import { poolBias } from "../vae/rowLayout.js";
import type { VaeAdapters } from "./adapters.js";
import { type BaseModel, copyEmbedding } from "./baseModel.js";
import type { BoundSession } from "./sessions.js";

export interface TokenRow {
  ids: readonly number[];
  /** 1 for a token, 0 for padding; default: all ones. Positions count padding too. */
  mask?: readonly number[];
}

export interface Encoding extends Posterior {
  /** How much of the latent was taken from each token, the mean over its slots: [T], sums to 1. */
  poolWeights: Float32Array;
  /** How much of each slot was taken from each token: k rows [T], each sums to 1. */
  slotWeights: Float32Array[];
}

/** Tokens of one batch at most. */
const BATCH_TOKENS = 4096;

/** Numbers of the rows, in batches whose longest row is at most a quarter longer than the shortest. */
export function batchesOfLikeLength(rows: readonly TokenRow[]): number[][] {
  const byLength = Array.from(rows.keys()).sort((a, b) => rows[a]!.ids.length - rows[b]!.ids.length);
  const batches: number[][] = [];
  for (let start = 0; start < byLength.length; ) {
    const shortest = rows[byLength[start]!]!.ids.length;
    const fits = (longest: number, count: number) =>
      count * longest <= BATCH_TOKENS && longest <= shortest + Math.max(4, shortest / 4);
    let end = start + 1;
    while (end < byLength.length && fits(rows[byLength[end]!]!.ids.length, end + 1 - start)) end++;
    batches.push(byLength.slice(start, end));
    start = end;
  }
  return batches;
}

/** What encodes. */
export interface Encoder {
  base: BaseModel;
  vae: VaeAdapters;
  space: LatentSpace;
  encoder: BoundSession;
}

/** Posteriors of one batch; shorter rows are padded. */
export async function encodeBatch(
  { base, vae, space, encoder }: Encoder,
  rows: readonly TokenRow[],
  signal?: AbortSignal,
): Promise<Encoding[]> {
  const { hiddenSize } = base.config;
  const { slots, zDim } = vae;
  const [b, t] = [rows.length, Math.max(...rows.map(({ ids }) => ids.length))];
  const masks = rows.map(({ ids, mask }) => mask ?? new Array<number>(ids.length).fill(1));
  const embeddings = new Float32Array(b * t * hiddenSize);
  const mask = new Float32Array(b * t).fill(MASKED);
  const bias = new Float32Array(b * slots * t);
  for (const [row, { ids }] of rows.entries()) {
    for (const [i, id] of ids.entries()) {
      copyEmbedding(base, id, embeddings, (row * t + i) * hiddenSize);
      if (masks[row]![i]) mask[row * t + i] = 0;
    }
    bias.set(poolBias(slots, masks[row]!, t), row * slots * t);
  }
  const positions = Array.from({ length: b * t }, (_, i) => (i % t) * encoder.ropeSteps);
  const feeds = {
    ...encoder.weights,
    embeddings: float32(embeddings, b, t, hiddenSize),
    positions: int64(positions, b, t),
    mask: float32(mask, b, 1, 1, t),
    pool_bias: float32(bias, b, slots, t),
  };
  const outputs = await encoder.session.run(feeds, {}, signal);
  const cut = (name: string, at: number, width: number, length = width) =>
    (outputs[name]!.data as Float32Array).slice(at * width, at * width + length);
  return rows.map(({ ids }, row) => {
    const slotWeights = Array.from({ length: slots }, (_, j) => cut("slot_weights", row * slots + j, t, ids.length));
    const length = masks[row]!.reduce((sum, seen) => sum + seen, 0);
    return {
      mean: space.withLength(cut("mean", row, zDim), length),
      poolWeights: Float32Array.from(ids, (_, i) => slotWeights.reduce((sum, of) => sum + of[i]!, 0) / slots),
      slotWeights,
      ...(outputs.log_variance ? { logVariance: cut("log_variance", row, zDim) } : {}),
    };
  });
}
