/** The step that decoder, router and base share when they write: new tokens against a shared context and each row's own past. */
import { gatherRows, input, reshape, type Value } from "../graph/index.js";
import { cachedAttention } from "../model/attention.js";
import { hiddenStates, logits } from "../model/llama.js";
import type { Frozen, Linear } from "../model/lora.js";

/**
 * Inputs: embeddings [B, T, D], those of cachedAttention, selected [N] (rows of the flat [B*T] whose logits are wanted), weights.
 * Outputs: logits [N, V] and the new keys and values.
 */
export function writerGraph(frozen: Frozen, linear: Linear): Record<string, Value> {
  const { config } = frozen;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const { attend, outputs } = cachedAttention(config);
  const hidden = hiddenStates({ ...frozen, linear, attend }, embeddings);
  const selected = gatherRows(reshape(hidden, ["B*T", config.hiddenSize]), input("selected", ["N"], "int64"));
  return { logits: logits(frozen, selected), ...outputs };
}
