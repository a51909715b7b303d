/** `bigvae memory calibrate`: how near kept drafts must be to stand for written ones. */
import { Command } from "@commander-js/extra-typings";
import { measureRecall, setRecallLimits } from "../../operations/draftMemory.js";
import { openMemory } from "../../operations/memories.js";
import { inputTexts, withFile } from "../input.js";
import { closed, memoryOptions, PLACE_HELP, withWait } from "../memories.js";
import { interruptSignal, realNumber, wholeNumber } from "../options.js";
import { reportWritten, useModel, withModel } from "../shared.js";

export function calibrateCommand() {
  return withWait(
    withFile(
      withModel(
        new Command("calibrate").description(
          "Measure how far drafts lie from what they are written from: kept drafts that are as near may replace new ones.",
        ),
      ),
    ),
  )
    .argument("<memory>", `${PLACE_HELP}; begun if there is none`)
    .argument(
      "[texts...]",
      "texts of at least a span that the model has not seen; default: those of --file, or standard input",
    )
    .option("--coverage <share>", "share of the drafts that lie within the limit", realNumber(0), 0.5)
    .option("--n-avg <n>", "drafts behind each text", wholeNumber(1), 4)
    .addHelpText("after", "\nExample:\n  bigvae memory calibrate stories --file held-out.txt")
    .action(async (place, given, { coverage, nAvg, seed, ...flags }) => {
      const texts: string[] = [];
      for await (const { text } of await inputTexts(given, flags)) texts.push(text);
      await useModel({ ...flags, seed }, async (vae) => {
        const limits = await measureRecall(vae, texts, { coverage, nAvg, seed, signal: interruptSignal() });
        return closed(await openMemory(vae, place, memoryOptions(flags)), async (memory) => {
          await setRecallLimits(memory, limits);
          const line = `${place}: drafts within ${limits.distance.toFixed(3)} of what they are written from, as ${Number((100 * coverage).toFixed(2))} % of those behind ${limits.texts} texts are`;
          reportWritten(flags, { memory: place, ...limits }, line);
        });
      });
    });
}
