/** The encoder: text to latent. The causal mask is removed, the last hidden state is pooled, no logits are computed. */
import { input, type Value } from "../graph/index.js";
import { bidirectionalAttention, ropeInputs } from "../model/attention.js";
import { hiddenStates } from "../model/llama.js";
import type { Linear } from "../model/lora.js";
import { type HeadInputs, pool } from "./head.js";

/**
 * Inputs: embeddings [B, T, D], positions [B, T], mask [B, 1, 1, T] (added to scores), pool_bias [B, k, T], rope tables,
 * weights. Outputs: mean [B, Z] and slot_weights [B, k, T]; log_variance [B, Z] where the head has w_s.
 */
export function encoderGraph(head: HeadInputs, linear: Linear): Record<string, Value> {
  const { config, parameter, slots = 1 } = head;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const positions = input("positions", ["B", "T"], "int64");
  const mask = input("mask", ["B", 1, 1, "T"]);
  const attend = bidirectionalAttention(config, positions, mask, ropeInputs(config));
  const hidden = hiddenStates({ config, parameter, linear, attend }, embeddings);
  const { weights, mean, logVariance } = pool(head, hidden, input("pool_bias", ["B", slots, "T"]));
  return { mean, slot_weights: weights, ...(logVariance ? { log_variance: logVariance } : {}) };
}
