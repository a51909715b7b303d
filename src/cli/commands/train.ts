/** `bigvae train`: a base from scratch, the VAE, the router. */
import { Command, Option } from "@commander-js/extra-typings";
import { baseSha256, checkBaseHash } from "../../checkpoint/hashes.js";
import { readVae } from "../../checkpoint/vae.js";
import type { VaeAdapters } from "../../engine/adapters.js";
import type { BaseModel } from "../../engine/baseModel.js";
import { BigVaeError } from "../../errors.js";
import { availableBytes, checkFits } from "../../host/memory.js";
import { findModel, openBase, openTokenizer, readConfig } from "../../host/modelFiles.js";
import { parseConfig } from "../../model/config.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import { planBase, type TrainBaseOptions, trainBase } from "../../train/run/trainBase.js";
import { planRouter, type TrainRouterOptions, trainRouter } from "../../train/run/trainRouter.js";
import { planVae, type TrainVaeOptions, trainVae } from "../../train/run/trainVae.js";
import { flagName } from "../flags.js";
import { interruptSignal, realNumber, wholeNumber } from "../options.js";
import { warn } from "../shared.js";
import { lrDecay, positiveNumber, settleFlags, withAdapterTraining, withRun } from "./trainFlags.js";
import { printPlan, reportRun } from "./trainReport.js";

export function trainCommand() {
  return new Command("train")
    .description("Train a base, the VAE or the router.")
    .addCommand(baseCommand())
    .addCommand(vaeCommand())
    .addCommand(routerCommand());
}

function baseCommand() {
  return withRun(new Command("base").description("Train a small Llama from scratch, all weights."))
    .option("--tokenizer <path>", "tokenizer.json, a model's folder or a .gguf file")
    .option("--hidden-size <n>", "D", wholeNumber(2), 256)
    .option("--intermediate-size <n>", "width of the MLP", wholeNumber(1), 640)
    .option("--layers <n>", "blocks", wholeNumber(1), 6)
    .option("--heads <n>", "query heads", wholeNumber(1), 4)
    .option("--kv-heads <n>", "key heads", wholeNumber(1), 2)
    .option("--rope-theta <x>", "base of the rotary frequencies", realNumber(1), 10000)
    .option("--max-positions <n>", "window of the finished model", wholeNumber(1), 512)
    .option("--start-from <folder>", "a base to go on from, which keeps its shape")
    .option("--context <n>", "tokens of a training row", wholeNumber(1), 256)
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 8)
    .option("--gradient-accumulation-steps <n>", "microbatches of a step", wholeNumber(1), 4)
    .option("--lr <x>", "peak learning rate", positiveNumber, 2e-3)
    .addOption(lrDecay("cosine"))
    .option("--warmup <n>", "steps of linear warm-up", wholeNumber(), 100)
    .option("--weight-decay <x>", "decoupled weight decay of matrices", realNumber(0), 0.1)
    .option("--clip-norm <x>", "longest gradient", positiveNumber, 1)
    .option("--save-every <n>", "steps between checkpoints", wholeNumber(1), 200)
    .option("--eval-every <n>", "steps between looks at the held-out loss", wholeNumber(1), 200)
    .option("--seed <n>", "seed of weights and data order", wholeNumber(), 1)
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train base --preprocessed runs/rows --tokenizer runs/tokenizer.json --output runs/base",
    )
    .action(async (given, command) => {
      const { flags, runFile, explicit } = await settleFlags(command, given, ["preprocessed", "tokenizer"]);
      const tokenizer = await openTokenizer(flags.tokenizer);
      const startFrom = flags.startFrom ? await openStart(flags.startFrom, tokenizer.vocabSize, explicit) : undefined;
      const options: TrainBaseOptions = {
        ...flags,
        ...runParts(flags),
        runFile,
        tokenizer,
        startFrom,
        config: startFrom?.config ?? baseConfig(flags, tokenizer.vocabSize),
      };
      const runtime = onnxNodeRuntime({ threads: flags.threads });
      if (flags.dryRun) return printDryRun(flags, (plan) => planBase(runtime, options, plan));
      await reportRun(flags, (onReport) => trainBase(runtime, { ...options, onReport, signal: interruptSignal() }));
    });
}

/** A base to go on from. Throws where a flag would give it another shape, or the tokenizer is of another size. */
async function openStart(path: string, vocabSize: number, explicit: ReadonlySet<string>): Promise<BaseModel> {
  const shape = SHAPE_FLAGS.find((name) => explicit.has(name));
  if (shape !== undefined) {
    throw new BigVaeError(
      "usage",
      `--start-from: expected no ${flagName(shape)} beside it, as the base keeps its shape; leave one of them out`,
    );
  }
  const { base } = await openFitting(path, "startFrom");
  if (base.config.vocabSize === vocabSize) return base;
  throw new BigVaeError(
    "mismatch",
    `--tokenizer: expected ${base.config.vocabSize} tokens, the vocabulary of --start-from, got ${vocabSize}; give the tokenizer of that base`,
  );
}

const SHAPE_FLAGS = ["hiddenSize", "intermediateSize", "layers", "heads", "kvHeads", "ropeTheta", "maxPositions"];

interface BaseFlags {
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  ropeTheta: number;
  maxPositions: number;
}

function baseConfig(flags: BaseFlags, vocabSize: number) {
  const { hiddenSize, heads, kvHeads } = flags;
  if (hiddenSize % (2 * heads) !== 0)
    throw new BigVaeError(
      "usage",
      `--hidden-size: expected a multiple of twice the ${heads} --heads, got ${hiddenSize}; a head has an even width`,
    );
  if (heads % kvHeads !== 0)
    throw new BigVaeError(
      "usage",
      `--kv-heads: expected a divisor of the ${heads} --heads, got ${kvHeads}; as many heads share each`,
    );
  return parseConfig({
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: flags.hiddenSize,
    intermediate_size: flags.intermediateSize,
    num_hidden_layers: flags.layers,
    num_attention_heads: flags.heads,
    num_key_value_heads: flags.kvHeads,
    rope_theta: flags.ropeTheta,
    rms_norm_eps: 1e-5,
    max_position_embeddings: flags.maxPositions,
    tie_word_embeddings: true,
  });
}

function vaeCommand() {
  return withAdapterTraining(
    new Command("vae").description("Train encoder, decoder and head by the overlap objective."),
  )
    .option("--context <n>", "tokens of a span", wholeNumber(8), 64)
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 4)
    .option("--z-dim <n>", "values of z, shared evenly by its slots", wholeNumber(1), 768)
    .option(
      "--slots <n>",
      "slots of z, each for a part of the text; one, as MiniHF, pools the whole text",
      wholeNumber(1),
      1,
    )
    .option(
      "--gap <n>",
      "positions between z and a text without prefix; the span, as MiniHF, where left out",
      wholeNumber(),
    )
    .option("--start-from <folder>", "adapters to go on from")
    .option("--kl-weight <x>", "weight of the KL term at its peak", realNumber(0), 0.1)
    .option("--kl-ramp <n>", "steps of its ramp", wholeNumber(1), 50000)
    .option("--free-bits <x>", "nats of KL that each dimension of z has for nothing", realNumber(0), 0)
    .option("--learned-variance", "learn the variance of z given the text, 1 in MiniHF", false)
    .option("--drop-prefix <p>", "share of rows that are written from z alone, without prefix", realNumber(0, 1), 0.5)
    .option(
      "--shifted-spans",
      "a span without prefix starts anywhere in its row of two spans, so that a row serves many times",
      false,
    )
    .option("--encode-last", "the encoder reads a span's last token too, as in use; not so in MiniHF", false)
    .option(
      "--short-spans <p>",
      "share of span microbatches cut to a half or a quarter of the length",
      realNumber(0, 1),
      0,
    )
    .option("--sentences <folder>", "shards of short texts (data prepare --sentences), learned whole, with their end")
    .option("--sentence-share <p>", "share of microbatches made of --sentences; 0.4 by default", realNumber(0, 1))
    .option("--noise-start <x>", "noise that the ramp starts from, with --noise-ramp", realNumber(0))
    .option("--noise-ramp <n>", "steps in which the noise rises to --latent-noise, with --noise-start", wholeNumber(1))
    .addOption(
      new Option("--token-weights <kind>", "edges: less at the edges of a span, as MiniHF; or uniform")
        .choices(["edges", "uniform"] as const)
        .default("edges" as const),
    )
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train vae --model pocket/base --preprocessed runs/rows --context 64 --batch-size 24 --output runs/vae",
    )
    .action(async (given, command) => {
      const { flags, runFile, explicit } = await settleFlags(command, given, ["model", "preprocessed"]);
      const opened = await openTrainingBase(flags.model);
      const startFrom = flags.startFrom ? await readVae(flags.startFrom, opened.base) : undefined;
      if (startFrom) await warnOfOtherBase(flags, opened.baseSha256);
      const options: TrainVaeOptions = {
        ...flags,
        ...runParts(flags),
        ...opened,
        ...(startFrom ? ownShape(startFrom, flags, explicit) : {}),
        startFrom,
        runFile,
        noiseScale: flags.latentNoise,
        span: flags.context,
        gap: flags.gap ?? startFrom?.gap ?? flags.context,
        klRampSteps: flags.klRamp,
        ...noiseRamp(flags),
        ...shortTexts(flags),
        edgeWeights: flags.tokenWeights === "edges",
        sampleTexts: SAMPLE_TEXTS,
      };
      const runtime = onnxNodeRuntime({ threads: flags.threads });
      if (flags.dryRun) return printDryRun(flags, (plan) => planVae(runtime, options, plan));
      await reportRun(flags, (onReport) => trainVae(runtime, { ...options, onReport, signal: interruptSignal() }));
    });
}

/** Share of microbatches that are made of sentences where there are some. */
const SENTENCE_SHARE = 0.4;

/** Options that say nothing without another one are refused without it. */
function requireTogether(flags: Readonly<Record<string, unknown>>, name: string, other: string): void {
  if (flags[name] === undefined || flags[other] !== undefined) return;
  throw new BigVaeError(
    "usage",
    `${flagName(name)}: expected ${flagName(other)} beside it, got none; give both, or neither`,
  );
}

function noiseRamp(flags: { noiseStart?: number; noiseRamp?: number }) {
  requireTogether(flags, "noiseStart", "noiseRamp");
  requireTogether(flags, "noiseRamp", "noiseStart");
  const { noiseStart, noiseRamp: noiseRampSteps } = flags;
  return noiseStart === undefined || noiseRampSteps === undefined ? {} : { noiseStart, noiseRampSteps };
}

function shortTexts(flags: { sentences?: string; sentenceShare?: number }) {
  requireTogether(flags, "sentenceShare", "sentences");
  const { sentences: preprocessed, sentenceShare: share = SENTENCE_SHARE } = flags;
  return preprocessed === undefined ? {} : { shortTexts: { preprocessed, share } };
}

/** Rebuilt, or continued, at every look, so that a run shows what it can do. */
const SAMPLE_TEXTS = [
  "The little fox found a shiny key under the old bridge.",
  "Once there was a kind baker who lost a silver spoon in the snow. She asked the owl for help.",
  "Rain falls when small drops of water in a cloud grow heavy.",
];

function routerCommand() {
  return withAdapterTraining(new Command("router").description("Train the router on a trained VAE."))
    .option("--start-from <folder>", "the trained VAE; its decoder is the router's start")
    .option("--context <n>", "tokens of a row", wholeNumber(8), 2048)
    .option("--vae-context <n>", "tokens of a span; that of the VAE where left out", wholeNumber(8))
    .option(
      "--index-step <n>",
      "contexts are multiples of this long, so that few graphs serve; 1 is MiniHF's",
      wholeNumber(1),
      32,
    )
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 1)
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train router --model pocket/base --preprocessed runs/rows --start-from runs/vae --output runs/router --context 384",
    )
    .action(async (given, command) => {
      const { flags, runFile, explicit } = await settleFlags(command, given, ["model", "preprocessed", "startFrom"]);
      const opened = await openTrainingBase(flags.model);
      await checkBaseHash({ base: flags.model, adapters: flags.startFrom }, opened.baseSha256);
      const vae = await readVae(flags.startFrom, opened.base);
      checkShape({ rank: flags.rank, alpha: flags.alpha }, vae.adapters.router.shape, explicit);
      const options: TrainRouterOptions = {
        ...flags,
        ...runParts(flags),
        ...opened,
        runFile,
        noiseScale: flags.latentNoise,
        vae: { ...vae, span: flags.vaeContext ?? vae.span },
        sampleTexts: SAMPLE_TEXTS,
      };
      const runtime = onnxNodeRuntime({ threads: flags.threads });
      if (flags.dryRun) return printDryRun(flags, (plan) => planRouter(runtime, options, plan));
      await reportRun(flags, (onReport) => trainRouter(runtime, { ...options, onReport, signal: interruptSignal() }));
    });
}

/** Rank, alpha, width and slots of z of the adapters to go on from, which no flag may contradict. */
function ownShape(
  { zDim, slots, adapters }: VaeAdapters,
  given: Record<"rank" | "alpha" | "zDim" | "slots", number>,
  explicit: ReadonlySet<string>,
) {
  const { rank, alpha } = adapters.decoder.shape;
  const own = { rank, alpha, zDim, slots };
  checkShape({ rank: given.rank, alpha: given.alpha, zDim: given.zDim, slots: given.slots }, own, explicit);
  return own;
}

function checkShape<F extends Readonly<Record<string, number>>>(
  given: F,
  own: { readonly [K in keyof F]: number },
  explicit: ReadonlySet<string>,
): void {
  const name = Object.keys(given).find((flag) => explicit.has(flag) && given[flag] !== own[flag]);
  if (name === undefined) return;
  throw new BigVaeError(
    "mismatch",
    `${flagName(name)}: expected ${own[name]}, that of the adapters in --start-from, got ${given[name]}; leave the flag out`,
  );
}

/** Adapters may go on from those of an earlier base; they then begin with a higher loss. */
async function warnOfOtherBase(
  flags: { model: string; startFrom?: string; quiet: boolean },
  sha256: string,
): Promise<void> {
  try {
    await checkBaseHash({ base: flags.model, adapters: flags.startFrom }, sha256);
  } catch (error) {
    if (!(error instanceof BigVaeError && error.kind === "mismatch")) throw error;
    warn(flags, `--start-from: trained on another base than --model; ${error.message}`);
  }
}

/** The base that adapters are trained on. Throws "usage" where --model is no folder and no file, "memory" where it does not fit. */
async function openTrainingBase(model: string) {
  return { ...(await openFitting(model)), baseSha256: await baseSha256((await findModel(model)).base) };
}

/** A base that is known to fit the memory before it is read. */
async function openFitting(model: string, option?: string) {
  const { base } = await findModel(model, undefined, option);
  checkFits({ config: await readConfig(base), adapterBytes: 0 }, "unmerged", availableBytes());
  return openBase(base);
}

/** Options of a run that have another name in code, or no flag. Adam's are MiniHF's. */
function runParts(flags: { gradientAccumulationSteps: number; gradientCheckpointing: boolean }) {
  return {
    accumulation: flags.gradientAccumulationSteps,
    checkpointing: flags.gradientCheckpointing,
    betas: [0.9, 0.99] as const,
    eps: 1e-8,
    memoryBytes: availableBytes(),
  };
}

async function printDryRun(
  { json }: { json: boolean },
  plan: (options: { availableBytes: number }) => ReturnType<typeof planBase>,
): Promise<void> {
  const free = availableBytes();
  printPlan(await plan({ availableBytes: free }), free, json);
}
