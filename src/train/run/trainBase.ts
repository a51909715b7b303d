/** `train base`: a small Llama, all weights, written as a Hugging Face folder. */
import type { BaseModel } from "../../engine/baseModel.js";
import { BigVaeError } from "../../errors.js";
import { findTokenizer, openTokenizer } from "../../host/modelFiles.js";
import { type ModelConfig, parseConfig } from "../../model/config.js";
import { baseBatches, baseObjective } from "../objectives/baseObjective.js";
import { writeBase } from "./baseFolder.js";
import type { BaseFacts } from "./facts.js";
import { openTrainingBase } from "./open.js";
import { BASE_OPTIONS, SHAPE_OPTIONS } from "./options/base.js";
import type { PlannedOptions, RunOptions, Settled } from "./options/table.js";
import type { RunPlan } from "./plan.js";
import { checkWindow, dataFacts, heldOutBatches, withRows } from "./runData.js";
import { planOf, type RunContext, type RunControl, type RunType, startRun } from "./start.js";

/** Options of `trainBase`, each with its default and what it means in `TRAIN_OPTIONS.base`. */
export type TrainBaseOptions = RunOptions<typeof BASE_OPTIONS>;

/** Options of `planBase`: those of `trainBase`; `output` may be left out. */
export type PlanBaseOptions = PlannedOptions<typeof BASE_OPTIONS>;

/**
 * Trains a small Llama on prepared rows, from scratch or from `startFrom`, and writes it into `output` as a Hugging Face folder.
 * Returns whether the run is finished; false where `signal` ended it, to be resumed.
 * @throws BigVaeError: "usage" and "mismatch" naming the option, "format", "memory", "locked", "disk", "diverged".
 */
export function trainBase(options: TrainBaseOptions, control: RunControl = {}): Promise<boolean> {
  return startRun(baseRun, options, control);
}

/** What `trainBase` would take; nothing is written. @throws BigVaeError as `trainBase` does. */
export function planBase(options: PlanBaseOptions, control: Pick<RunControl, "onReport"> = {}): Promise<RunPlan> {
  return planOf(baseRun, options, control);
}

type Options = Settled<typeof BASE_OPTIONS>;

/** Trains a base. */
const baseRun: RunType<Options> = {
  command: "base",
  table: BASE_OPTIONS,
  async prepare(context, use) {
    const { options } = context;
    const { contextLength, batchSize, weightDecay, gradientCheckpointing: checkpointing } = options;
    const tokenizer = await openTokenizer(await findTokenizer(options.tokenizer));
    const start = await openStart(context, tokenizer.vocabSize);
    const config = start?.base.config ?? baseConfig(options, tokenizer.vocabSize);
    checkWindow("`contextLength`", contextLength, config.maxPositionEmbeddings);
    // The base scores a text behind the end token (eval/scoring): rows begin there, else the model meets that only by chance.
    const choice = {
      columns: contextLength + 1,
      lowers: "contextLength" as const,
      minTokens: 2,
      beginId: tokenizer.eosId,
    };
    return withRows({ ...options, tokenizer }, choice, async (data) => {
      const { rows, held, schedule, rng } = data;
      const objective = baseObjective({ config, rows, contextLength, batchSize, checkpointing, rng });
      for (const [name, { data }] of Object.entries(start?.base.weights.tensors ?? {}))
        objective.parameters.set(name, data as Float32Array);
      const facts = {
        ...{ kind: "base" as const, context: contextLength, weightDecay, config },
        ...(start ? { startSha256: start.baseSha256 } : {}),
        ...dataFacts({ ...options, tokenizer }, data),
      } satisfies BaseFacts;
      const run = {
        objective,
        heldOut: await heldOutBatches(held, baseBatches({ config, rows: held, contextLength, batchSize })),
        schedule,
        facts,
        finish: () => writeBase(options.output, config, tokenizer, objective.parameters),
      };
      const tokensPerRow = contextLength + 1;
      const reads = () => ({ rows: batchSize, tokens: batchSize * tokensPerRow });
      return use(run, { rowCount: rows.source.rowCount, tokensPerRow, reads });
    });
  },
};

/** The base to initialize from. Throws where an option would give it another shape, or the tokenizer is of another size. */
async function openStart({ options, explicit, machine }: RunContext<Options>, vocabSize: number) {
  if (options.startFrom === undefined) return undefined;
  const shape = Object.keys(SHAPE_OPTIONS).find((name) => explicit.has(name));
  if (shape !== undefined) {
    throw new BigVaeError("usage", {
      subject: "`startFrom`",
      expected: `no \`${shape}\` beside it, as the base keeps its shape`,
      got: "both",
      remedy: "leave one of them out",
    });
  }
  const { base, baseSha256 } = await openTrainingBase({ model: options.startFrom }, "startFrom", machine);
  checkVocabulary(base, vocabSize);
  return { base, baseSha256 };
}

function checkVocabulary({ config }: BaseModel, vocabSize: number): void {
  if (config.vocabSize === vocabSize) return;
  throw new BigVaeError("mismatch", {
    subject: "`tokenizer`",
    expected: `${config.vocabSize} tokens, the vocabulary of \`startFrom\``,
    got: vocabSize,
    remedy: "give the tokenizer of that base",
  });
}

function baseConfig(options: Options, vocabSize: number): ModelConfig {
  const { hiddenSize, heads, kvHeads } = options;
  if (hiddenSize % (2 * heads) !== 0)
    throw new BigVaeError("usage", {
      subject: "`hiddenSize`",
      expected: `a multiple of twice the ${heads} \`heads\``,
      got: hiddenSize,
      remedy: "a head has an even width",
    });
  if (heads % kvHeads !== 0)
    throw new BigVaeError("usage", {
      subject: "`kvHeads`",
      expected: `a divisor of the ${heads} \`heads\``,
      got: kvHeads,
      remedy: "as many heads share each",
    });
  return parseConfig({
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: hiddenSize,
    intermediate_size: options.intermediateSize,
    num_hidden_layers: options.layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    rope_theta: options.ropeTheta,
    rms_norm_eps: 1e-5,
    max_position_embeddings: options.maxPositions,
    tie_word_embeddings: true,
  });
}
