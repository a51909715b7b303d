/** The overlap objective over rows of two spans: encoder, decoder and head learn together. MiniHF train_vae_overlap.py. */

import type { ShardRow } from "../data/index.js";
import type { ModelConfig } from "../model/config.js";
import type { LoraShape } from "../model/lora.js";
import { loraShapes } from "../model/lora.js";
import type { Rng } from "../rng.js";
import { float32, type HostTensor, type HostTensors } from "../runtime/runtime.js";
import { dropoutInput, randomKeys } from "../vae/dropout.js";
import { type BatchShape, overlapLoss, overlapParameterShapes, type VaeShape, writtenRows } from "../vae/loss.js";
import { FlatTensors } from "./flatTensors.js";
import type { Microbatch, Objective } from "./objective.js";
import type { RowOrder } from "./rowOrder.js";
import { klWeight, type NoiseSchedule, noiseScale } from "./schedule.js";
import type { ShortTexts } from "./shortTexts.js";
import {
  batchShape,
  droppedPrefixes,
  jittered,
  keptFirst,
  shuffledLatents,
  type VaeExample,
  vaeFeeds,
  weighted,
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
  /** Scale of the noise on z. */
  noise: NoiseSchedule;
  /** Share of rows whose prefix is dropped; 0.5 in the original. */
  dropPrefix: number;
  /** Whether a target without prefix starts anywhere in its row, so that a row serves many times; always in its middle in the original. */
  shiftedSpans: boolean;
  /** Whether the encoder reads the last token of a span, as it does in use; it does not in the original. */
  encodeLast: boolean;
  /** Whether each row is written from the z of another one: to see how much z is used. */
  shuffled?: boolean;
  /** Share of the microbatches of spans whose spans are a half or a quarter as long; 0 in the original. */
  shortSpans: number;
  /** Short texts, and the share of microbatches that are made of them: whole, with their end token; none in the original. */
  sentences?: { texts: ShortTexts; share: number };
  /** Whether the tokens at the edges of a span weigh less, as in the original. */
  edgeWeights: boolean;
  rng: Rng;
}

/** The objective with fresh parameters: LoRA A uniform, B zero; w_e orthogonal, w_d its transpose. */
export function overlapObjective(options: OverlapOptions): Objective {
  const { shape, rng } = options;
  const parameters = new FlatTensors(overlapParameterShapes(shape));
  initialiseLora(parameters, shape.config, "encoder", shape.encoder, rng);
  initialiseLora(parameters, shape.config, "decoder", shape.writer, rng);
  initialiseHead(parameters, shape.config.hiddenSize, rng);
  return { parameters, frozen: options.frozen, microbatch: overlapBatches(options) };
}

/** The microbatches of the rows, without parameters of their own. */
export function overlapBatches(options: OverlapOptions): Objective["microbatch"] {
  const { shape, sentences, rng } = options;
  return async (step, index) => {
    const noise = rng.fork("vae", step, index);
    const isOfSentences = sentences && noise.fork("sentences").uniform() < sentences.share;
    const cut = isOfSentences
      ? sentenceExamples(sentences.texts, options, noise)
      : await spanExamples(options, step, index, noise);
    const examples = jittered(shape, cut, noise.fork("jitter"));
    const eps = noise.fork("eps").normals(examples.length * shape.zDim);
    const weight = klWeight(options.klWeight, options.klRampSteps, step);
    const read = options.shuffled ? shuffledLatents(examples) : examples;
    const scale = noiseScale(options.noise, step);
    // The end of a short text is no edge.
    const edgeWeights = options.edgeWeights && !isOfSentences;
    const { feeds, ...rest } = overlapMicrobatch({ ...options, edgeWeights, noiseScale: scale }, read, eps, weight);
    const adapters = ["encoder", "decoder"] as const;
    return { ...rest, feeds: { ...feeds, ...dropoutFeeds(shape, batchShape(examples), adapters, noise) } };
  };
}

/** Spans of the rows of a microbatch: one of each row, or several short ones. */
async function spanExamples(options: OverlapOptions, step: number, index: number, noise: Rng): Promise<VaeExample[]> {
  const { rows, span, shiftedSpans, dropPrefix, encodeLast } = options;
  const batch = await rows.batch(step, index);
  const length = spanLength(options, noise.fork("length"));
  const drops = droppedPrefixes(batch.length, dropPrefix, noise.fork("drop"));
  const starts = noise.fork("start");
  // Only spans that may start anywhere are different ones when a row is cut several times.
  const count = shiftedSpans && dropPrefix === 1 ? rowsOfLength(options, length) : batch.length;
  return keptFirst(
    Array.from({ length: count }, (_, i) => {
      const row = batch[i % batch.length]!;
      const drop = drops[i % batch.length]!;
      const start = shiftedSpans && drop ? starts.integer(2 * span - length + 1) : span;
      return overlapExample(row, span, { drop, start, length, encodeLast });
    }),
  );
}

/** Tokens of the spans of this microbatch: a span, or a half or a quarter of one. */
function spanLength({ shortSpans, span }: OverlapOptions, noise: Rng): number {
  if (noise.uniform() >= shortSpans) return span;
  return Math.ceil(span / (noise.uniform() < 0.5 ? 2 : 4));
}

/** Rows of a microbatch of shorter texts that are as much work as `batchSize` spans: each is read twice, and its slots once. */
function rowsOfLength({ rows, span, shape }: Pick<OverlapOptions, "rows" | "span" | "shape">, length: number): number {
  const work = (tokens: number) => 2 * tokens + (shape.slots ?? 1);
  return Math.max(1, Math.floor((rows.batchSize * work(span)) / work(length)));
}

/** Whole texts of like length, without a prefix. */
function sentenceExamples(texts: ShortTexts, options: OverlapOptions, noise: Rng): VaeExample[] {
  const draw = texts.draw(noise.fork("texts"), (length) => rowsOfLength(options, length));
  return draw.texts.map((ids) => textExample(ids, draw.length, texts.endId));
}

/** A text with its end token as the target, padded to `length`; the end token is not encoded. */
export function textExample(ids: Int32Array, length: number, endId: number): VaeExample {
  const padded = (count: number, seen: number) => {
    const inputIds = new Int32Array(count).fill(endId);
    inputIds.set(ids.subarray(0, count));
    return { inputIds, attentionMask: new Int32Array(count).fill(1, 0, seen) };
  };
  return { encoded: padded(length - 1, ids.length), prefix: undefined, target: padded(length, ids.length + 1) };
}

/** Keys of the dropout masks, one a row; empty without dropout. They follow from the microbatch's noise alone. */
export function dropoutFeeds(
  { dropout = 0, slots }: VaeShape,
  batch: BatchShape,
  adapters: readonly ("encoder" | "decoder" | "router")[],
  noise: Rng,
): HostTensors {
  if (dropout === 0) return {};
  const keys = (adapter: string): HostTensor => {
    const rows = adapter === "encoder" ? (batch.kept + batch.dropped) * batch.encoded : writtenRows(batch, slots);
    return { dtype: "int32", shape: [rows], data: randomKeys(noise.fork("dropout", adapter), rows) };
  };
  return Object.fromEntries(adapters.map((adapter) => [dropoutInput(adapter), keys(adapter)]));
}

/** One run of the overlap loss. eps [B, Z] in the order of the examples. */
export function overlapMicrobatch(
  {
    shape,
    gap,
    noiseScale,
    edgeWeights,
  }: Pick<OverlapOptions, "shape" | "gap" | "edgeWeights"> & { noiseScale: number },
  examples: readonly VaeExample[],
  eps: Float32Array,
  weightOfKl: number,
): Microbatch {
  const batch = batchShape(examples);
  const weights = Float32Array.from(
    examples.flatMap(({ target }) => (edgeWeights ? tokenWeights(target) : Array.from(target.attentionMask))),
  );
  const scalar = (value: number) => float32(Float32Array.of(value));
  const counted = weighted(weights);
  return {
    ...counted,
    shapeKey: `overlap ${Object.values(batch).join()}`,
    graph: () => overlapLoss(shape, batch),
    feeds: {
      ...vaeFeeds(shape, examples, "decoder", gap),
      eps: float32(eps, examples.length, shape.zDim),
      noise_scale: scalar(noiseScale),
      ...counted.feeds,
      kl_weight: scalar(weightOfKl),
    },
  };
}

/** How an example is cut from a row. */
interface Cut {
  /** Whether it has no prefix. */
  drop: boolean;
  /** First token of the target; the second half of the row by default. */
  start?: number;
  /** Tokens of the target; a span by default. */
  length?: number;
  /** Whether the encoder reads the last token too. */
  encodeLast?: boolean;
  /** Whether a dropped prefix leaves its last place, as in the original. */
  bridge?: boolean;
}

/** An example of a row of two spans: the first is the prefix, the target is cut from the second, or from both without prefix. */
export function overlapExample(
  { inputIds, attentionMask }: ShardRow,
  span: number,
  { drop, start = span, length = span, encodeLast = false, bridge = false }: Cut,
): VaeExample {
  const part = (from: number, to: number) => ({
    inputIds: inputIds.slice(from, to),
    attentionMask: attentionMask.slice(from, to),
  });
  return {
    prefix: drop ? undefined : part(0, span),
    encoded: part(start, start + length - (encodeLast ? 0 : 1)),
    target: part(start, start + length),
    ...(drop && bridge ? { bridge: DROPPED_TOKEN } : {}),
  };
}

/** The original multiplies the ids of a dropped prefix by its mask, which makes them token 0. */
const DROPPED_TOKEN = 0;

/** First eighth 0.05, last eighth 0.15, else 1; 0 for padding. */
function tokenWeights({ attentionMask }: ShardRow): number[] {
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

/** Standard deviation of the embeddings that tell slots apart. */
const SLOT_DEVIATION = 0.02;

/** w_e orthogonal and w_d its transpose; f as PyTorch's Linear, s small, biases zero but for f's, which has no effect. */
function initialiseHead(parameters: FlatTensors, hiddenSize: number, rng: Rng): void {
  const stream = rng.fork("init", "vae.f.weight");
  const f = parameters.values("vae.f.weight");
  for (let i = 0; i < f.length; i++) f[i] = (2 * stream.uniform() - 1) / Math.sqrt(hiddenSize);
  const decode = parameters.values("vae.w_d.weight");
  const width = decode.length / hiddenSize;
  const encode = orthogonal(width, hiddenSize, rng.fork("init", "vae.w_e.weight"));
  parameters.set("vae.w_e.weight", encode);
  for (let z = 0; z < width; z++)
    for (let d = 0; d < hiddenSize; d++) decode[d * width + z] = encode[z * hiddenSize + d]!;
  if (!parameters.shapes.has("vae.s.weight")) return;
  const slots = rng.fork("init", "vae.s.weight");
  const values = parameters.values("vae.s.weight");
  for (let i = 0; i < values.length; i++) values[i] = SLOT_DEVIATION * slots.normal();
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
