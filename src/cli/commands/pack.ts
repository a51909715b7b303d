/** `bigvae pack`: a base and its adapters in one folder, in half precision. */
import { Command } from "@commander-js/extra-typings";
import { packModel } from "../../checkpoint/pack.js";
import { findModel } from "../../host/modelFiles.js";
import { reportWritten, withOutput } from "../shared.js";

export function packCommand() {
  return withOutput(
    new Command("pack").description("Write a base and its adapters to one folder, weights rounded to float16."),
  )
    .requiredOption("--model <name>", "the base: a model's folder or a hub name")
    .requiredOption(
      "--adapters <name>",
      "encoder/, decoder/, vae.safetensors and, if there is one, router/: a folder or a hub name",
    )
    .requiredOption("--output <folder>", "folder to write")
    .addHelpText("after", "\nExample:\n  bigvae pack --model runs/base --adapters runs/router --output pocket")
    .action(async ({ model, adapters, output, ...flags }) => {
      const found = await findModel(model, adapters);
      const packed = await packModel(found.base, found.adapters!, output);
      const megabytes = (packed.bytes / 1e6).toFixed(1);
      reportWritten(
        flags,
        { output, ...packed },
        `${output}: ${megabytes} MB, largest rounding ${packed.worst.toPrecision(2)}`,
      );
    });
}
