/** `train base` as a library call: a small Llama from scratch, written as a Hugging Face folder. */
import { join } from "node:path";
import type { BaseModel } from "../../engine/baseModel.js";
import { writeFileAtomic, writeSafetensors } from "../../formats/index.js";
import { formatConfig, type ModelConfig } from "../../model/config.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { Tokenizer } from "../../tokenizer/index.js";
import { storedTensors } from "../loop/checkpoint.js";
import { baseBatches, baseObjective } from "../objectives/baseObjective.js";
import { type PlanOptions, planRun, type RunPlan } from "./plan.js";
import { checkWindow, type DataOptions, dataFacts, heldOutBatches, type TrainingRows, withRows } from "./runData.js";
import { type PreparedRun, type RunOptions, runTraining } from "./runTraining.js";

export interface TrainBaseOptions extends RunOptions, DataOptions {
  config: ModelConfig;
  /** A base of this config to go on from; fresh weights where left out. */
  startFrom?: BaseModel;
  /** Tokens of a row that are fed. */
  context: number;
  /** Blocks are computed again for the gradients: less memory, a third more time. */
  checkpointing?: boolean;
}

/** Trains a base. Returns whether the run is finished (false: aborted, to be resumed). */
export async function trainBase(runtime: Runtime, options: TrainBaseOptions): Promise<boolean> {
  return withBaseRun(options, (run) => runTraining(runtime, run, options));
}

/** What `trainBase` would take; nothing is written. */
export async function planBase(runtime: Runtime, options: TrainBaseOptions, plan: PlanOptions): Promise<RunPlan> {
  return withBaseRun(options, (run, rowCount) =>
    planRun(runtime, run, { ...options, rowCount, columns: options.context + 1 }, plan),
  );
}

async function withBaseRun<T>(
  options: TrainBaseOptions,
  use: (run: PreparedRun, rowCount: number) => Promise<T>,
): Promise<T> {
  const { config, context, batchSize, checkpointing = false } = options;
  checkWindow("`context`", context, config.maxPositionEmbeddings);
  const run = async (data: TrainingRows) => {
    const { rows, held, schedule, rng } = data;
    const objective = baseObjective({ config, rows, context, batchSize, checkpointing, rng });
    for (const [name, { data }] of Object.entries(options.startFrom?.weights ?? {}))
      objective.parameters.set(name, data as Float32Array);
    const heldOut = await heldOutBatches(held, baseBatches({ config, rows: held, context, batchSize }));
    const { weightDecay } = options;
    const prepared: PreparedRun = {
      objective,
      heldOut,
      schedule,
      facts: { kind: "base", context, weightDecay, config, ...dataFacts(options, data) },
      finish: () => writeBase(options.output, config, options.tokenizer, objective.parameters),
    };
    return use(prepared, rows.source.rowCount);
  };
  // The base scores a text behind the end token (eval/scoring): rows begin there, else the model meets that only by chance.
  return withRows(
    options,
    { columns: context + 1, setBy: "context", minTokens: 2, beginId: options.tokenizer.eosId },
    run,
  );
}

/** A model's folder in Hugging Face form. */
export async function writeBase(
  folder: string,
  config: ModelConfig,
  tokenizer: Tokenizer,
  weights: Parameters<typeof storedTensors>[0],
): Promise<void> {
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  const special = { bosId: tokenizer.bosId ?? 0, eosId: tokenizer.eosId ?? 0 };
  await writeSafetensors(join(folder, "model.safetensors"), storedTensors(weights), { format: "pt" });
  await writeFileAtomic(join(folder, "tokenizer.json"), json(tokenizer.toJson()));
  await writeFileAtomic(join(folder, "tokenizer_config.json"), json(tokenizerConfig(tokenizer)));
  await writeFileAtomic(join(folder, "config.json"), json(formatConfig(config, special)));
}

function tokenizerConfig(tokenizer: Tokenizer): Record<string, unknown> {
  const end = tokenizer.tokenText(tokenizer.eosId ?? 0);
  const begin = tokenizer.tokenText(tokenizer.bosId ?? tokenizer.eosId ?? 0);
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    clean_up_tokenization_spaces: false,
    bos_token: begin,
    eos_token: end,
    pad_token: end,
  };
}
