/** Feeds of the VAE objectives: from rows of tokens to the groups, masks and positions that the graphs of vae/loss take. */
import { MASKED } from "../model/attention.js";
import { causalMask } from "../model/causalMask.js";
import type { ModelConfig } from "../model/config.js";
import type { Rng } from "../rng.js";
import { float32, type HostTensor, type HostTensors, int64 } from "../runtime/runtime.js";
import type { BatchShape } from "../vae/loss.js";
import type { Row } from "./rowOrder.js";

/** One example: what the encoder reads, and what is written after which prefix. All rows of a batch have the same lengths. */
export interface VaeExample {
  encoded: Row;
  /** Undefined where it is dropped. */
  prefix: Row | undefined;
  target: Row;
  /**
   * In the original the last place of a dropped prefix still predicts the first token of the target, though no token sees
   * it. With this token there the loss is the original's; without it z itself predicts the first token, as when it writes.
   */
  bridge?: number;
}

/** Examples in the order of the graphs: those with a prefix first. */
export function keptFirst(examples: readonly VaeExample[]): VaeExample[] {
  return [...examples.filter(({ prefix }) => prefix), ...examples.filter(({ prefix }) => !prefix)];
}

/**
 * Which rows drop their prefix, spread evenly. The original draws each row (p = 0.5); here a batch has exactly its share, so that
 * batches have one shape and a step less variance. A fraction of a row is drawn.
 */
export function droppedPrefixes(rows: number, share: number, noise: Rng): boolean[] {
  const count = Math.floor(rows * share + noise.uniform());
  return Array.from({ length: rows }, (_, i) => Math.floor(((i + 1) * count) / rows) > Math.floor((i * count) / rows));
}

/** The same targets and prefixes, each with the span of the next example as what is encoded. */
export function shuffledLatents(examples: readonly VaeExample[]): VaeExample[] {
  return examples.map((example, i) => ({ ...example, encoded: examples[(i + 1) % examples.length]!.encoded }));
}

/** Shape of a batch in the order of `keptFirst`; its prefix is 0 tokens where all are dropped. */
export function batchShape(examples: readonly VaeExample[]): BatchShape {
  const kept = examples.filter(({ prefix }) => prefix);
  return {
    kept: kept.length,
    dropped: examples.length - kept.length,
    prefix: kept[0]?.prefix?.inputIds.length ?? 0,
    bridge: examples.at(-1)!.bridge === undefined ? 0 : 1,
    encoded: examples[0]!.encoded.inputIds.length,
    target: examples[0]!.target.inputIds.length,
  };
}

/**
 * Feeds for encoder and writer. A token at place i of the target stands at position `gap` + 1 + i where the prefix is dropped.
 * `zFirst`: the decoder's order (z, prefix, target); else the router's (context, z, target).
 */
export function vaeFeeds(
  config: ModelConfig,
  examples: readonly VaeExample[],
  gap: number,
  zFirst: boolean,
): HostTensors {
  const shape = batchShape(examples);
  const labels = examples.flatMap(({ target }) => Array.from(target.inputIds));
  return {
    ...encoderFeeds(examples, shape.encoded),
    ...groupFeeds(config, "kept", examples.slice(0, shape.kept), shape.prefix + shape.target, 0, zFirst),
    ...groupFeeds(
      config,
      "dropped",
      examples.slice(shape.kept),
      shape.bridge + shape.target,
      gap - shape.bridge,
      zFirst,
    ),
    labels: int64(labels, labels.length),
  };
}

/** 1 / sum of the token weights; 0 where no token counts, so that such a microbatch changes nothing. */
export function inverseWeightSum(weights: Float32Array): HostTensor {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return float32(Float32Array.of(sum > 0 ? 1 / sum : 0));
}

function encoderFeeds(examples: readonly VaeExample[], time: number): HostTensors {
  const rows = examples.length;
  const ids = examples.flatMap(({ encoded }) => Array.from(encoded.inputIds));
  const mask = Float32Array.from(
    examples.flatMap(({ encoded }) => Array.from(encoded.attentionMask)),
    (seen) => (seen ? 0 : MASKED),
  );
  return {
    encoder_ids: int64(ids, ids.length),
    encoder_mask: float32(mask, rows, 1, 1, time),
    encoder_positions: int64(
      Array.from({ length: rows * time }, (_, i) => i % time),
      rows,
      time,
    ),
  };
}

function groupFeeds(
  config: ModelConfig,
  name: "kept" | "dropped",
  examples: readonly VaeExample[],
  time: number,
  gap: number,
  zFirst: boolean,
): HostTensors {
  if (examples.length === 0) return {};
  const sequences = examples.map(({ prefix, target, bridge }) => {
    const row = joinRows(prefix ?? bridgeRow(bridge), target);
    return {
      ids: row.inputIds.subarray(0, time - 1),
      seen: withLatent(row.attentionMask, time, zFirst ? 0 : time - target.inputIds.length),
    };
  });
  const ids = sequences.flatMap((row) => Array.from(row.ids));
  const positions = Array.from({ length: time }, (_, i) => (i === 0 ? 0 : i + gap));
  return {
    [`${name}_ids`]: int64(ids, ids.length),
    [`${name}_positions`]: int64(
      examples.flatMap(() => positions),
      examples.length,
      time,
    ),
    [`${name}_mask`]: groupMask(
      config,
      sequences.map(({ seen }) => seen),
      positions,
    ),
  };
}

/** A token that is read and not seen. */
function bridgeRow(bridge: number | undefined): Row | undefined {
  return bridge === undefined ? undefined : { inputIds: Int32Array.of(bridge), attentionMask: Int32Array.of(0) };
}

function joinRows(prefix: Row | undefined, target: Row): Row {
  if (!prefix) return target;
  return {
    inputIds: Int32Array.of(...prefix.inputIds, ...target.inputIds),
    attentionMask: Int32Array.of(...prefix.attentionMask, ...target.attentionMask),
  };
}

/** The mask of the tokens that are read, with a 1 for z at place `at`; the last target token is only predicted. */
function withLatent(mask: Int32Array, time: number, at: number): Int32Array {
  return Int32Array.of(...mask.subarray(0, at), 1, ...mask.subarray(at, time - 1));
}

/** [b, 1, G*t, t]: causal, and hiding padding. */
function groupMask(config: ModelConfig, seen: readonly Int32Array[], positions: readonly number[]): HostTensor {
  const time = positions.length;
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  const causal = causalMask(positions, group, config.slidingWindow);
  const mask = new Float32Array(seen.length * causal.length);
  for (const [row, visible] of seen.entries()) {
    mask.set(causal, row * causal.length);
    for (let j = 0; j < time; j++) {
      if (visible[j]) continue;
      for (let i = 0; i < group * time; i++) mask[row * causal.length + i * time + j] = MASKED;
    }
  }
  return float32(mask, seen.length, 1, group * time, time);
}
