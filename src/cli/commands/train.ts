/** `bigvae train`: a base from scratch, the VAE, the router. */
import { Command } from "@commander-js/extra-typings";
import { baseSha256, findModel, openAdapters, openBase } from "../../host/modelFiles.js";
import { parseConfig } from "../../model/config.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import type { RunReport } from "../../train/run.js";
import { trainBase } from "../../train/runBase.js";
import { trainRouter, trainVae } from "../../train/runVae.js";
import { interruptSignal, realNumber, wholeNumber } from "../options.js";
import { type Progress, progress } from "../progress.js";
import { readTokenizer } from "./data.js";

export function trainCommand() {
  return new Command("train")
    .description("Train a base, the VAE or the router.")
    .addCommand(baseCommand())
    .addCommand(vaeCommand())
    .addCommand(routerCommand());
}

function baseCommand() {
  return new Command("base")
    .description("Train a small Llama from scratch, all weights.")
    .requiredOption("--preprocessed <folder>", "shards of data prepare")
    .requiredOption("--tokenizer <path>", "tokenizer.json, or a model's folder")
    .requiredOption("--output <folder>", "folder of the run and of the finished model")
    .option("--hidden-size <n>", "D", wholeNumber(2), 256)
    .option("--intermediate-size <n>", "width of the MLP", wholeNumber(1), 640)
    .option("--layers <n>", "blocks", wholeNumber(1), 6)
    .option("--heads <n>", "query heads", wholeNumber(1), 4)
    .option("--kv-heads <n>", "key heads", wholeNumber(1), 2)
    .option("--rope-theta <x>", "base of the rotary frequencies", realNumber(1), 10000)
    .option("--max-positions <n>", "window of the finished model", wholeNumber(1), 512)
    .option("--context <n>", "tokens of a training row", wholeNumber(1), 256)
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 8)
    .option("--gradient-accumulation-steps <n>", "microbatches of a step", wholeNumber(1), 4)
    .option("--epochs <x>", "passes over the data", realNumber(0), 1)
    .option("--steps <n>", "steps, in place of epochs", wholeNumber(1))
    .option("--lr <x>", "peak learning rate", realNumber(0), 2e-3)
    .option("--lr-decay <kind>", "cosine or constant", "cosine")
    .option("--warmup <n>", "steps of linear warm-up", wholeNumber(), 100)
    .option("--weight-decay <x>", "decoupled weight decay of matrices", realNumber(0), 0.1)
    .option("--clip-norm <x>", "longest gradient", realNumber(0), 1)
    .option("--save-every <n>", "steps between checkpoints", wholeNumber(1), 200)
    .option("--eval-every <n>", "steps between looks at the held-out loss", wholeNumber(1), 200)
    .option("--seed <n>", "seed of weights and data order", wholeNumber(), 1)
    .option("--threads <n>", "threads; all cores where left out", wholeNumber(1))
    .option("--resume", "go on from the newest checkpoint in --output", false)
    .option("--quiet", "no progress", false)
    .action(async (flags) => {
      const tokenizer = await readTokenizer(flags.tokenizer);
      const bar = progress(flags.quiet);
      const config = parseConfig({
        model_type: "llama",
        vocab_size: tokenizer.vocabSize,
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
      const finished = await trainBase(onnxNodeRuntime({ threads: flags.threads }), {
        ...flags,
        tokenizer,
        config,
        accumulation: flags.gradientAccumulationSteps,
        lrDecay: flags.lrDecay === "constant" ? "constant" : "cosine",
        betas: [0.9, 0.99],
        eps: 1e-8,
        signal: interruptSignal(),
        onReport: (report) => show(bar, report),
      });
      bar.stop();
      process.stdout.write(`${JSON.stringify({ output: flags.output, finished })}\n`);
    });
}

/** Options that train vae and train router share; the names are MiniHF's. */
function withAdapterTraining<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command
    .requiredOption("--model <folder>", "the frozen base: a model's folder or a .gguf file")
    .requiredOption("--preprocessed <folder>", "shards of data prepare")
    .requiredOption("--output <folder>", "folder of the run and of the finished adapters")
    .option("--gradient-accumulation-steps <n>", "microbatches of a step", wholeNumber(1), 1)
    .option("--epochs <x>", "passes over the data", realNumber(0), 1)
    .option("--steps <n>", "steps, in place of epochs", wholeNumber(1))
    .option("--lr <x>", "peak learning rate", realNumber(0), 1e-4)
    .option("--lr-decay <kind>", "constant, as MiniHF, or cosine", "constant")
    .option("--warmup <n>", "steps of linear warm-up", wholeNumber(), 0)
    .option("--weight-decay <x>", "decoupled weight decay of matrices", realNumber(0), 0)
    .option("--clip-norm <x>", "longest gradient; none where left out", realNumber(0))
    .option("--rank <n>", "rank of the adapters", wholeNumber(1), 32)
    .option("--alpha <x>", "alpha of the adapters: their product counts alpha/rank times", realNumber(0), 8)
    .option("--latent-noise <x>", "z = mean + x * eps", realNumber(0), 1)
    .option("--save-every <n>", "steps between checkpoints", wholeNumber(1), 1000)
    .option("--eval-every <n>", "steps between looks at held-out loss and samples", wholeNumber(1), 500)
    .option("--seed <n>", "seed of weights, noise and data order", wholeNumber(), 1)
    .option("--threads <n>", "threads; all cores where left out", wholeNumber(1))
    .option("--resume", "go on from the newest checkpoint in --output", false)
    .option("--quiet", "no progress", false);
}

function vaeCommand() {
  return withAdapterTraining(
    new Command("vae").description("Train encoder, decoder and head by the overlap objective."),
  )
    .option("--context <n>", "tokens of a span", wholeNumber(8), 64)
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 4)
    .option("--z-dim <n>", "width of z", wholeNumber(1), 768)
    .option(
      "--gap <n>",
      "positions between z and a text without prefix; the span, as MiniHF, where left out",
      wholeNumber(),
    )
    .option("--start-from <folder>", "adapters to go on from")
    .option("--kl-weight <x>", "weight of the KL term at its peak", realNumber(0), 0.1)
    .option("--kl-ramp <n>", "steps of its ramp", wholeNumber(1), 50000)
    .option(
      "--short-spans <p>",
      "share of microbatches with targets of 8 tokens and more that end with the end token",
      realNumber(0, 1),
      0,
    )
    .option("--token-weights <kind>", "edges (less at the edges of a span, as MiniHF) or uniform", "edges")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train vae --model pocket/base --preprocessed runs/rows --context 64 --batch-size 24 --output runs/vae",
    )
    .action(async (flags) => {
      const { base, tokenizer, baseSha256 } = await openTrainingBase(flags.model);
      const startFrom = flags.startFrom ? await openAdapters(flags.startFrom, base) : undefined;
      const bar = progress(flags.quiet);
      const finished = await trainVae(onnxNodeRuntime({ threads: flags.threads }), {
        ...adapterOptions(flags, bar),
        ...(startFrom ? { startFrom } : {}),
        base,
        tokenizer,
        baseSha256,
        span: flags.context,
        gap: flags.gap ?? flags.context,
        zDim: flags.zDim,
        klWeight: flags.klWeight,
        klRampSteps: flags.klRamp,
        shortSpans: flags.shortSpans,
        edgeWeights: flags.tokenWeights !== "uniform",
        sampleTexts: SAMPLE_TEXTS,
      });
      bar.stop();
      process.stdout.write(`${JSON.stringify({ output: flags.output, finished })}\n`);
    });
}

/** Rebuilt at every look, so that a run shows what it can do. */
const SAMPLE_TEXTS = [
  "The little fox found a shiny key under the old bridge.",
  "Once there was a kind baker who lost a silver spoon in the snow. She asked the owl for help.",
  "Rain falls when small drops of water in a cloud grow heavy.",
];

function routerCommand() {
  return withAdapterTraining(new Command("router").description("Train the router on a trained VAE."))
    .requiredOption("--start-from <folder>", "the trained VAE; its decoder is the router's start")
    .option("--context <n>", "tokens of a row", wholeNumber(8), 2048)
    .option("--vae-context <n>", "tokens of a span; that of the VAE where left out", wholeNumber(8))
    .option(
      "--index-step <n>",
      "contexts are multiples of this long, so that few graphs serve; 1 as MiniHF",
      wholeNumber(1),
      1,
    )
    .option("--batch-size <n>", "rows of a microbatch", wholeNumber(1), 1)
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train router --model pocket/base --preprocessed runs/rows --start-from runs/vae --output runs/router --context 384",
    )
    .action(async (flags) => {
      const { base, tokenizer, baseSha256 } = await openTrainingBase(flags.model);
      const vae = await openAdapters(flags.startFrom, base);
      const bar = progress(flags.quiet);
      const finished = await trainRouter(onnxNodeRuntime({ threads: flags.threads }), {
        ...adapterOptions(flags, bar),
        base,
        tokenizer,
        baseSha256,
        vae: { ...vae, span: flags.vaeContext ?? vae.span },
        context: flags.context,
        indexStep: flags.indexStep,
      });
      bar.stop();
      process.stdout.write(`${JSON.stringify({ output: flags.output, finished })}\n`);
    });
}

/** The base that adapters are trained on. Throws "usage" where --model is no folder and no file. */
async function openTrainingBase(model: string) {
  const { base: path } = await findModel(model);
  return { ...(await openBase(path)), baseSha256: await baseSha256(path) };
}

interface AdapterFlags {
  preprocessed: string;
  output: string;
  gradientAccumulationSteps: number;
  epochs: number;
  steps?: number;
  lr: number;
  lrDecay: string;
  warmup: number;
  weightDecay: number;
  clipNorm?: number;
  rank: number;
  alpha: number;
  latentNoise: number;
  saveEvery: number;
  evalEvery: number;
  seed: number;
  resume: boolean;
  batchSize: number;
}

function adapterOptions(flags: AdapterFlags, bar: Progress) {
  return {
    ...flags,
    accumulation: flags.gradientAccumulationSteps,
    lrDecay: flags.lrDecay === "cosine" ? ("cosine" as const) : ("constant" as const),
    noiseScale: flags.latentNoise,
    betas: [0.9, 0.99] as const,
    eps: 1e-8,
    signal: interruptSignal(),
    onReport: (report: RunReport) => show(bar, report),
  };
}

/** Steps move the bar, looks print a line. */
export function show(bar: Progress, report: RunReport): void {
  if (report.kind === "step") {
    const { step, totalSteps, metrics, lr, tokens, seconds } = report;
    const parts = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    bar.update(
      step,
      totalSteps,
      `${parts.join(" ")} lr ${lr.toExponential(1)} ${Math.round(tokens / seconds)} tokens/s`,
    );
  } else if (report.kind === "heldOut") {
    const parts = Object.entries(report.metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    bar.print(`step ${report.step}, held out: ${parts.join(" ")}`);
  } else {
    bar.print(`step ${report.step}: ${JSON.stringify(report.sample)}`);
  }
}
