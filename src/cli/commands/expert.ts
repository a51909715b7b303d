/** `bigvae expert`: adapters for some kinds of text, trained, listed, shown and removed. */
import { join } from "node:path";
import { Command } from "@commander-js/extra-typings";
import {
  begunExperts,
  expertFolder,
  expertNames,
  findExpert,
  readExpert,
  removeExpert,
  type StoredExpert,
} from "../../expert/index.js";
import { TRAIN_OPTIONS, type TrainExpertOptions, trainExpert } from "../../train/index.js";
import { mayRemove } from "../confirm.js";
import { showEach } from "../listing.js";
import { interruptSignal } from "../options.js";
import { printJson, reportWritten, withOutput } from "../shared.js";
import { runCommand } from "./trainFlags.js";
import { reportRun } from "./trainReport.js";

export function expertCommand() {
  return new Command("expert")
    .description("Train adapters for kinds of text, which write the spans that are like those.")
    .addCommand(trainCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(rmCommand());
}

function trainCommand(): Command {
  return runCommand(
    "train",
    TRAIN_OPTIONS.expert,
    ({ options, flags }) =>
      reportRun({ ...flags, output: join(`${options.experts}`, `${options.name}`) }, (onReport) =>
        trainExpert(options as unknown as TrainExpertOptions, { onReport, signal: interruptSignal() }),
      ),
    { dryRun: false },
  )
    .description("Train the model's router on some texts, and keep it as an expert.")
    .addHelpText(
      "after",
      `
Examples:
  bigvae expert train --experts experts --name letters --on letters.txt --steps 60 --batch-size 16 --lr 8e-4
  bigvae expert train --experts experts --name letters --resume`,
    );
}

/** A command on the experts of a folder, which needs no model. */
function simple(name: string, description: string) {
  return withOutput(new Command(name).description(description)).requiredOption(
    "--experts <folder>",
    "folder of experts",
  );
}

function listCommand() {
  return simple("list", "List the experts of a folder.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae expert list --experts experts\n\nThe exit code is 4 where an expert is not as it was written; the others are listed all the same.",
    )
    .action(async ({ experts: folder, ...flags }) => {
      const finished = await expertNames(folder);
      const begun = await begunExperts(folder);
      await showEach(
        flags,
        `experts ${folder}`,
        [...finished, ...begun].sort(),
        async (name) => (begun.includes(name) ? undefined : readExpert(join(folder, name))),
        (expert, name) => {
          if (flags.json) return printJson(expert ? shown(expert) : { name, begun: true });
          const what = expert
            ? `${expert.facts.texts} texts, ${expert.facts.steps} steps`
            : "begun; --resume goes on with it";
          process.stdout.write(`${name.padEnd(20)} ${what}\n`);
        },
      );
    });
}

function showCommand() {
  return simple("show", "Show what an expert was trained on, and the space of its keys.")
    .argument("<name>", "name of the expert")
    .addHelpText("after", "\nExample:\n  bigvae expert show letters --experts experts")
    .action(async (name, { experts: folder, json }) => {
      const expert = await findExpert(folder, name);
      if (json) return printJson(shown(expert));
      const { texts, spans, steps, rowsPerStep, trained, space, heldOutLoss } = expert.facts;
      const loss = heldOutLoss === undefined ? "" : `, held-out loss ${heldOutLoss.toFixed(4)}`;
      process.stdout.write(
        `${name}: a router, trained ${trained}
  ${texts} texts, ${steps} steps of ${rowsPerStep} rows${loss}
  ${expert.keys.length} keys, centres of ${spans} spans
  base ${space.base.slice(0, 12)}, encoder ${space.encoder.slice(0, 12)}\n`,
      );
    });
}

function rmCommand() {
  return simple("rm", "Remove an expert.")
    .argument("<name>", "name of the expert")
    .option("--yes", "do not ask", false)
    .addHelpText("after", "\nExample:\n  bigvae expert rm letters --experts experts --yes")
    .action(async (name, { experts: folder, yes, ...flags }) => {
      // One that is damaged or was never finished can be removed too.
      const own = await expertFolder(folder, name);
      if (!(await mayRemove("expert rm", name, { ...flags, yes }))) return;
      await removeExpert(own);
      reportWritten(flags, { experts: folder, removed: name }, `${own}: removed`);
    });
}

/** An expert as JSON shows it. */
function shown({ facts, keys }: StoredExpert) {
  const { heldOutLoss, rowsPerStep, ...others } = facts;
  return {
    ...others,
    rows_per_step: rowsPerStep,
    ...(heldOutLoss === undefined ? {} : { held_out_loss: heldOutLoss }),
    keys: keys.length,
  };
}
