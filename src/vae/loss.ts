/**
 * The two training objectives as graphs. Rows whose prefix or context is dropped are a group of their own: the original
 * computes the dropped tokens and masks them, here they are skipped and keep their positions.
 */
import { add, concat, crossEntropy, type Dim, input, mul, reshape, slice, sumAll, type Value } from "../graph/index.js";
import { type Attend, type AttentionGroup, groupedAttention, type RopeInputs, ropeInputs } from "../model/attention.js";
import type { ModelConfig } from "../model/config.js";
import { embedTokens, hiddenStates, logits } from "../model/llama.js";
import { type LoraShape, loraLinear, loraShapes, makeParameter, type Parameter } from "../model/lora.js";
import { headShapes, latentEmbedding, pool } from "./head.js";

/** What the graphs of a VAE in training share. */
export interface VaeShape {
  config: ModelConfig;
  zDim: number;
  encoder: LoraShape;
  /** The adapter that writes: decoder or router. */
  writer: LoraShape;
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
  bridge: number;
  /** Tokens that the encoder reads. */
  encoded: number;
  /** Tokens of the target. */
  target: number;
}

/** The loss (shape []), parts of it, and the trained parameters by graph name. */
export interface VaeLoss {
  loss: Value;
  metrics: Readonly<Record<string, Value>>;
  parameters: ReadonlyMap<string, Value>;
}

/** Trained by the overlap objective: encoder, decoder and head. Graph name -> shape. */
export function overlapParameterShapes({ config, zDim, encoder, writer }: VaeShape): Map<string, readonly number[]> {
  const head = Array.from(headShapes(config, zDim), ([name, shape]) => [`vae.${name}`, shape] as const);
  return new Map([...loraShapes(config, "encoder", encoder), ...loraShapes(config, "decoder", writer), ...head]);
}

/** Trained by the router objective: the router alone. Graph name -> shape. */
export function routerParameterShapes({ config, writer }: VaeShape): Map<string, readonly number[]> {
  return loraShapes(config, "router", writer);
}

/**
 * Overlap objective (MiniHF train_vae_overlap.py): rec = sum(w CE) / sum(w); kl = klWeight sum(mean^2 / 2) / sum(w).
 * The decoder reads [z] + prefix + target[:-1] and predicts the target.
 */
export function overlapLoss(shape: VaeShape, batch: BatchShape): VaeLoss {
  const parameter = makeParameter();
  const rope = ropeInputs(shape.config);
  const mean = encodedMean(shape, batch, parameter, rope);
  const z = add(mean, mul(input("eps", mean.shape), input("noise_scale", [])));
  const losses = writtenLosses(shape, batch, "decoder", z, parameter, rope);
  const inverseWeightSum = input("inverse_weight_sum", []);
  const rec = mul(sumAll(mul(losses, input("token_weights", losses.shape))), inverseWeightSum);
  const kl = mul(mul(sumAll(mul(mean, mean)), 0.5), inverseWeightSum);
  const loss = add(rec, mul(kl, input("kl_weight", [])));
  return { loss, metrics: { rec, kl }, parameters: pick(parameter, overlapParameterShapes(shape)) };
}

/**
 * Router objective (MiniHF train_vae_router.py): mean cross entropy of the span that z encodes and of the next one.
 * The router reads context + [z] + target[:-1]; encoder and head are frozen.
 */
export function routerLoss(shape: VaeShape, batch: BatchShape): VaeLoss {
  const parameter = makeParameter();
  const rope = ropeInputs(shape.config);
  const mean = encodedMean(shape, batch, parameter, rope);
  const z = add(mean, mul(input("eps", mean.shape), input("noise_scale", [])));
  const losses = writtenLosses(shape, batch, "router", z, parameter, rope);
  const loss = mul(sumAll(mul(losses, input("token_weights", losses.shape))), input("inverse_weight_sum", []));
  return { loss, metrics: {}, parameters: pick(parameter, routerParameterShapes(shape)) };
}

function pick(parameter: Parameter, shapes: ReadonlyMap<string, readonly number[]>): Map<string, Value> {
  return new Map(Array.from(shapes, ([name, shape]) => [name, parameter(name, shape)]));
}

/** Inputs encoder_ids [B*E] and encoder_mask [B, 1, 1, E] -> mean [B, Z]. */
function encodedMean(shape: VaeShape, batch: BatchShape, parameter: Parameter, rope: RopeInputs): Value {
  const { config, zDim, encoder } = shape;
  const rows = batch.kept + batch.dropped;
  const time = batch.encoded;
  const mask = input("encoder_mask", [rows, 1, 1, time]);
  const positions = input("encoder_positions", [rows, time], "int64");
  const attend = groupedAttention(config, [{ batch: rows, time, positions, mask }], rope);
  const forward = { config, parameter, linear: loraLinear(config, parameter, "encoder", encoder), attend };
  const hidden = hiddenStates(forward, embedTokens(forward, input("encoder_ids", [rows * time], "int64")));
  const head = { config, zDim, parameter };
  return pool(head, reshape(hidden, [rows, time, config.hiddenSize]), reshape(mask, [rows, time])).mean;
}

/** Where z stands among the tokens of a group: the decoder's before the prefix, the router's after the context. */
type Writer = "decoder" | "router";

/**
 * Inputs, for each group that has rows (kept, dropped): GROUP_ids [b*(t-1)] (all tokens that are read, without z),
 * GROUP_positions [b, t], GROUP_mask [b, 1, G*t, t]; labels [B*target]. Returns cross entropies [B*target], kept rows first.
 */
function writtenLosses(
  shape: VaeShape,
  batch: BatchShape,
  writer: Writer,
  z: Value,
  parameter: Parameter,
  rope: RopeInputs,
): Value {
  const { config, zDim } = shape;
  const groups = writerGroups(config, batch);
  const attend: Attend = groupedAttention(config, groups, rope);
  const forward = { config, parameter, linear: loraLinear(config, parameter, writer, shape.writer), attend };
  const latents = latentEmbedding({ config, zDim, parameter }, z);
  let row = 0;
  const inputs = groups.map(({ name, batch: rows, time, prefix }) => {
    const ids = input(`${name}_ids`, [rows * (time - 1)], "int64");
    const tokens = reshape(embedTokens(forward, ids), [rows, time - 1, config.hiddenSize]);
    const latent = reshape(slice(latents, 0, row, (row += rows)), [rows, 1, config.hiddenSize]);
    const sequence = insertLatent(latent, tokens, writer === "router" ? prefix : 0);
    return reshape(sequence, [rows * time, config.hiddenSize]);
  });
  const hidden = hiddenStates(forward, concat(inputs, 0));
  let start = 0;
  const predicting = groups.map(({ batch: rows, time }) => {
    const sequence = reshape(slice(hidden, 0, start, (start += rows * time)), [rows, time, config.hiddenSize]);
    return reshape(slice(sequence, 1, time - batch.target, time), [rows * batch.target, config.hiddenSize]);
  });
  const labels = input("labels", [(batch.kept + batch.dropped) * batch.target], "int64");
  return crossEntropy(logits(forward, concat(predicting, 0)), labels);
}

/** tokens [b, t, D] with latent [b, 1, D] at place `at` -> [b, t+1, D] */
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

function writerGroups(config: ModelConfig, batch: BatchShape): WriterGroup[] {
  const fold: Dim = config.numAttentionHeads / config.numKeyValueHeads;
  const groups = [
    { name: "kept" as const, batch: batch.kept, prefix: batch.prefix },
    { name: "dropped" as const, batch: batch.dropped, prefix: batch.bridge },
  ];
  return groups
    .filter((group) => group.batch > 0)
    .map((group) => {
      const time = group.prefix + batch.target;
      const positions = input(`${group.name}_positions`, [group.batch, time], "int64");
      return { ...group, time, positions, mask: input(`${group.name}_mask`, [group.batch, 1, fold * time, time]) };
    });
}
