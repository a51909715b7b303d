/** `train base` as a library call: a small Llama from scratch, written as a Hugging Face folder. */
import { join } from "node:path";
import { Shards, type Split } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic, writeSafetensors } from "../formats/index.js";
import { formatConfig, type ModelConfig } from "../model/config.js";
import { Rng } from "../rng.js";
import type { Runtime } from "../runtime/runtime.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { storedTensors } from "./checkpoint.js";
import type { Microbatch } from "./objective.js";
import { RowOrder, type RowSource } from "./rowOrder.js";
import { type RunOptions, runTraining } from "./run.js";
import { baseObjective } from "./trainBase.js";

export interface TrainBaseOptions extends Omit<RunOptions, "heldOut" | "samples" | "finish" | "facts" | "schedule"> {
  /** Folder of shards (data prepare). */
  preprocessed: string;
  tokenizer: Tokenizer;
  config: ModelConfig;
  /** Tokens of a row that are fed. */
  context: number;
  batchSize: number;
  /** Passes over the data; or give `steps`. */
  epochs: number;
  steps?: number;
  lr: number;
  warmup: number;
  lrDecay: "constant" | "cosine";
  seed: number;
}

/** Held-out rows looked at: about 16,000 tokens at a context of 256. */
const HELD_OUT_BATCHES = 8;

/** Trains a base. Returns whether the run is finished (false: aborted, to be resumed). */
export async function trainBase(runtime: Runtime, options: TrainBaseOptions): Promise<boolean> {
  const { config, context, batchSize, seed, accumulation } = options;
  const rng = Rng.fromSeed(seed);
  const [training, validation] = await Promise.all([openRows(options, "train"), openRows(options, "validation")]);
  try {
    const rows = new RowOrder(training, batchSize, accumulation, rng.fork("rows"));
    const objective = baseObjective({ config, rows, context, batchSize, rng });
    const held = new RowOrder(validation, batchSize, 1, rng.fork("held out"));
    const heldObjective = baseObjective({ config, rows: held, context, batchSize, rng });
    const count = Math.min(HELD_OUT_BATCHES, held.steps(1));
    const heldOut: Microbatch[] = await Promise.all(
      Array.from({ length: count }, (_, i) => heldObjective.microbatch(i + 1, 0)),
    );
    const totalSteps = options.steps ?? rows.steps(options.epochs);
    if (totalSteps < 1) throw tooLittleData(options.preprocessed, training.rowCount, batchSize * accumulation);
    return await runTraining(runtime, objective, {
      ...options,
      heldOut,
      facts: { kind: "base", seed, context, batchSize, accumulation, totalSteps, lr: options.lr, config },
      schedule: { lr: options.lr, warmup: options.warmup, decay: options.lrDecay, totalSteps },
      finish: () => writeBase(options.output, config, options.tokenizer, storedTensors(objective.parameters)),
    });
  } finally {
    await Promise.all([training.close(), validation.close()]);
  }
}

/** Rows of `context + 1` tokens of one split. */
async function openRows(
  { preprocessed, context }: TrainBaseOptions,
  split: Split,
): Promise<RowSource & { close(): Promise<void> }> {
  const shards = await Shards.open(preprocessed, split);
  return {
    rowCount: shards.rowCount(context + 1),
    row: (index) => shards.row(index, context + 1),
    close: () => shards.close(),
  };
}

/** A model's folder in Hugging Face form. */
export async function writeBase(
  folder: string,
  config: ModelConfig,
  tokenizer: Tokenizer,
  weights: ReturnType<typeof storedTensors>,
): Promise<void> {
  const json = (value: unknown) => new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
  const special = { bosId: tokenizer.bosId ?? 0, eosId: tokenizer.eosId ?? 0 };
  await writeSafetensors(join(folder, "model.safetensors"), weights, { format: "pt" });
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

function tooLittleData(folder: string, rows: number, needed: number): BigVaeError {
  return new BigVaeError(
    "usage",
    `train: expected at least ${needed} rows for one step in ${folder}, got ${rows}; prepare more text or lower --batch-size`,
  );
}
