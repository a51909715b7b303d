/** `bigvae pack`: a base and its adapters in one folder, in half precision. */
import { Command } from "@commander-js/extra-typings";
import { packModel } from "../../host/packModel.js";
import { printJson } from "../shared.js";

export function packCommand() {
  return new Command("pack")
    .description("Put a base and its adapters into one folder, weights rounded to float16.")
    .requiredOption("--model <folder>", "the base")
    .requiredOption("--adapters <folder>", "encoder/, decoder/, router/ and vae.safetensors")
    .requiredOption("--output <folder>", "folder to write")
    .addHelpText("after", "\nExample:\n  bigvae pack --model runs/base --adapters runs/router --output pocket")
    .action(async ({ model, adapters, output }) =>
      printJson({ output, ...(await packModel(model, adapters, output)) }),
    );
}
