/** `bigvae pack`: a base and its adapters in one folder, in half precision. */
import { Command } from "@commander-js/extra-typings";
import { packModel } from "../../checkpoint/pack.js";
import { checkPath } from "../../formats/fileOps.js";
import { findModel } from "../../host/modelFiles.js";
import { reportWritten, withOutput } from "../shared.js";

export function packCommand() {
  return withOutput(
    new Command("pack").description("Write a base and its adapters to one folder, weights rounded to float16."),
  )
    .requiredOption("--model <folder>", "the base: a model's folder")
    .requiredOption("--adapters <folder>", "encoder/, decoder/, vae.safetensors and, if there is one, router/")
    .requiredOption("--output <folder>", "folder to write")
    .addHelpText("after", "\nExample:\n  bigvae pack --model runs/base --adapters runs/router --output pocket")
    .action(async ({ model, adapters, output, ...flags }) => {
      await checkPath("--model", model, "a model's folder");
      await checkPath("--adapters", adapters, "a folder of adapters");
      const packed = await packModel((await findModel(model)).base, adapters, output);
      const megabytes = (packed.bytes / 1e6).toFixed(1);
      reportWritten(
        flags,
        { output, ...packed },
        `${output}: ${megabytes} MB, largest rounding ${packed.worst.toPrecision(2)}`,
      );
    });
}
