/** The Llama family's Transformer (Touvron et al. 2023), in reading order: block, stack, head. */
import { add, checkpoint, gatherRows, linear, mul, rmsNorm, silu, type Value } from "../graph/index.js";
import type { Attend } from "./attention.js";
import type { ModelConfig } from "./config.js";
import type { Linear, Parameter } from "./lora.js";
import { EMBEDDING, headName } from "./weights.js";

/** What a forward pass is made of; swapping one part gives the adapters, the cache and the training forms. */
export interface Forward {
  config: ModelConfig;
  parameter: Parameter;
  linear: Linear;
  attend: Attend;
  /** Training keeps the input of each block alone, and computes the rest of it again for the gradients. */
  checkpointing?: boolean;
}

/** x + attention(norm(x)), then x + mlp(norm(x)). x [.., D] -> [.., D] */
function block({ config, parameter, linear, attend }: Forward, layer: number, x: Value): Value {
  const path = `layers.${layer}`;
  const norm = (name: string, value: Value) =>
    rmsNorm(value, parameter(`model.${path}.${name}.weight`, [config.hiddenSize]), config.rmsNormEps);
  const h = norm("input_layernorm", x);
  const [q, k, v] = ["q", "k", "v"].map((name) => linear(`${path}.self_attn.${name}_proj`, h)) as [Value, Value, Value];
  const attended = add(x, linear(`${path}.self_attn.o_proj`, attend(layer, q, k, v)));
  const m = norm("post_attention_layernorm", attended);
  const gated = mul(silu(linear(`${path}.mlp.gate_proj`, m)), linear(`${path}.mlp.up_proj`, m));
  return add(attended, linear(`${path}.mlp.down_proj`, gated));
}

/** All blocks and the final norm: token embeddings [.., D] -> last hidden state [.., D]. */
export function hiddenStates(forward: Forward, embeddings: Value): Value {
  const { config, parameter, checkpointing } = forward;
  let x = embeddings;
  for (let layer = 0; layer < config.numHiddenLayers; layer++) {
    const layerBlock = (value: Value) => block(forward, layer, value);
    x = checkpointing ? checkpoint(x, layerBlock) : layerBlock(x);
  }
  return rmsNorm(x, parameter("model.norm.weight", [config.hiddenSize]), config.rmsNormEps);
}

/** Rows of the embedding table: ids [..] -> [.., D]. */
export function embedTokens({ config, parameter }: Pick<Forward, "config" | "parameter">, ids: Value): Value {
  return gatherRows(parameter(EMBEDDING, [config.vocabSize, config.hiddenSize]), ids);
}

/** Hidden states [M, D] -> logits [M, V]. */
export function logits({ config, parameter }: Pick<Forward, "config" | "parameter">, hidden: Value): Value {
  return linear(hidden, parameter(headName(config), [config.vocabSize, config.hiddenSize]));
}
