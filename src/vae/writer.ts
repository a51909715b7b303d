/** The step that decoder, router and base share when they write: new tokens against a shared context and each row's own past. */
import { gatherRows, input, reshape, type Value } from "../graph/index.js";
import { cachedAttention, ropeInputs } from "../model/attention.js";
import type { ModelConfig } from "../model/config.js";
import { hiddenStates, logits } from "../model/llama.js";
import type { Linear, Parameter } from "../model/lora.js";

/**
 * Inputs: embeddings [B, T, D], positions [B, T], mask [B, 1, G*T, C+S+T], sizes [3] = (C, S, T), the caches of
 * cachedAttention, selected [N] (rows of the flat [B*T] whose logits are wanted), rope tables, weights.
 * Outputs: logits [N, V] and the new keys and values.
 */
export function writerGraph(config: ModelConfig, parameter: Parameter, linear: Linear): Record<string, Value> {
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const { attend, outputs } = cachedAttention(config, {
    positions: input("positions", ["B", "T"], "int64"),
    mask: input("mask", ["B", 1, group === 1 ? "T" : `${group}*T`, "C+S+T"]),
    sizes: input("sizes", [3], "int64"),
    ...ropeInputs(config),
  });
  const hidden = hiddenStates({ config, parameter, linear, attend }, embeddings);
  const selected = gatherRows(reshape(hidden, ["B*T", config.hiddenSize]), input("selected", ["N"], "int64"));
  return { logits: logits({ config, parameter }, selected), ...outputs };
}
