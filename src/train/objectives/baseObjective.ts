/** The objective of a base: next-token prediction over packed rows, all weights trained. */
import { crossEntropy, input, mul, sumAll } from "../../graph/index.js";
import { groupedAttention, ropeInputs } from "../../model/attention.js";
import type { ModelConfig } from "../../model/config.js";
import { embedTokens, hiddenStates, logits } from "../../model/llama.js";
import { baseLinear, makeParameter } from "../../model/lora.js";
import { weightShapes } from "../../model/weights.js";
import type { Rng } from "../../rng.js";
import { int64 } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import { FlatTensors } from "../loop/flatTensors.js";
import type { Microbatch, Objective } from "../loop/objective.js";
import { foldedCausalMask, ropeFeeds } from "./attentionFeeds.js";
import type { RowOrder } from "./rowOrder.js";

export interface BaseObjectiveOptions {
  config: ModelConfig;
  /** Rows of `contextLength + 1` tokens: inputs and, one to the right, labels. */
  rows: RowOrder;
  /** Tokens of a row that are fed. */
  contextLength: number;
  batchSize: number;
  /** Blocks are computed again for the gradients, so that memory holds one of them at a time. */
  checkpointing?: boolean;
  rng: Rng;
}

/** Next-token prediction with freshly initialised weights. */
export function baseObjective(options: BaseObjectiveOptions): Objective {
  const parameters = new FlatTensors(weightShapes(options.config));
  initialise(parameters, options.config, options.rng);
  return { parameters, frozen: {}, microbatch: baseBatches(options) };
}

/** The microbatches of the rows, without parameters of their own. */
export function baseBatches(options: Omit<BaseObjectiveOptions, "rng">): Objective["microbatch"] {
  const { config, rows, contextLength, batchSize, checkpointing } = options;
  const constants = {
    positions: int64(
      Array.from({ length: batchSize * contextLength }, (_, i) => i % contextLength),
      batchSize,
      contextLength,
    ),
    mask: foldedCausalMask(config, contextLength),
    ...ropeFeeds(config, contextLength),
  };
  return async (step, index): Promise<Microbatch> => {
    const batch = await rows.batch(step, index);
    const ids = batch.map((row) => row.inputIds);
    const graph = () => baseLoss(config, batchSize, contextLength, checkpointing);
    const tokens = batchSize * contextLength;
    return { shapeKey: "base", graph, feeds: { ...constants, ...shifted(ids, contextLength) }, weight: tokens, tokens };
  };
}

/** Mean cross entropy of every token of `batch` rows of `time` tokens. */
export function baseLoss(config: ModelConfig, batch: number, time: number, checkpointing = false): LossGraph {
  const parameter = makeParameter();
  const parameters = new Map(Array.from(weightShapes(config), ([name, shape]) => [name, parameter(name, shape)]));
  const group = config.numAttentionHeads / config.numKeyValueHeads;
  const positions = input("positions", [batch, time], "int64");
  const mask = input("mask", [1, 1, group * time, time]);
  const attend = groupedAttention(config, [{ batch, time, positions, mask }], ropeInputs(config));
  const forward = { config, parameter, linear: baseLinear({ config, parameter }), attend, checkpointing };
  const hidden = hiddenStates(forward, embedTokens(forward, input("input_ids", [batch * time], "int64")));
  const losses = crossEntropy(logits(forward, hidden), input("labels", [batch * time], "int64"));
  return { loss: mul(sumAll(losses), 1 / (batch * time)), metrics: {}, parameters };
}

function shifted(rows: readonly Int32Array[], contextLength: number) {
  const flat = (offset: number) =>
    int64(
      rows.flatMap((row) => Array.from(row.subarray(offset, offset + contextLength))),
      rows.length * contextLength,
    );
  return { input_ids: flat(0), labels: flat(1) };
}

/** Normal with deviation 0.02; the layers that write into the residual stream are scaled by 1/sqrt(2 * layers) (GPT-2). Norms are 1. */
function initialise(parameters: FlatTensors, config: ModelConfig, rng: Rng): void {
  const residual = 1 / Math.sqrt(2 * config.numHiddenLayers);
  for (const [name, shape] of parameters.shapes) {
    const values = parameters.values(name);
    if (shape.length === 1) {
      values.fill(1);
      continue;
    }
    const deviation = 0.02 * (/o_proj|down_proj/.test(name) ? residual : 1);
    const stream = rng.fork("init", name);
    for (let i = 0; i < values.length; i++) values[i] = deviation * stream.normal();
  }
}
