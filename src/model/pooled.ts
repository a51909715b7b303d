/** The mean of the last hidden states over some tokens of each row, behind the final norm: a text as a vector of the base alone. */
import { input, matmul, timesDim, type Value } from "../graph/index.js";
import { bidirectionalAttention, ropeInputs } from "./attention.js";
import { hiddenStates } from "./llama.js";
import type { Frozen, Linear } from "./lora.js";

/**
 * Inputs: embeddings [B, T, D], positions [B, T], mask [B, 1, G*T, T] (added to scores; or what broadcasts to it when it is fed),
 * pool [B, 1, T] (the weight of each token), rope tables, weights. Output: mean [B, 1, D].
 */
export function pooledGraph(frozen: Frozen, linear: Linear): Record<string, Value> {
  const { config } = frozen;
  const embeddings = input("embeddings", ["B", "T", config.hiddenSize]);
  const positions = input("positions", ["B", "T"], "int64");
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  const mask = input("mask", ["B", 1, timesDim(group, "T"), "T"]);
  const attend = bidirectionalAttention(config, positions, mask, ropeInputs(config));
  return meanOf(hiddenStates({ ...frozen, linear, attend }, embeddings));
}

/** The same from the last hidden states: input hidden [B, T, D]. */
export function poolingGraph({ config }: Frozen): Record<string, Value> {
  return meanOf(input("hidden", ["B", "T", config.hiddenSize]));
}

function meanOf(hidden: Value): Record<string, Value> {
  return { mean: matmul(input("pool", ["B", 1, "T"]), hidden) };
}
