/** The overlap objective over rows of two spans: encoder, decoder and head learn together. MiniHF train_vae_overlap.py. */

import { BigVaeError } from "../errors.js";
import type { ModelConfig } from "../model/config.js";
import type { LoraShape } from "../model/lora.js";
import { loraShapes } from "../model/lora.js";
import type { Rng } from "../rng.js";
import { float32, type HostTensor, type HostTensors } from "../runtime/runtime.js";
import { dropoutInput, randomKeys } from "../vae/dropout.js";
import { type BatchShape, overlapLoss, overlapParameterShapes, type VaeShape, writtenRows } from "../vae/loss.js";
import { FlatTensors } from "./flatTensors.js";
import type { Microbatch, Objective } from "./objective.js";
import type { Row, RowOrder } from "./rowOrder.js";
import { klWeight } from "./schedule.js";
import {
  batchShape,
  droppedPrefixes,
  inverseWeightSum,
  keptFirst,
  shuffledLatents,
  type VaeExample,
  vaeFeeds,
} from "./vaeBatch.js";

export interface OverlapOptions {
  shape: VaeShape;
  /** Weights of the frozen base, rope tables: fed at every run. */
  frozen: HostTensors;
  /** Rows of 2 * span tokens. */
  rows: RowOrder;
  /** Tokens of a span, c. */
  span: number;
  /** Positions between z and a target without prefix; the span in the original. */
  gap: number;
  klWeight: number;
  klRampSteps: number;
  /** z = mean + noiseScale * eps; 1 in the original. */
  noiseScale: number;
  /** Share of rows whose prefix is dropped; 0.5 in the original. */
  dropPrefix: number;
  /** Whether a target without prefix starts anywhere in its row, so that a row serves many times; always in its middle in the original. */
  shiftedSpans: boolean;
  /** Whether the encoder reads the last token of a span, as it does in use; it does not in the original. */
  encodeLast: boolean;
  /** Whether each row is written from the z of another one: to see how much z is used. */
  shuffled?: boolean;
  /** Share of microbatches whose targets are shorter, 8 tokens and on, and end with the end token; 0 in the original. */
  shortSpans: number;
  /** Whether the tokens at the edges of a span weigh less, as in the original. */
  edgeWeights: boolean;
  /** Ends a short target. */
  tokenizer: { readonly eosId?: number };
  rng: Rng;
}

/** The objective with fresh parameters: LoRA A uniform, B zero; w_e orthogonal, w_d its transpose. */
export function overlapObjective(options: OverlapOptions): Objective {
  const { shape, rng } = options;
  const parameters = new FlatTensors(overlapParameterShapes(shape));
  initialiseLora(parameters, shape.config, "encoder", shape.encoder, rng);
  initialiseLora(parameters, shape.config, "decoder", shape.writer, rng);
  initialiseHead(parameters, shape.zDim, shape.config.hiddenSize, rng);
  return { parameters, frozen: options.frozen, microbatch: overlapBatches(options) };
}

/** The microbatches of the rows, without parameters of their own. */
export function overlapBatches(options: OverlapOptions): Objective["microbatch"] {
  const { shape, rows, span, shiftedSpans, encodeLast, rng } = options;
  return async (step, index) => {
    const batch = await rows.batch(step, index);
    const noise = rng.fork("vae", step, index);
    const length = targetLength(options, noise.fork("length"));
    const ends = noise.fork("ends");
    const ended = () =>
      length === undefined
        ? {}
        : { length, seen: Math.max(2, length - ends.integer(LENGTH_STEP)), endId: endId(options) };
    const drops = droppedPrefixes(batch.length, options.dropPrefix, noise.fork("drop"));
    const starts = noise.fork("start");
    const examples = keptFirst(
      batch.map((row, i) => {
        const start = shiftedSpans && drops[i] ? starts.integer(span + 1) : span;
        return overlapExample(row, span, { drop: drops[i]!, start, encodeLast, ...ended() });
      }),
    );
    const eps = noise.fork("eps").normals(batch.length * shape.zDim);
    const weight = klWeight(options.klWeight, options.klRampSteps, step);
    const read = options.shuffled ? shuffledLatents(examples) : examples;
    const { feeds, ...rest } = overlapMicrobatch(options, read, eps, weight);
    const adapters = ["encoder", "decoder"] as const;
    return { ...rest, feeds: { ...feeds, ...dropoutFeeds(shape, batchShape(examples), adapters, noise) } };
  };
}

/** Row keys of the masks of dropout, where there is dropout; the noise of this microbatch alone decides them. */
export function dropoutFeeds(
  { dropout = 0 }: VaeShape,
  batch: BatchShape,
  adapters: readonly ("encoder" | "decoder" | "router")[],
  noise: Rng,
): HostTensors {
  if (dropout === 0) return {};
  const keys = (adapter: string): HostTensor => {
    const rows = adapter === "encoder" ? (batch.kept + batch.dropped) * batch.encoded : writtenRows(batch);
    return { dtype: "int32", shape: [rows], data: randomKeys(noise.fork("dropout", adapter), rows) };
  };
  return Object.fromEntries(adapters.map((adapter) => [dropoutInput(adapter), keys(adapter)]));
}

/** One run of the overlap loss. eps [B, Z] in the order of the examples. */
export function overlapMicrobatch(
  { shape, gap, noiseScale, edgeWeights }: Pick<OverlapOptions, "shape" | "gap" | "noiseScale" | "edgeWeights">,
  examples: readonly VaeExample[],
  eps: Float32Array,
  weightOfKl: number,
): Microbatch {
  const batch = batchShape(examples);
  const weights = Float32Array.from(
    examples.flatMap(({ target }) => (edgeWeights ? tokenWeights(target) : Array.from(target.attentionMask))),
  );
  const scalar = (value: number) => float32(Float32Array.of(value));
  return {
    shapeKey: `overlap ${Object.values(batch).join()}`,
    graph: () => overlapLoss(shape, batch),
    feeds: {
      ...vaeFeeds(shape.config, examples, gap, true),
      eps: float32(eps, examples.length, shape.zDim),
      noise_scale: scalar(noiseScale),
      token_weights: float32(weights, weights.length),
      inverse_weight_sum: inverseWeightSum(weights),
      kl_weight: scalar(weightOfKl),
    },
    tokens: weights.length,
  };
}

/** How an example is cut from a row. */
interface Cut {
  /** Whether it has no prefix. */
  drop: boolean;
  /** First token of the target; the second half of the row where left out. */
  start?: number;
  /** Tokens of the target; a span where left out. */
  length?: number;
  /** Tokens of it that count, the others are padding; all where left out. */
  seen?: number;
  /** Stands in the place of the last token that counts. */
  endId?: number;
  /** Whether the encoder reads the last token too; never an end token. */
  encodeLast?: boolean;
  /** Whether a dropped prefix leaves its last place, as in the original. */
  bridge?: boolean;
}

/** An example of a row of two spans: the first is the prefix, the target is cut from the second, or from both without prefix. */
export function overlapExample(
  { inputIds, attentionMask }: Row,
  span: number,
  { drop, start = span, length = span, seen = length, endId, encodeLast = false, bridge = false }: Cut,
): VaeExample {
  const part = (from: number, to: number, counted = to - from) => ({
    inputIds: inputIds.slice(from, to),
    attentionMask: attentionMask.slice(from, to).fill(0, counted),
  });
  const target = part(start, start + length, seen);
  if (endId !== undefined) target.inputIds[seen - 1] = endId;
  const last = encodeLast && endId === undefined ? 0 : 1;
  return {
    prefix: drop ? undefined : part(0, span),
    encoded: part(start, start + length - last, seen - last),
    target,
    ...(drop && bridge ? { bridge: DROPPED_TOKEN } : {}),
  };
}

/** Short targets are padded to multiples of this, so that few graphs serve. */
const LENGTH_STEP = 8;

/** What this microbatch's targets are padded to where they are shorter than a span. */
function targetLength({ shortSpans, span }: OverlapOptions, noise: Rng): number | undefined {
  if (noise.uniform() >= shortSpans) return undefined;
  return (1 + noise.integer(Math.floor(span / LENGTH_STEP))) * LENGTH_STEP;
}

function endId({ tokenizer }: OverlapOptions): number {
  if (tokenizer.eosId !== undefined) return tokenizer.eosId;
  throw new BigVaeError(
    "mismatch",
    "--short-spans: expected a tokenizer with an end token, got one without; leave the option out",
  );
}

/** The original multiplies the ids of a dropped prefix by its mask, which makes them token 0. */
const DROPPED_TOKEN = 0;

/** First eighth 0.05, last eighth 0.15, else 1; 0 for padding. */
function tokenWeights({ attentionMask }: Row): number[] {
  const edge = Math.floor(attentionMask.length / 8);
  return Array.from(attentionMask, (seen, i) => {
    if (!seen) return 0;
    if (i < edge) return 0.05;
    return i >= attentionMask.length - edge ? 0.15 : 1;
  });
}

/** A: uniform in +-1/sqrt(in) (PEFT's Kaiming with a = sqrt 5); B: zero. */
export function initialiseLora(
  parameters: FlatTensors,
  config: ModelConfig,
  adapter: string,
  shape: LoraShape,
  rng: Rng,
): void {
  for (const [name, [, width]] of loraShapes(config, adapter, shape)) {
    if (!name.endsWith("lora_A")) continue;
    const stream = rng.fork("init", name);
    const values = parameters.values(name);
    for (let i = 0; i < values.length; i++) values[i] = (2 * stream.uniform() - 1) / Math.sqrt(width!);
  }
}

/** w_e orthogonal and w_d its transpose; f as PyTorch's Linear, biases zero but for f's, which has no effect. */
function initialiseHead(parameters: FlatTensors, zDim: number, hiddenSize: number, rng: Rng): void {
  const stream = rng.fork("init", "vae.f.weight");
  const f = parameters.values("vae.f.weight");
  for (let i = 0; i < f.length; i++) f[i] = (2 * stream.uniform() - 1) / Math.sqrt(hiddenSize);
  const encode = orthogonal(zDim, hiddenSize, rng.fork("init", "vae.w_e.weight"));
  parameters.set("vae.w_e.weight", encode);
  const decode = parameters.values("vae.w_d.weight");
  for (let z = 0; z < zDim; z++)
    for (let d = 0; d < hiddenSize; d++) decode[d * zDim + z] = encode[z * hiddenSize + d]!;
}

/** A [rows, columns] matrix whose shorter side is orthonormal, by Gram-Schmidt on normals. */
function orthogonal(rows: number, columns: number, rng: Rng): Float32Array {
  const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
  const basis: Float64Array[] = [];
  while (basis.length < count) {
    const vector = Float64Array.from({ length }, () => rng.normal());
    for (const other of basis) {
      const projection = other.reduce((sum, value, i) => sum + value * vector[i]!, 0);
      for (let i = 0; i < length; i++) vector[i]! -= projection * other[i]!;
    }
    const norm = Math.hypot(...vector);
    basis.push(vector.map((value) => value / norm));
  }
  const wide = columns >= rows;
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    return wide ? basis[row]![column]! : basis[column]![row]!;
  });
}
