/** `bigvae memory add`: texts encoded and kept. */
import { Command } from "@commander-js/extra-typings";
import { batches } from "../../operations/batches.js";
import { openMemory } from "../../operations/memories.js";
import { CHUNK_HELP, encodeTexts, piecesOf } from "../encoding.js";
import { inputTexts, withFile } from "../input.js";
import { closed, memoryOptions, PLACE_HELP, records, withWait } from "../memories.js";
import { collected, realNumber } from "../options.js";
import { reportWritten, useModel, withModel } from "../shared.js";

export function addCommand() {
  return withWait(
    withFile(
      withModel(new Command("add").description("Encode texts and keep them; begins the memory if there is none.")),
    ),
  )
    .argument("<memory>", PLACE_HELP)
    .argument("[texts...]", "texts; default: those of --file, or standard input")
    .option("--chunk", CHUNK_HELP, false)
    .option("--tag <word>", "tag of all of them; give it several times for more", collected, [] as string[])
    .option("--score <x>", "score of all of them", realNumber(Number.NEGATIVE_INFINITY))
    .addHelpText(
      "after",
      `
Examples:
  bigvae memory add stories "The fox found a lamp." --tag fable
  bigvae memory add stories --file book.txt --whole --chunk

With --chunk, a span keeps the latent of the one before it as that of its context.`,
    )
    .action(async (place, given, { chunk, tag: tags, score, ...flags }) => {
      const lines = await inputTexts(given, flags);
      await useModel(flags, async (vae) =>
        closed(await openMemory(vae, place, memoryOptions(flags)), async (memory) => {
          const added: number[] = [];
          let before: Float32Array | undefined;
          for await (const batch of batches(piecesOf(vae, lines, chunk))) {
            const encoded = await encodeTexts({ quiet: flags.quiet, chunk }, vae, batch);
            const kept = encoded.map(({ text, ids, mean: z }, i) => {
              const contextZ = batch[i]!.piece > 1 ? before : undefined;
              before = z;
              return {
                text,
                ids,
                z,
                tags,
                ...(score === undefined ? {} : { score }),
                ...(contextZ ? { contextZ } : {}),
              };
            });
            added.push(...(await memory.add(kept)));
          }
          const [first, last] = [added[0], added.at(-1)];
          const line = `${place}: ${records(added.length)} added, ids ${first} to ${last}`;
          reportWritten(flags, { memory: place, records: added.length, first, last }, line);
        }),
      );
    });
}
