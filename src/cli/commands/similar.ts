/** `bigvae similar`: the texts or latents of a file that are nearest to a text. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { KNOWN_ENDINGS } from "../../data/index.js";
import { LATENT_ENDINGS, readLatents } from "../../host/latentFiles.js";
import { type Latent, LatentSearch } from "../../latent/index.js";
import { batches } from "../../operations/batches.js";
import { inputTexts, type Line, refuseTextFlags, type TextFlags, withTexts } from "../input.js";
import { checkInputs, holdsLatents, LATENT_HELP, parseLatentInput, takeLatents } from "../latentInput.js";
import { wholeNumber } from "../options.js";
import { onOneLine } from "../shade.js";
import { type OutputFlags, printJson, useModel, withModel } from "../shared.js";
import { type Vectors, vectorsOf, withPool } from "../vectors.js";

/** What is found: a text of a line, or a latent at its place in the file, with its text where that is known. */
type Compared = { text: string; line: number; longerThanSpan?: boolean } | { text?: string; latent: number };

const HELP = `
A latent may have several parts (slots). "match" looks for the most similar part of the other text for each part of one text, and
takes the mean of their cosines; of more than 2,000 texts it does so for the best 100 by their keys. "key" compares the means
of the parts by their cosine. With one part both are the cosine of the latents. A small model such as the pocket finds texts that
share words and phrases with the text, more than lines that mean the same in other words. Without adapters texts are compared as by
--pool mean.

${LATENT_HELP}

Examples:
  bigvae similar "A boat on a lake" --file sentences.txt --count 3
  bigvae similar "@z.npy#3" --file z.npy`;

export function similarCommand() {
  return withPool(
    withTexts(
      withModel(new Command("similar").description("Find the texts of a file nearest to a text, by their latents.")),
    ),
  )
    .argument("<text>", "the text")
    .requiredOption(
      "--file <path>",
      `texts to search (${KNOWN_ENDINGS}), or their latents (${LATENT_ENDINGS}); "-" is standard input`,
    )
    .option("--count <n>", "number of results", wholeNumber(1), 5)
    .addOption(
      new Option("--by <what>", "compare slot by slot (match), or the means of the slots (key)")
        .choices(["match", "key"] as const)
        .default("match" as const),
    )
    .addHelpText("after", HELP)
    .action(async (given, flags) => {
      const input = parseLatentInput(given);
      await checkInputs("similar", [input]);
      const compared = await comparedBy(flags);
      const find = async (vae: BigVae) => {
        const vectors = vectorsOf(flags, vae);
        const [query] = await takeLatents(vectors, [input]);
        const search = new LatentSearch<Compared>(vectors.space, query!.z, flags.count, flags.by);
        for await (const [item, z] of compared(vectors)) search.add(item, z);
        for (const { item, similarity } of search.found()) {
          const { text, ...place } = item;
          if (flags.json) printJson({ text, similarity, ...place });
          else process.stdout.write(`${similarity.toFixed(3)}  ${named(item, flags.file)}\n`);
        }
      };
      await useModel(flags, find, "base");
    });
}

/** By its text; a latent without one as the command line names it. */
function named(item: Compared, file: string): string {
  if (item.text !== undefined) return onOneLine(item.text);
  return "latent" in item ? `@${file}#${item.latent}` : "";
}

/** What a file holds, with its latents. */
type Source = (vectors: Vectors) => AsyncGenerator<[Compared, Latent]>;

async function comparedBy(flags: TextFlags & OutputFlags & { file: string }): Promise<Source> {
  const { file, field } = flags;
  if (file === "-" || field !== undefined || !(await holdsLatents("--file", file))) {
    const lines = await inputTexts([], flags);
    return (vectors) => ofTexts(vectors, lines);
  }
  refuseTextFlags(`latents in ${file}`);
  return (vectors) => ofLatents(vectors, file);
}

async function* ofTexts(vectors: Vectors, lines: AsyncIterable<Line>) {
  for await (const batch of batches(lines)) {
    for (const [i, { text, mean, longerThanSpan }] of (await vectors.of(batch)).entries()) {
      const length = longerThanSpan === undefined ? {} : { longerThanSpan };
      yield [{ text, line: batch[i]!.line!, ...length }, mean] satisfies [Compared, Latent];
    }
  }
}

async function* ofLatents({ width }: Vectors, file: string) {
  const latents = await readLatents(file, width);
  for (const [i, { text, z }] of latents.entries())
    yield [{ ...(text === undefined ? {} : { text }), latent: i + 1 }, z] satisfies [Compared, Latent];
}
