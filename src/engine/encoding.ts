/** Encoding: token rows to posteriors, rows of like length in one batch. */
import type { LatentSpace, Posterior } from "../latent/index.js";
import { MASKED } from "../model/attention.js";
import { float32, type HostTensors, int64 } from "../runtime/runtime.js";
import { poolBias } from "../vae/rowLayout.js";
import type { VaeAdapters } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
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

/** Numbers of the rows of those lengths, in batches whose longest row is at most a quarter longer than the shortest. */
export function batchesOfLikeLength(lengths: readonly number[]): number[][] {
  const byLength = Array.from(lengths.keys()).sort((a, b) => lengths[a]! - lengths[b]!);
  const batches: number[][] = [];
  for (let start = 0; start < byLength.length; ) {
    const shortest = lengths[byLength[start]!]!;
    const fits = (longest: number, count: number) =>
      count * longest <= BATCH_TOKENS && longest <= shortest + Math.max(4, shortest / 4);
    let end = start + 1;
    while (end < byLength.length && fits(lengths[byLength[end]!]!, end + 1 - start)) end++;
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

/** Rows that are read whole, padded at their end to the longest: [B, T, ..]. */
export interface WholeRows {
  rows: number;
  time: number;
  /** 1 for a token, 0 for padding, row by row: [T]. */
  seen: readonly (readonly number[])[];
  /** What encoder and base are fed: rotary tables, embeddings, positions, and a mask [B, 1, 1, T] that hides padding. */
  feeds: HostTensors;
}

export function wholeRows(
  base: BaseModel,
  { weights, ropeSteps }: BoundSession,
  tokens: readonly TokenRow[],
): WholeRows {
  const { hiddenSize } = base.config;
  const [rows, time] = [tokens.length, Math.max(...tokens.map(({ ids }) => ids.length))];
  const embeddings = new Float32Array(rows * time * hiddenSize);
  for (const [row, { ids }] of tokens.entries())
    for (const [t, id] of ids.entries()) base.weights.embed(id, embeddings, (row * time + t) * hiddenSize);
  const seen = tokens.map(({ ids, mask }) =>
    Array.from({ length: time }, (_, t) => (t < ids.length ? (mask?.[t] ?? 1) : 0)),
  );
  const positions = Array.from({ length: rows * time }, (_, i) => (i % time) * ropeSteps);
  const mask = Float32Array.from(seen.flat(), (shown) => (shown ? 0 : MASKED));
  const feeds = {
    ...weights,
    embeddings: float32(embeddings, rows, time, hiddenSize),
    positions: int64(positions, rows, time),
    mask: float32(mask, rows, 1, 1, time),
  };
  return { rows, time, seen, feeds };
}

/** Posteriors of one batch; shorter rows are padded. */
export async function encodeBatch(
  { base, vae, space, encoder }: Encoder,
  rows: readonly TokenRow[],
  signal?: AbortSignal,
): Promise<Encoding[]> {
  const { slots, zDim } = vae;
  const { rows: b, time: t, seen, feeds } = wholeRows(base, encoder, rows);
  const bias = new Float32Array(b * slots * t);
  for (const [row, shown] of seen.entries()) bias.set(poolBias(slots, shown, t), row * slots * t);
  const outputs = await encoder.session.run({ ...feeds, pool_bias: float32(bias, b, slots, t) }, {}, signal);
  const cut = (name: string, at: number, width: number, length = width) =>
    (outputs[name]!.data as Float32Array).slice(at * width, at * width + length);
  return rows.map(({ ids }, row) => {
    const slotWeights = Array.from({ length: slots }, (_, j) => cut("slot_weights", row * slots + j, t, ids.length));
    const length = seen[row]!.reduce((sum, shown) => sum + shown, 0);
    return {
      mean: space.withLength(cut("mean", row, zDim), length),
      poolWeights: Float32Array.from(ids, (_, i) => slotWeights.reduce((sum, of) => sum + of[i]!, 0) / slots),
      slotWeights,
      ...(outputs.log_variance ? { logVariance: cut("log_variance", row, zDim) } : {}),
    };
  });
}
