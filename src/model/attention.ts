/** Grouped-query attention. A group of G query heads shares a key head; it is folded into the query's rows, so keys are never repeated. */
import {
  add,
  concat,
  type Dim,
  input,
  matmul,
  reshape,
  rope,
  type Shape,
  slice,
  softmax,
  split,
  transpose,
  type Value,
} from "../graph/index.js";
import { timesDim } from "../graph/ops/layout.js";
import type { ModelConfig } from "./config.js";

/** Added to the score of a token that must not be seen; finite, so that a row that sees nothing stays a number. */
export const MASKED = -1e30;

/** From q [.., H*Dh], k and v [.., KV*Dh] of one layer to [.., H*Dh]. */
export type Attend = (layer: number, q: Value, k: Value, v: Value) => Value;

/** Rows that attend among themselves: `batch` sequences of `time` tokens, in the rows start.. of the flat activations. */
export interface AttentionGroup {
  batch: number;
  time: number;
  /** [batch, time], int64 */
  positions: Value;
  /** Added to the scores; broadcasts to [batch, KV, G * time, time]. */
  mask?: Value;
}

interface RopeInputs {
  cos: Value;
  sin: Value;
}

/** Inputs `rope_cos` and `rope_sin` [P, Dh/2]. */
export function ropeInputs(config: ModelConfig, length: Dim = "P"): RopeInputs {
  const shape = [length, config.headDim / 2];
  return { cos: input("rope_cos", shape), sin: input("rope_sin", shape) };
}

/** [.., heads * Dh] -> [B, heads, T, Dh] */
function splitHeads(x: Value, batch: Dim, time: Dim, heads: number, headDim: number): Value {
  return transpose(reshape(x, [batch, time, heads, headDim]), [0, 2, 1, 3]);
}

/** softmax(q k^T / sqrt(Dh) + mask) v. q [B, H, T, Dh], keys and values in parts [B or 1, KV, S, Dh] -> [B, H, T, Dh]. */
function scaledDotProduct(q: Value, parts: readonly KeyValue[], mask?: Value, sizes?: Value): Value {
  const [b, h, t, headDim] = q.shape as [Dim, number, Dim, number];
  const kv = parts[0]!.key.shape[1] as number;
  const folded = reshape(q, [b, kv, timesDim(h / kv, t), headDim]);
  const alpha = 1 / Math.sqrt(headDim);
  const scores = concat(
    parts.map(({ key }) => matmul(folded, key, { transB: true, alpha })),
    -1,
  );
  const weights = softmax(mask ? add(scores, mask) : scores);
  const lengths = parts.map(({ key }) => key.shape[2]!);
  const cut = parts.length === 1 ? [weights] : split(weights, lengths, sizes!);
  const sums = parts.map(({ value }, i) => matmul(cut[i]!, value));
  return reshape(sums.reduce(add), q.shape);
}

interface KeyValue {
  key: Value;
  value: Value;
}

/** Attention within groups of rows of flat activations [M, ..]: training and encoding with fixed shapes. */
export function groupedAttention(
  config: ModelConfig,
  groups: readonly AttentionGroup[],
  { cos, sin }: RopeInputs,
): Attend {
  const { numAttentionHeads: h, numKeyValueHeads: kv, headDim } = config;
  return (_layer, q, k, v) => {
    let start = 0;
    const outputs = groups.map(({ batch, time, positions, mask }) => {
      const rows = (x: Value) => slice(x, 0, start, start + batch * time);
      const query = rope(splitHeads(rows(q), batch, time, h, headDim), positions, cos, sin);
      const key = rope(splitHeads(rows(k), batch, time, kv, headDim), positions, cos, sin);
      const value = splitHeads(rows(v), batch, time, kv, headDim);
      const attended = scaledDotProduct(query, [{ key, value }], mask);
      start += batch * time;
      return reshape(transpose(attended, [0, 2, 1, 3]), [batch * time, h * headDim]);
    });
    return concat(outputs, 0);
  };
}

/** Bidirectional attention over activations [B, T, ..] with sizes known at run time: encoding. `mask` [B, 1, 1, T]. */
export function bidirectionalAttention(
  config: ModelConfig,
  positions: Value,
  mask: Value,
  { cos, sin }: RopeInputs,
): Attend {
  const { numAttentionHeads: h, numKeyValueHeads: kv, headDim } = config;
  const [b, t] = positions.shape as [Dim, Dim];
  return (_layer, q, k, v) => {
    const query = rope(splitHeads(q, b, t, h, headDim), positions, cos, sin);
    const key = rope(splitHeads(k, b, t, kv, headDim), positions, cos, sin);
    const attended = scaledDotProduct(query, [{ key, value: splitHeads(v, b, t, kv, headDim) }], mask);
    return reshape(transpose(attended, [0, 2, 1, 3]), [b, t, h * headDim]);
  };
}

/** What a cached step reads and writes: per layer `shared_key.N` [1, KV, C, Dh], `past_key.N` [B, KV, S, Dh], `new_key.N` [B, KV, T, Dh]. */
export interface CachedAttention {
  attend: Attend;
  /** Keys and values of the tokens of this step, by output name. */
  outputs: Record<string, Value>;
}

/**
 * Attention over a context that all rows share, the row's own past, and the new tokens: the step of decoding.
 * Inputs: positions [B, T], mask [B, 1, G*T, C+S+T] (or what broadcasts to it when it is fed), sizes [3] = (C, S, T), caches, rotary tables.
 */
export function cachedAttention(config: ModelConfig): CachedAttention {
  const { numAttentionHeads: h, numKeyValueHeads: kv, headDim } = config;
  const [b, t] = ["B", "T"];
  const positions = input("positions", [b, t], "int64");
  const mask = input("mask", [b, 1, timesDim(h / kv, t), "C+S+T"]);
  const sizes = input("sizes", [3], "int64");
  const { cos, sin } = ropeInputs(config);
  const outputs: Record<string, Value> = {};
  const cached = (name: string, layer: number, shape: Shape): KeyValue => ({
    key: input(`${name}_key.${layer}`, shape),
    value: input(`${name}_value.${layer}`, shape),
  });
  const attend: Attend = (layer, q, k, v) => {
    const query = rope(splitHeads(q, b, t, h, headDim), positions, cos, sin);
    const key = rope(splitHeads(k, b, t, kv, headDim), positions, cos, sin);
    const value = splitHeads(v, b, t, kv, headDim);
    outputs[`new_key.${layer}`] = key;
    outputs[`new_value.${layer}`] = value;
    const shared = cached("shared", layer, [1, kv, "C", headDim]);
    const past = cached("past", layer, [b, kv, "S", headDim]);
    const attended = scaledDotProduct(query, [shared, past, { key, value }], mask, sizes);
    return reshape(transpose(attended, [0, 2, 1, 3]), [b, t, h * headDim]);
  };
  return { attend, outputs };
}

export type { RopeInputs };
