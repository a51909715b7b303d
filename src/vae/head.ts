/**
 * The VAE's own layers: attention pooling into a latent, and the latent as input embeddings. MiniHF train_vae_overlap.py, class
 * VAEComponent, is the case of one slot. With k slots a text is pooled k times, each time around another position, so that
 * every slot stands for a part of the text; w_e and w_d are shared by all slots.
 */
import { add, linear, matmul, reshape, softmax, transpose, type Value } from "../graph/index.js";
import { timesDim } from "../graph/ops/layout.js";
import type { ModelConfig } from "../model/config.js";
import type { Parameter } from "../model/lora.js";

/** Sizes of the head. */
export interface HeadShape {
  /** Values of all slots together. A latent with several slots has one value more, the length of its text (latent/latentSpace). */
  zDim: number;
  /** Slots of a latent, k; 1 in the original. */
  slots?: number;
  /** Whether the variance is learned (w_s); 1 in the original. */
  learnedVariance?: boolean;
}

/**
 * Names on disk (vae.safetensors) and shapes: f [k, D] scores tokens for the pool of each slot, w_e makes the values of a slot, w_d the
 * embedding of a slot, s [k, D] says which slot it is (absent for one slot). w_s, where the variance is learned, makes log s^2; published
 * checkpoints have none (s = 1), and their code ignores it.
 */
export function headShapes({ hiddenSize: d }: ModelConfig, head: HeadShape): Map<string, readonly number[]> {
  const { zDim, slots = 1, learnedVariance = false } = head;
  const width = zDim / slots;
  const variance: [string, readonly number[]][] = [
    ["w_s.weight", [width, d]],
    ["w_s.bias", [width]],
  ];
  return new Map([
    ...(learnedVariance ? variance : []),
    ["f.weight", [slots, d]],
    ["f.bias", [slots]],
    ["w_e.weight", [width, d]],
    ["w_e.bias", [width]],
    ["w_d.weight", [d, width]],
    ["w_d.bias", [d]],
    ...(slots > 1 ? ([["s.weight", [slots, d]]] as const) : []),
  ]);
}

/** Graph inputs of the head: the names on disk behind "vae.". */
export interface HeadInputs extends HeadShape {
  config: ModelConfig;
  parameter: Parameter;
}

/** What a text is encoded as: N(mean, s^2), s = 1 where there is no log variance. */
export interface PosteriorValues {
  /** [B, Z] */
  mean: Value;
  /** log s^2 [B, Z] */
  logVariance?: Value;
}

function headParameter(head: HeadInputs, name: string): Value {
  return head.parameter(`vae.${name}`, headShapes(head.config, head).get(name)!);
}

/**
 * weights_j = softmax over T of f_j(h) + bias_j; slot j of the mean = w_e(sum_t weights_jt h_t).
 * hidden [B, T, D], bias [B, k, T] (`poolBias`) -> weights [B, k, T], mean [B, Z], log variance [B, Z] of w_s.
 */
export function pool(head: HeadInputs, hidden: Value, bias: Value): PosteriorValues & { weights: Value } {
  const { slots = 1, zDim } = head;
  const [b, , d] = hidden.shape as [number, number, number];
  const scores = add(linear(hidden, headParameter(head, "f.weight")), headParameter(head, "f.bias"));
  const weights = softmax(add(transpose(scores, [0, 2, 1]), bias));
  const pooled = reshape(matmul(weights, hidden), [timesDim(slots, b), d]);
  const layer = (name: string) => {
    const values = add(linear(pooled, headParameter(head, `${name}.weight`)), headParameter(head, `${name}.bias`));
    return reshape(values, [b, zDim]);
  };
  const mean = layer("w_e");
  return head.learnedVariance ? { weights, mean, logVariance: layer("w_s") } : { weights, mean };
}

/** The k embeddings that stand for a latent, w_d(z_j) + s_j: z [B, Z] -> [B, k, D]. */
export function latentEmbeddings(head: HeadInputs, z: Value): Value {
  const { slots = 1, zDim, config } = head;
  const b = z.shape[0]!;
  const rows = reshape(z, [timesDim(slots, b), zDim / slots]);
  const embedded = add(linear(rows, headParameter(head, "w_d.weight")), headParameter(head, "w_d.bias"));
  const embeddings = reshape(embedded, [b, slots, config.hiddenSize]);
  return slots > 1 ? add(embeddings, headParameter(head, "s.weight")) : embeddings;
}
