/** The graph of some consecutive blocks with an adapter beside every linear layer. */
import { add, gatherRows, input, linear, mul, reshape, type Value } from "../graph/index.js";
import { cachedAttention } from "../model/attention.js";
import type { ModelConfig } from "../model/config.js";
import { blocks, finalNorm, logits } from "../model/llama.js";
import { baseLinear, type Frozen, type Linear, loraName } from "../model/lora.js";
import { headName, linearShapes } from "../model/weights.js";
import { float32, type HostTensor, type HostTensors } from "../runtime/runtime.js";

/** Blocks begin..end-1; a part that ends with the last block has the final norm and the language-model head behind it, or is them alone. */
export interface Part {
  begin: number;
  end: number;
  hasHead: boolean;
}

/** Names on disk of the weights of a part. */
export function partNames(config: ModelConfig, { begin, end, hasHead }: Part): string[] {
  const layers = Array.from({ length: end - begin }, (_, i) => layerNames(config, begin + i)).flat();
  return hasHead ? [...layers, "model.norm.weight", headName(config)] : layers;
}

/** Names on disk of the weights of a block. */
export function layerNames(config: ModelConfig, layer: number): string[] {
  const prefix = `layers.${layer}.`;
  const linears = [...linearShapes(config).keys()].filter((path) => path.startsWith(prefix));
  const norms = ["input_layernorm", "post_attention_layernorm"].map((norm) => `${prefix}${norm}`);
  return [...norms, ...linears].map((path) => `model.${path}.weight`);
}

/**
 * Inputs as of vae/writer, but that `embeddings` [B, T, D] is what the first block reads. Outputs: hidden [B, T, D], the new keys and values, and
 * of the part with the head logits [N, V] of the `selected`; its hidden states are normed.
 */
export function partGraph(frozen: Frozen, { begin, end, hasHead }: Part, adapted: boolean): Record<string, Value> {
  const { config } = frozen;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const { attend, outputs } = cachedAttention(config);
  const linear = adapted ? adaptedLinear(frozen) : baseLinear(frozen);
  const hidden = blocks({ ...frozen, linear, attend }, begin, end, embeddings);
  if (!hasHead) return { hidden, ...outputs };
  const normed = finalNorm(frozen, hidden);
  const selected = gatherRows(reshape(normed, ["B*T", config.hiddenSize]), input("selected", ["N"], "int64"));
  return { hidden: normed, logits: logits(frozen, selected), ...outputs };
}

/**
 * The linear layers with an adapter of any rank R beside each, another one for each row: inputs `lora.PATH.lora_A` [B, R, in], `lora.PATH.lora_B` [B, out, R] and
 * `lora.scale` [B, 1, R]. Where all rows have the same, it is fed once, with 1 in place of B.
 */
function adaptedLinear(frozen: Frozen): Linear {
  const base = baseLinear(frozen);
  const shapes = linearShapes(frozen.config);
  const scale = input("lora.scale", ["B", 1, "R"]);
  return (paths, x) => {
    const products = base(paths, x);
    return paths.map((path, i) => {
      const [out, width] = shapes.get(path)!;
      const a = frozen.parameter(loraName("lora", path, "A"), ["B", "R", width]);
      const b = frozen.parameter(loraName("lora", path, "B"), ["B", out, "R"]);
      return add(products[i]!, linear(mul(linear(x, a), scale), b));
    });
  };
}

/** Caches without entries, for a run that has nothing before it. */
export function emptyCaches(config: ModelConfig, rows: number): HostTensors {
  const { numHiddenLayers, numKeyValueHeads: kv, headDim } = config;
  const empty = (of: number) => float32(new Float32Array(0), of, kv, 0, headDim);
  const feeds: Record<string, HostTensor> = {};
  for (let layer = 0; layer < numHiddenLayers; layer++) {
    for (const part of ["key", "value"]) {
      feeds[`shared_${part}.${layer}`] = empty(1);
      feeds[`past_${part}.${layer}`] = empty(rows);
    }
  }
  return feeds;
}
