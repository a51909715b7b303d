/** `bigvae pull`: a model from the hub to its cache, and the base that adapters belong to if that is wanted. */
import { Command } from "@commander-js/extra-typings";
import { locate } from "../../host/modelNames.js";
import { type PullOptions, planPull, pullModel } from "../../host/pullModel.js";
import { canAsk, confirmed } from "../confirm.js";
import { interruptSignal } from "../options.js";
import { bytesProgress, type Progress } from "../progress.js";
import { note, type OutputFlags, reportWritten, stopped, warn, withOutput } from "../shared.js";
import { size } from "../sizes.js";

export function pullCommand() {
  return withOutput(
    new Command("pull").description(
      "Download a model from the hub to its cache: the files that are needed, checked by their hashes.",
    ),
  )
    .argument("<name>", "owner/name, owner/name@revision or owner/name:file.gguf")
    .option("--with-base", "for adapters: download the base that they belong to as well, without asking", false)
    .addHelpText(
      "after",
      `
Examples:
  bigvae pull jdpressman/BigVAE-Mistral-7B-v0.1 --with-base
  bigvae pull HuggingFaceTB/SmolLM2-135M@main

A download that was cut continues. The cache is Hugging Face's own: HF_HOME, HF_HUB_CACHE, HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE count.
A gated model wants its licence accepted at its page, and a token in HF_TOKEN.`,
    )
    .action(async (name, { withBase, ...flags }) => {
      const baseName = await pull(flags, name);
      if (baseName === undefined || (await locate(baseName))) return;
      if (withBase || (await isWanted(flags, name, baseName))) await pull(flags, baseName);
    });
}

/** Downloads one model and says so; the hub name of its base, where it has another. */
async function pull(flags: OutputFlags, name: string): Promise<string | undefined> {
  let current: { file: string; bar: Progress } | undefined;
  const options = {
    ...waiting(flags),
    onProgress({ file, done, total }: { file: string; done: number; total: number }) {
      if (current?.file !== file) {
        current?.bar.stop();
        current = { file, bar: bytesProgress(flags.quiet) };
      }
      current.bar.update(done, total, file);
    },
  };
  const pulled = await pullModel(name, options)
    .catch((error: Error) => {
      throw stopped(error);
    })
    .finally(() => current?.bar.stop());
  const { files, ...rest } = pulled;
  reportWritten(flags, { ...rest, files }, `${name}: ${size(pulled.bytes)} in ${files.length} files, in the cache`);
  return pulled.baseName;
}

function waiting(flags: OutputFlags): PullOptions {
  return {
    signal: interruptSignal(),
    onWait: (seconds, why) => warn(flags, `${why}; another attempt in ${Math.ceil(seconds)} s`),
  };
}

/** Asks whether the base is to be downloaded, or says how, where nobody can be asked. */
async function isWanted(flags: OutputFlags, name: string, baseName: string): Promise<boolean> {
  if (!canAsk(flags)) {
    note(flags, `${name} belongs to the base ${baseName}: bigvae pull ${baseName}`);
    return false;
  }
  const { missingBytes } = await planPull(baseName, waiting(flags));
  return confirmed(`${name} belongs to the base ${baseName}. Download its ${size(missingBytes)} too?`);
}
