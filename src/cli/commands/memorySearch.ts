/** `bigvae memory search`: records near to a text or a latent, by words, or both. */
import { Command, Option } from "@commander-js/extra-typings";
import type { BigVae } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import type { FoundRecord, Memory, MemoryQuery } from "../../memory/index.js";
import { openMemory } from "../../operations/memories.js";
import { refuseUnused } from "../flags.js";
import { checkInputs, LATENT_HELP, parseLatentInput, takeLatents } from "../latentInput.js";
import {
  closed,
  filterOf,
  memoryOptions,
  PLACE_HELP,
  shownRecord,
  useMemory,
  withFilter,
  withWait,
} from "../memories.js";
import { wholeNumber } from "../options.js";
import { onOneLine } from "../shade.js";
import { MODEL_FLAGS, printJson, useModel, withModel } from "../shared.js";
import { latentVectors } from "../vectors.js";

/** Flags that say how latents are compared. */
const OF_LATENTS = [
  "metric",
  "by",
  "exact",
  "decode",
  ...MODEL_FLAGS.filter((name) => !["json", "quiet"].includes(name)),
];

export function searchCommand() {
  return withFilter(
    withWait(
      withModel(new Command("search").description("Find records near to a text or a latent, by words, or by both.")),
    ),
  )
    .argument("<memory>", PLACE_HELP)
    .argument("[near]", 'a text, or a latent, "@FILE#NUMBER"')
    .option("--text <words>", "records with these words, those with more of the rarer ones first; needs no model")
    .option("--count <n>", "number of results", wholeNumber(1), 10)
    .addOption(
      new Option("--metric <name>", "what is compared of latents")
        .choices(["cosine", "inner", "l2"] as const)
        .default("cosine" as const),
    )
    .addOption(
      new Option("--by <what>", "compare the means of the slots (key), or the best 100 of them slot by slot (match)")
        .choices(["key", "match"] as const)
        .default("key" as const),
    )
    .option("--exact", "compare with every record, without the index", false)
    .option("--decode", "decode the mean of what is found", false)
    .addHelpText(
      "after",
      `
${LATENT_HELP}

Examples:
  bigvae memory search stories "A boat on a lake" --count 3
  bigvae memory search stories --text "boat lake" --tag fable
  bigvae memory search stories "A boat on a lake" --text boat --decode`,
    )
    .action(async (place, near, flags) => {
      const { text, count, metric, by, exact, decode } = flags;
      const words: MemoryQuery = { count, filter: filterOf(flags), ...(text === undefined ? {} : { text }) };
      if (near === undefined) {
        if (text === undefined)
          throw new BigVaeError("usage", {
            subject: "memory search",
            expected: "a text or a latent, --text, or both",
            got: "neither",
            remedy: "say what to look for",
          });
        refuseUnused((name) => OF_LATENTS.includes(name), "a text or a latent to compare with", "words alone");
        return useMemory(flags, place, async (memory) => show(flags, await memory.search(words)));
      }
      const input = parseLatentInput(near);
      await checkInputs("memory search", [input]);
      await useModel(flags, async (vae) => {
        const [taken] = await takeLatents(latentVectors(flags, vae), [input]);
        const options = { ...memoryOptions(flags), mustExist: true };
        await closed(await openMemory(vae, place, options), async (memory) => {
          const found = await memory.search({ ...words, z: taken!.z, metric, by, exact });
          show(flags, found);
          if (decode && found.length > 0) await showCentre(flags, vae, memory, found);
        });
      });
    });
}

function show({ json }: { json: boolean }, found: readonly FoundRecord[]): void {
  for (const { record, similarity, relevance } of found) {
    if (json) printJson({ ...shownRecord(record), similarity, relevance });
    else
      process.stdout.write(`${(similarity ?? relevance ?? 0).toFixed(3)}  ${record.id}  ${onOneLine(record.text)}\n`);
  }
}

/** What the mean of the found latents says. */
async function showCentre(
  { json, seed }: { json: boolean; seed: number },
  vae: BigVae,
  memory: Memory,
  found: readonly FoundRecord[],
) {
  const text = await vae.decode(memory.centroid(found), { seed });
  if (json) printJson({ centroid: text });
  else process.stdout.write(`mean: ${onOneLine(text)}\n`);
}
