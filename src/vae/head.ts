/** The VAE's own layers: attention pooling into a latent, and the latent as an input embedding. MiniHF train_vae_overlap.py, class VAEComponent. */
import { add, linear, matmul, reshape, softmax, type Value } from "../graph/index.js";
import type { ModelConfig } from "../model/config.js";
import type { Parameter } from "../model/lora.js";

/** Names on disk (vae.safetensors) and shapes: f scores tokens for the pool, w_e makes the latent, w_d the embedding of a latent. */
export function headShapes({ hiddenSize: d }: ModelConfig, zDim: number): Map<string, readonly number[]> {
  return new Map([
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
}

function headParameter({ config, zDim, parameter }: HeadInputs, name: string): Value {
  return parameter(`vae.${name}`, headShapes(config, zDim).get(name)!);
}

/**
 * weights = softmax over T of f(h) + mask; mean = w_e(sum_t weights_t h_t).
 * hidden [B, T, D], mask [B, T] (0, or MASKED for padding) -> weights [B, T], mean [B, Z].
 */
export function pool(head: HeadInputs, hidden: Value, mask: Value): { weights: Value; mean: Value } {
  const [b, t, d] = hidden.shape as [number, number, number];
  const scores = add(linear(hidden, headParameter(head, "f.weight")), headParameter(head, "f.bias"));
  const weights = softmax(add(reshape(scores, [b, t]), mask));
  const pooled = reshape(matmul(reshape(weights, [b, 1, t]), hidden), [b, d]);
  const mean = add(linear(pooled, headParameter(head, "w_e.weight")), headParameter(head, "w_e.bias"));
  return { weights, mean };
}

/** w_d(z), the embedding that stands for a latent: z [B, Z] -> [B, D]. */
export function latentEmbedding(head: HeadInputs, z: Value): Value {
  return add(linear(z, headParameter(head, "w_d.weight")), headParameter(head, "w_d.bias"));
}
