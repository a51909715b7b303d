/**
 * The two training objectives as graphs. Rows whose prefix or context is dropped are a group of their own: the original
 * computes the dropped tokens and masks them, here they are skipped and keep their positions.
 */
import {
  add,
  concat,
  crossEntropy,
  type Dim,
  type DType,
  exp,
  input,
  maximum,
  mul,
  type PackedFormat,
  reduceMean,
  reshape,
  slice,
  sub,
  sumAll,
  type Value,
} from "../graph/index.js";
import { type Attend, type AttentionGroup, groupedAttention, type RopeInputs, ropeInputs } from "../model/attention.js";
import type { ModelConfig } from "../model/config.js";
import { embedTokens, hiddenStates, logits } from "../model/llama.js";
import {
  type Frozen,
  type Linear,
  type LoraForm,
  type LoraShape,
  loraLinear,
  loraShapes,
  makeParameter,
  mergedWherePays,
  type Parameter,
  unmerged,
} from "../model/lora.js";
import { loraDropout } from "./dropout.js";
import { type HeadShape, headShapes, latentEmbeddings, type PosteriorValues, pool } from "./head.js";
import type { WriterRole } from "./roles.js";

/** What the graphs of a VAE in training share. */
export interface VaeShape extends HeadShape {
  config: ModelConfig;
  encoder: LoraShape;
  /** The adapter that writes: decoder or router. */
  writer: LoraShape;
  /** Free bits: KL in nats per dimension of z that costs nothing (Kingma et al. 2016); 0 in the original. */
  freeBits?: number;
  /** Share of values dropped from what the trained adapters read; 0 in the original. */
  dropout?: number;
  /** Blocks are computed again for the gradients, so that memory holds one of them at a time. */
  checkpointing?: boolean;
  /** How the linear layers of the base are packed; dense where it is left out. */
  packing?: Packing;
}

/** A way of packing the linear layers of a base. */
export interface Packing {
  /** Tells it from others. */
  name: string;
  /** By the weight's name on disk; undefined where it is dense. */
  format(name: string): PackedFormat | undefined;
}

/** The base's weights as inputs of a loss. */
function frozenOf({ config, packing }: VaeShape, parameter: Parameter): Frozen {
  return { config, parameter, ...(packing ? { packing: packing.format } : {}) };
}

/** Rows of a batch, those with prefix (or context) first. */
export interface BatchShape {
  /** Rows that keep their prefix. */
  kept: number;
  /** Rows whose prefix is dropped. */
  dropped: number;
  /** Tokens of a prefix. */
  prefix: number;
  /** Tokens between z and the target of a row whose prefix is dropped: 0, or 1 as in the original. */
  maskedPrefix: number;
  /** Tokens that the encoder reads. */
  encoded: number;
  /** Tokens of the target. */
  target: number;
}

/** The loss (shape []), further scalars to log, and the trained parameters as graph inputs by name. */
export interface LossGraph {
  loss: Value;
  metrics: Readonly<Record<string, Value>>;
  parameters: ReadonlyMap<string, Value>;
}

/** What both graphs are fed beside weights, parameters and rotary tables; a group without rows has no feeds. */
export type VaeFeed =
  | "encoder_ids"
  | "encoder_mask"
  | "encoder_positions"
  | "pool_bias"
  | "eps"
  | "noise_scale"
  | GroupFeed
  | "labels"
  | "token_weights"
  | "inverse_weight_sum";

/** Feeds of the rows of a group. */
export type GroupFeed = `${WriterGroup["name"]}_${"ids" | "positions" | "mask"}`;

/** Feeds of the overlap graph: the weight of its KL term too. */
export type OverlapFeed = VaeFeed | "kl_weight";

const feed = (name: OverlapFeed, ...rest: [shape: readonly Dim[], dtype?: DType]): Value => input(name, ...rest);

/** Trained by the overlap objective: encoder, decoder and head. Graph name -> shape. */
export function overlapParameterShapes(shape: VaeShape): Map<string, readonly number[]> {
  const { config, encoder, writer } = shape;
  const head = Array.from(headShapes(config, shape), ([name, dims]) => [`vae.${name}`, dims] as const);
  return new Map([...loraShapes(config, "encoder", encoder), ...loraShapes(config, "decoder", writer), ...head]);
}

/** Trained by the router objective: the router alone. Graph name -> shape. */
export function routerParameterShapes({ config, writer }: VaeShape): Map<string, readonly number[]> {
  return loraShapes(config, "router", writer);
}

/**
 * Overlap objective (MiniHF train_vae_overlap.py): rec = sum(w CE) / sum(w); kl = klWeight sum(mean^2 / 2) / sum(w).
 * The decoder reads [z] + prefix + target[:-1] and predicts the target. The metric kl is without weight and free bits.
 */
export function overlapLoss(shape: VaeShape, batch: BatchShape): LossGraph {
  const parameter = makeParameter();
  const rope = ropeInputs(shape.config);
  const posterior = encodedPosterior(shape, batch, parameter, rope, true);
  const losses = writtenLosses(shape, batch, "decoder", sampled(posterior), parameter, rope);
  const inverseWeightSum = feed("inverse_weight_sum", []);
  const rec = mul(sumAll(mul(losses, feed("token_weights", losses.shape))), inverseWeightSum);
  const doubled = doubledKl(posterior);
  const kl = mul(mul(sumAll(doubled), 0.5), inverseWeightSum);
  const counted = shape.freeBits ? mul(flooredKl(doubled, shape.freeBits), inverseWeightSum) : kl;
  const loss = add(rec, mul(counted, feed("kl_weight", [])));
  return { loss, metrics: { rec, kl }, parameters: pick(parameter, overlapParameterShapes(shape)) };
}

/**
 * Router objective (MiniHF train_vae_router.py): mean cross entropy of the span that z encodes and of the next one.
 * The router reads context + [z] + target[:-1]; encoder and head are frozen.
 */
export function routerLoss(shape: VaeShape, batch: BatchShape): LossGraph {
  const parameter = makeParameter();
  const rope = ropeInputs(shape.config);
  const posterior = encodedPosterior(shape, batch, parameter, rope, false);
  const losses = writtenLosses(shape, batch, "router", sampled(posterior), parameter, rope);
  const loss = mul(sumAll(mul(losses, feed("token_weights", losses.shape))), feed("inverse_weight_sum", []));
  return { loss, metrics: {}, parameters: pick(parameter, routerParameterShapes(shape)) };
}

function pick(parameter: Parameter, shapes: ReadonlyMap<string, readonly number[]>): Map<string, Value> {
  return new Map(Array.from(shapes, ([name, shape]) => [name, parameter(name, shape)]));
}

/** z = mean + noiseScale s eps. Inputs eps [B, Z] and noise_scale []. */
function sampled({ mean, logVariance }: PosteriorValues): Value {
  const noise = mul(feed("eps", mean.shape), feed("noise_scale", []));
  return add(mean, logVariance ? mul(noise, exp(mul(logVariance, 0.5))) : noise);
}

/** Twice the KL of N(mean, s^2) from N(0, 1), by row and dimension: mean^2 + s^2 - 1 - log s^2 [B, Z]. */
function doubledKl({ mean, logVariance }: PosteriorValues): Value {
  const square = mul(mean, mean);
  return logVariance ? sub(add(square, exp(logVariance)), add(logVariance, 1)) : square;
}

/** B sum_d max(KL_d, floor) with KL_d the mean over the rows: the KL of a microbatch, where each dimension has its floor. */
function flooredKl(doubled: Value, floor: number): Value {
  const perDimension = mul(reduceMean(doubled, 0), 0.5);
  return mul(sumAll(maximum(perDimension, floor)), doubled.shape[0] as number);
}

/** Inputs encoder_ids [B*E], encoder_mask [B, 1, 1, E] and pool_bias [B, k, E] -> mean, and log variance where it is learned. */
function encodedPosterior(
  shape: VaeShape,
  batch: BatchShape,
  parameter: Parameter,
  rope: RopeInputs,
  trained: boolean,
): PosteriorValues {
  const { config, encoder, slots = 1, checkpointing } = shape;
  const frozen = frozenOf(shape, parameter);
  const rows = batch.kept + batch.dropped;
  const time = batch.encoded;
  const mask = feed("encoder_mask", [rows, 1, 1, time]);
  const positions = feed("encoder_positions", [rows, time], "int64");
  const attend = groupedAttention(config, [{ batch: rows, time, positions, mask }], rope);
  const linear = trained
    ? trainedLinear(shape, parameter, "encoder", encoder, rows * time)
    : loraLinear(frozen, "encoder", encoder);
  const forward = { ...frozen, linear, attend, checkpointing: trained && checkpointing };
  const hidden = hiddenStates(forward, embedTokens(forward, feed("encoder_ids", [rows * time], "int64")));
  const bias = feed("pool_bias", [rows, slots, time]);
  return pool({ ...shape, parameter }, reshape(hidden, [rows, time, config.hiddenSize]), bias);
}

/** The linear layers of an adapter that is trained on `rows` tokens at a time. */
function trainedLinear(shape: VaeShape, parameter: Parameter, adapter: string, lora: LoraShape, rows: number): Linear {
  const { dropout = 0, checkpointing } = shape;
  const dropped = loraDropout(adapter, rows, dropout);
  const withDropout: LoraForm = (layer, x) => unmerged(layer, x, dropped(layer.path, x));
  // Checkpointing is for little memory: a second copy of the weights would not fit.
  const form = dropout > 0 ? withDropout : checkpointing ? unmerged : mergedWherePays;
  return loraLinear(frozenOf(shape, parameter), adapter, lora, form);
}

/**
 * Inputs, for each group that has rows (kept, dropped): GROUP_ids [b*(t-k)] (all tokens that are read, without z),
 * GROUP_positions [b, t], GROUP_mask [b, 1, G*t, t]; labels [B*target]. Returns cross entropies [B*target], kept rows first.
 */
function writtenLosses(
  shape: VaeShape,
  batch: BatchShape,
  writer: WriterRole,
  z: Value,
  parameter: Parameter,
  rope: RopeInputs,
): Value {
  const { config, slots = 1, checkpointing } = shape;
  const groups = writerGroups(config, batch, slots);
  const attend: Attend = groupedAttention(config, groups, rope);
  const linear = trainedLinear(shape, parameter, writer, shape.writer, writtenRows(batch, slots));
  const forward = { ...frozenOf(shape, parameter), linear, attend, checkpointing };
  const latents = latentEmbeddings({ ...shape, parameter }, z);
  let row = 0;
  const inputs = groups.map(({ name, batch: rows, time, prefix }) => {
    const ids = feed(`${name}_ids`, [rows * (time - slots)], "int64");
    const tokens = reshape(embedTokens(forward, ids), [rows, time - slots, config.hiddenSize]);
    const latent = slice(latents, 0, row, (row += rows));
    const sequence = insertLatent(latent, tokens, writer === "router" ? prefix : 0);
    return reshape(sequence, [rows * time, config.hiddenSize]);
  });
  const hidden = hiddenStates(forward, concat(inputs, 0));
  let start = 0;
  const predicting = groups.map(({ batch: rows, time }) => {
    const sequence = reshape(slice(hidden, 0, start, (start += rows * time)), [rows, time, config.hiddenSize]);
    return reshape(slice(sequence, 1, time - batch.target, time), [rows * batch.target, config.hiddenSize]);
  });
  const labels = feed("labels", [(batch.kept + batch.dropped) * batch.target], "int64");
  return crossEntropy(logits(forward, concat(predicting, 0)), labels);
}

/** Rows of the activations of the adapter that writes: the slots and the tokens that it reads, of all groups. */
export function writtenRows({ kept, dropped, prefix, maskedPrefix, target }: BatchShape, slots = 1): number {
  return kept * (prefix + target + slots - 1) + dropped * (maskedPrefix + target + slots - 1);
}

/** tokens [b, t, D] with latent [b, k, D] at place `at` -> [b, t+k, D] */
function insertLatent(latent: Value, tokens: Value, at: number): Value {
  const time = tokens.shape[1] as number;
  const before = at > 0 ? [slice(tokens, 1, 0, at)] : [];
  const after = at < time ? [slice(tokens, 1, at, time)] : [];
  return concat([...before, latent, ...after], 1);
}

interface WriterGroup extends AttentionGroup {
  name: "kept" | "dropped";
  prefix: number;
}

function writerGroups(config: ModelConfig, batch: BatchShape, slots: number): WriterGroup[] {
  const fold: Dim = config.numAttentionHeads / config.numKeyValueHeads;
  const groups = [
    { name: "kept" as const, batch: batch.kept, prefix: batch.prefix },
    { name: "dropped" as const, batch: batch.dropped, prefix: batch.maskedPrefix },
  ];
  return groups
    .filter((group) => group.batch > 0)
    .map((group) => {
      // The last token of the target is predicted, not read.
      const time = group.prefix + slots + batch.target - 1;
      const positions = feed(`${group.name}_positions`, [group.batch, time], "int64");
      return { ...group, time, positions, mask: feed(`${group.name}_mask`, [group.batch, 1, fold * time, time]) };
    });
}
