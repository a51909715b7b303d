/** `bigvae train`: a base from scratch, the VAE, the router. */
import { Command } from "@commander-js/extra-typings";
import { parseConfig } from "../../model/config.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import type { RunReport } from "../../train/run.js";
import { trainBase } from "../../train/runBase.js";
import { interruptSignal, realNumber, wholeNumber } from "../options.js";
import { type Progress, progress } from "../progress.js";
import { readTokenizer } from "./data.js";

export function trainCommand() {
  return new Command("train").description("Train a base, the VAE or the router.").addCommand(baseCommand());
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
