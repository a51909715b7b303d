/** The VAE's own layers: attention pooling into a latent, and the latent as an input embedding. MiniHF train_vae_overlap.py, class VAEComponent. */
import { add, linear, matmul, reshape, softmax, type Value } from "../graph/index.js";
import type { ModelConfig } from "../model/config.js";
import type { Parameter } from "../model/lora.js";

/**
 * Names on disk (vae.safetensors) and shapes: f scores tokens for the pool, w_e makes the latent, w_d the embedding of a
 * latent. w_s, where the variance is learned, makes log s^2; published checkpoints have none (s = 1), and their code passes it over.
 */
export function headShapes(
  { hiddenSize: d }: ModelConfig,
  zDim: number,
  learnedVariance = false,
): Map<string, readonly number[]> {
  const variance: [string, readonly number[]][] = [
    ["w_s.weight", [zDim, d]],
    ["w_s.bias", [zDim]],
  ];
  return new Map([
    ...(learnedVariance ? variance : []),
    ["f.weight", [1, d]],
    ["f.bias", [1]],
    ["w_e.weight", [zDim, d]],
    ["w_e.bias", [zDim]],
    ["w_d.weight", [d, zDim]],
    ["w_d.bias", [d]],
  ]);
}

/** Graph inputs of the head: the names on disk behind "vae.". */
export interface HeadInputs {
  config: ModelConfig;
  zDim: number;
  parameter: Parameter;
  /** Whether w_s is there. */
  learnedVariance?: boolean;
}

/** What a text is encoded as: N(mean, s^2), s = 1 where there is no log variance. */
export interface PosteriorValues {
  /** [B, Z] */
  mean: Value;
  /** log s^2 [B, Z] */
  logVariance?: Value;
}

function headParameter({ config, zDim, parameter, learnedVariance }: HeadInputs, name: string): Value {
  return parameter(`vae.${name}`, headShapes(config, zDim, learnedVariance).get(name)!);
}

/**
 * weights = softmax over T of f(h) + mask; mean = w_e(sum_t weights_t h_t).
 * hidden [B, T, D], mask [B, T] (0, or MASKED for padding) -> weights [B, T], mean [B, Z], log variance [B, Z] of w_s.
 */
export function pool(head: HeadInputs, hidden: Value, mask: Value): PosteriorValues & { weights: Value } {
  const [b, t, d] = hidden.shape as [number, number, number];
  const scores = add(linear(hidden, headParameter(head, "f.weight")), headParameter(head, "f.bias"));
  const weights = softmax(add(reshape(scores, [b, t]), mask));
  const pooled = reshape(matmul(reshape(weights, [b, 1, t]), hidden), [b, d]);
  const layer = (name: string) =>
    add(linear(pooled, headParameter(head, `${name}.weight`)), headParameter(head, `${name}.bias`));
  const mean = layer("w_e");
  return head.learnedVariance ? { weights, mean, logVariance: layer("w_s") } : { weights, mean };
}

/** w_d(z), the embedding that stands for a latent: z [B, Z] -> [B, D]. */
export function latentEmbedding(head: HeadInputs, z: Value): Value {
  return add(linear(z, headParameter(head, "w_d.weight")), headParameter(head, "w_d.bias"));
}
