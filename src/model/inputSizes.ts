/** How large the inputs of linear layers and head are while a base reads a text: what products in int8 are balanced by (weights/columns). */
import { input, mul, reduceMean, type Value } from "../graph/index.js";
import { groupedAttention, ropeInputs } from "./attention.js";
import { hiddenStates } from "./llama.js";
import { baseLinear, type Frozen, type Linear } from "./lora.js";
import { headName, stackName } from "./weights.js";

/** The power that is averaged: its root is near the largest value, and does not hang on a single token. */
export const INPUT_POWER = 8;

/**
 * Inputs: embeddings [T, D], positions [1, T], mask [1, 1, G*T, T], rope tables, weights. Outputs by the stack of matrices that read the same x [T, in]
 * (model/weights matrixStacks): the mean of x^8 over the tokens, [1, in].
 */
export function inputPowersGraph(frozen: Frozen, time: number): Record<string, Value> {
  const { config } = frozen;
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  const base = baseLinear(frozen);
  const outputs: Record<string, Value> = {};
  const measure = (name: string, x: Value) => {
    const fourth = mul(mul(x, x), mul(x, x));
    outputs[name] = reduceMean(mul(fourth, fourth), 0);
  };
  const linear: Linear = (paths, x) => {
    measure(stackName(paths), x);
    return base(paths, x);
  };
  const positions = input("positions", [1, time], "int64");
  const mask = input("mask", [1, 1, group * time, time]);
  const attend = groupedAttention(config, [{ batch: 1, time, positions, mask }], ropeInputs(config));
  const hidden = hiddenStates({ ...frozen, linear, attend }, input("embeddings", [time, config.hiddenSize]));
  measure(headName(config), hidden);
  return outputs;
}
