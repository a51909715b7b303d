/** `bigvae train`: a base from scratch, the VAE, the router. */
import { Command } from "@commander-js/extra-typings";
import {
  planBase,
  planRouter,
  planVae,
  type RunControl,
  type RunPlan,
  TRAIN_OPTIONS,
  trainBase,
  trainRouter,
  trainVae,
} from "../../train/index.js";
import { interruptSignal } from "../options.js";
import { runCommand } from "./trainFlags.js";
import { printPlan, reportRun, showWarnings } from "./trainReport.js";

export function trainCommand() {
  return new Command("train")
    .description("Train a base, the VAE or the router.")
    .addCommand(baseCommand())
    .addCommand(vaeCommand())
    .addCommand(routerCommand());
}

function baseCommand(): Command {
  return trainingCommand("base", trainBase, planBase)
    .description("Train a small Llama from scratch, all weights.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train base --preprocessed runs/rows --tokenizer runs/tokenizer.json --output runs/base",
    );
}

function vaeCommand(): Command {
  return trainingCommand("vae", trainVae, planVae)
    .description("Train encoder, decoder and head by the overlap objective.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train vae --model pocket/base --preprocessed runs/rows --span 64 --batch-size 24 --output runs/vae",
    );
}

function routerCommand(): Command {
  return trainingCommand("router", trainRouter, planRouter)
    .description("Train the router on a trained VAE.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae train router --model pocket/base --preprocessed runs/rows --start-from runs/vae --output runs/router --context-length 384",
    );
}

/** The options are checked where they are settled: what was written may be too little. */
function trainingCommand<Given, Planned>(
  name: "base" | "vae" | "router",
  train: (options: Given, control: RunControl) => Promise<boolean>,
  plan: (options: Planned, control: RunControl) => Promise<RunPlan>,
): Command {
  return runCommand(name, TRAIN_OPTIONS[name], async ({ options, flags }) => {
    if (flags.dryRun) return printPlan(await plan(options as Planned, showWarnings(flags)), flags.json);
    await reportRun({ ...flags, output: `${options.output}` }, (onReport) =>
      train(options as Given, { onReport, signal: interruptSignal() }),
    );
  });
}
