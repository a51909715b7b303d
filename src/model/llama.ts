/** The Llama family's Transformer (Touvron et al. 2023), in reading order: block, stack, head. */
import { add, checkpoint, gatherRows, mul, rmsNorm, silu, type Value } from "../graph/index.js";
import type { Attend } from "./attention.js";
import { type Frozen, frozenLinear, type Linear } from "./lora.js";
import { EMBEDDING, headName } from "./weights.js";

/** What a forward pass is made of; swapping one part gives the adapters, the cache and the training forms. */
export interface Forward extends Frozen {
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
  const projections = ["q", "k", "v"].map((name) => `${path}.self_attn.${name}_proj`);
  const [q, k, v] = linear(projections, h) as [Value, Value, Value];
  const [mixed] = linear([`${path}.self_attn.o_proj`], attend(layer, q, k, v)) as [Value];
  const attended = add(x, mixed);
  const m = norm("post_attention_layernorm", attended);
  const [gate, up] = linear([`${path}.mlp.gate_proj`, `${path}.mlp.up_proj`], m) as [Value, Value];
  const [down] = linear([`${path}.mlp.down_proj`], mul(silu(gate), up)) as [Value];
  return add(attended, down);
}

/** Blocks begin..end-1: [.., D] -> [.., D]. */
export function blocks(forward: Forward, begin: number, end: number, x: Value): Value {
  let y = x;
  for (let layer = begin; layer < end; layer++) {
    const layerBlock = (value: Value) => block(forward, layer, value);
    y = forward.checkpointing ? checkpoint(y, layerBlock) : layerBlock(y);
  }
  return y;
}

/** The norm behind the last block: [.., D] -> [.., D]. */
export function finalNorm({ config, parameter }: Frozen, x: Value): Value {
  return rmsNorm(x, parameter("model.norm.weight", [config.hiddenSize]), config.rmsNormEps);
}

/** All blocks and the final norm: token embeddings [.., D] -> last hidden state [.., D]. */
export function hiddenStates(forward: Forward, embeddings: Value): Value {
  return finalNorm(forward, blocks(forward, 0, forward.config.numHiddenLayers, embeddings));
}

/** Rows of the embedding table: ids [..] -> [.., D]. */
export function embedTokens({ config, parameter }: Frozen, ids: Value): Value {
  return gatherRows(parameter(EMBEDDING, [config.vocabSize, config.hiddenSize]), ids);
}

/** Hidden states [M, D] -> logits [M, V]. */
export function logits(frozen: Frozen, hidden: Value): Value {
  const { config } = frozen;
  return frozenLinear(frozen, headName(config), [config.vocabSize, config.hiddenSize], hidden);
}
