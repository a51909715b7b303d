/** `bigvae decode`: the texts of latents that a file holds. */
import { text } from "node:stream/consumers";
import { Command } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { type NamedLatent, parseLatentLines, readLatents } from "../../host/latentFiles.js";
import { decodedBatches } from "../../operations/rebuilding.js";
import { checkLatentsFile } from "../latentInput.js";
import { interruptSignal, realNumber } from "../options.js";
import { onOneLine } from "../shade.js";
import { printJson, useModel, withModel } from "../shared.js";

export function decodeCommand() {
  return withModel(new Command("decode").description("Decode latents to texts, one a line."))
    .argument("<file>", 'latents: .npy, .safetensors (a tensor z) or .jsonl; "-" is JSON lines on standard input')
    .option("--tau <x>", "temperature; 0 is greedy", realNumber(0), 0)
    .option("--cfg <x>", "guidance scale; below 1 the base corrects the sentence", realNumber(0), 1)
    .addHelpText(
      "after",
      `
Examples:
  bigvae encode "The fox found a lamp." --output z.npy && bigvae decode z.npy
  bigvae encode --json < lines.txt | bigvae decode -`,
    )
    .action(async (file, flags) => {
      if (file !== "-") await checkLatentsFile("decode", file);
      const { tau, cfg: cfgScale, seed } = flags;
      const signal = interruptSignal();
      await useModel(flags, async (vae) => {
        const decoded = decodedBatches(vae, await latentsOf(vae, file), { tau, cfgScale, seed, signal });
        for await (const { batch, texts, start } of decoded)
          for (const [i, text] of texts.entries()) {
            if (flags.json) printJson({ latent: start + i + 1, text, original: batch[i]!.text });
            else process.stdout.write(`${onOneLine(text)}\n`);
          }
      });
    });
}

async function latentsOf({ space }: BigVae, file: string): Promise<NamedLatent[]> {
  return file === "-"
    ? parseLatentLines(await text(process.stdin), space.width, "standard input")
    : readLatents(file, space.width);
}
