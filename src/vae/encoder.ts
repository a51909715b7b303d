/** The encoder: text to latent. The causal mask is removed, the last hidden state is pooled, no logits are computed. */
import { input, reshape, type Value } from "../graph/index.js";
import { bidirectionalAttention, ropeInputs } from "../model/attention.js";
import { hiddenStates } from "../model/llama.js";
import type { Linear } from "../model/lora.js";
import { type HeadInputs, pool } from "./head.js";

/**
 * Inputs: embeddings [B, T, D], positions [B, T], mask [B, 1, 1, T] (added to scores), rope tables, weights.
 * Outputs: mean [B, Z] and pool_weights [B, T]; log_variance [B, Z] where the head has w_s.
 */
export function encoderGraph(head: HeadInputs, linear: Linear): Record<string, Value> {
  const { config, parameter } = head;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const positions = input("positions", ["B", "T"], "int64");
  const mask = input("mask", ["B", 1, 1, "T"]);
  const attend = bidirectionalAttention(config, positions, mask, ropeInputs(config));
  const hidden = hiddenStates({ config, parameter, linear, attend }, embeddings);
  const { weights, mean, logVariance } = pool(head, hidden, reshape(mask, ["B", "T"]));
  return { mean, pool_weights: weights, ...(logVariance ? { log_variance: logVariance } : {}) };
}
