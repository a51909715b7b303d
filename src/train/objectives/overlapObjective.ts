/** The overlap objective over rows of two spans: encoder, decoder and head learn together. MiniHF train_vae_overlap.py. */
import type { ShardRow } from "../../data/index.js";
import type { Rng } from "../../rng.js";
import { float32, type HostTensors } from "../../runtime/runtime.js";
import { type OverlapFeed, overlapLoss, overlapParameterShapes, type VaeShape } from "../../vae/loss.js";
import { FlatTensors } from "../loop/flatTensors.js";
import type { Microbatch, Objective } from "../loop/objective.js";
import { dropoutFeeds, initialiseLora } from "./adapters.js";
import { drawnSentences, type SpanCuts, sentenceExamples, spanExamples } from "./overlapExamples.js";
import { klWeight, type NoiseSchedule, noiseScale } from "./overlapSchedules.js";
import type { Reading } from "./rowOrder.js";
import type { ShortTexts } from "./shortTexts.js";
import { batchShape, type Feeds, jittered, shuffledLatents, type VaeExample, vaeFeeds, weighted } from "./vaeFeeds.js";

export interface OverlapOptions extends SpanCuts {
  shape: VaeShape;
  /** Weights of the frozen base, rotary tables: fed at every run. */
  frozen: HostTensors;
  /** Positions between z and a target without prefix; the span in the original. */
  gap: number;
  klWeight: number;
  klRampSteps: number;
  /** Scale of the noise on z. */
  noise: NoiseSchedule;
  /** Whether each row is written from the z of another one: to see how much z is used. */
  shuffled?: boolean;
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
    const noise = microbatchNoise(rng, step, index);
    const isOfSentences = isMadeOfSentences(sentences, noise);
    const { slots } = shape;
    const cut = isOfSentences
      ? sentenceExamples(sentences!.texts, { ...options, slots }, noise)
      : await spanExamples({ ...options, slots }, step, index, noise);
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

/** What the microbatches read: their rows, or short texts and no rows. */
export function overlapReads(options: OverlapOptions): (step: number, index: number) => Reading {
  const { shape, sentences, rows, span, rng } = options;
  return (step, index) => {
    const noise = microbatchNoise(rng, step, index);
    if (!isMadeOfSentences(sentences, noise)) return { rows: rows.batchSize, tokens: rows.batchSize * 2 * span };
    const { length, texts } = drawnSentences(sentences!.texts, { ...options, slots: shape.slots }, noise);
    return { rows: 0, tokens: texts.length * length };
  };
}

function microbatchNoise(rng: Rng, step: number, index: number): Rng {
  return rng.fork("vae", step, index);
}

/** Whether a microbatch is made of short texts, by its noise. */
function isMadeOfSentences(sentences: OverlapOptions["sentences"], noise: Rng): boolean {
  return sentences !== undefined && noise.fork("sentences").uniform() < sentences.share;
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
  const feeds: Feeds<OverlapFeed> = {
    ...vaeFeeds(shape, examples, "decoder", gap),
    eps: float32(eps, examples.length, shape.zDim),
    noise_scale: scalar(noiseScale),
    ...counted.feeds,
    kl_weight: scalar(weightOfKl),
  };
  return {
    ...counted,
    shapeKey: `overlap ${Object.values(batch).join()} ${shape.packing?.name}`,
    graph: () => overlapLoss(shape, batch),
    feeds,
  };
}

/** First eighth 0.05, last eighth 0.15, else 1; 0 for padding. */
function tokenWeights({ attentionMask }: ShardRow): number[] {
  const edge = Math.floor(attentionMask.length / 8);
  return Array.from(attentionMask, (seen, i) => {
    if (!seen) return 0;
    if (i < edge) return 0.05;
    return i >= attentionMask.length - edge ? 0.15 : 1;
  });
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
