/** `bigvae memory`: spans kept with their latents, looked at, removed, checked and carried elsewhere. */
import { Command } from "@commander-js/extra-typings";
import { BigVaeError } from "../../errors.js";
import type { Memory } from "../../memory/index.js";
import { knownRecallLimits } from "../../operations/draftMemory.js";
import { mayRemove } from "../confirm.js";
import {
  closed,
  filterOf,
  memoryOptions,
  PLACE_HELP,
  records,
  shownRecord,
  useMemory,
  withFilter,
  withWait,
} from "../memories.js";
import { wholeNumber } from "../options.js";
import { onOneLine } from "../shade.js";
import { printJson, reportWritten, withOutput } from "../shared.js";
import { size } from "../sizes.js";
import { addCommand } from "./memoryAdd.js";
import { calibrateCommand } from "./memoryCalibrate.js";
import { searchCommand } from "./memorySearch.js";

export function memoryCommand() {
  return new Command("memory")
    .description("Keep spans with their latents in a folder or a database, and find them again.")
    .addCommand(addCommand())
    .addCommand(searchCommand())
    .addCommand(calibrateCommand())
    .addCommand(showCommand())
    .addCommand(rmCommand())
    .addCommand(compactCommand())
    .addCommand(verifyCommand())
    .addCommand(repairCommand())
    .addCommand(exportCommand())
    .addCommand(importCommand());
}

/** A command on a memory that needs no model. */
function simple(name: string, description: string) {
  return withWait(withOutput(new Command(name).description(description))).argument("<memory>", PLACE_HELP);
}

function showCommand() {
  return simple("show", "Show what a memory is, or some of its records.")
    .argument("[ids...]", "ids of records; default: the memory itself", (text, all: number[] = []) => [
      ...all,
      toId(text),
    ])
    .addHelpText("after", "\nExamples:\n  bigvae memory show stories\n  bigvae memory show stories 1 2 3")
    .action((place, ids = [], flags) =>
      useMemory(flags, place, async (memory) => {
        if (ids.length === 0) return showMemory(flags, memory);
        for (const id of ids) {
          const record = await memory.record(id);
          if (flags.json)
            printJson({
              ...shownRecord(record),
              z: record.z,
              ...(record.contextZ ? { context_z: record.contextZ } : {}),
            });
          else
            process.stdout.write(
              `${id}  ${new Date(record.time).toISOString()}  ${record.tags.join(", ") || "-"}\n  ${onOneLine(record.text)}\n`,
            );
        }
      }),
    );
}

const toId = wholeNumber(1);

async function showMemory({ json }: { json: boolean }, memory: Memory): Promise<void> {
  const { place, space } = memory;
  const limits = await knownRecallLimits(memory);
  const count = await memory.count();
  if (json) return printJson({ memory: place, records: count, space, ...(limits ? { limits } : {}) });
  const { base, encoder, zDim, slots, span } = space;
  process.stdout.write(
    `${place}: ${records(count)}
  latents of ${zDim} values, ${slots} ${slots === 1 ? "slot" : "slots"}, spans of ${span} tokens
  base ${base.slice(0, 12)}, encoder ${encoder.slice(0, 12)}
  ${limits ? `calibrated: a draft is recalled within ${limits.distance.toFixed(3)}` : "not calibrated: bigvae memory calibrate makes it fit for drafts"}\n`,
  );
}

function rmCommand() {
  return withFilter(simple("rm", "Remove records: those of some ids, or all that a filter fits."))
    .argument("[ids...]", "ids of records", (text, all: number[] = []) => [...all, toId(text)])
    .option("--yes", "do not ask", false)
    .addHelpText(
      "after",
      "\nExamples:\n  bigvae memory rm stories 17 --yes\n  bigvae memory rm stories --tag draft --before 2026-11-01 --yes\n\nWhat they took is free after `bigvae memory compact`.",
    )
    .action((place, given, flags) =>
      useMemory(flags, place, async (memory) => {
        const filter = filterOf(flags);
        if (given.length > 0 === Object.keys(filter).length > 0)
          throw new BigVaeError("usage", {
            subject: "memory rm",
            expected: "ids, or a filter",
            got: given.length > 0 ? "both" : "neither",
            remedy: "name the records to remove",
          });
        const ids = given.length > 0 ? given : await memory.ids(filter);
        const what = `${records(ids.length)} of ${place}`;
        if (!(await mayRemove("memory rm", what, flags))) return;
        await memory.delete(ids);
        reportWritten(flags, { memory: place, removed: ids.length }, `${place}: ${records(ids.length)} removed`);
      }),
    );
}

function compactCommand() {
  return simple("compact", "Free what removed records took, and make the index again.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae memory compact stories\n\nOf a database of LanceDB it makes the indices, and drops versions that are more than an hour old.",
    )
    .action((place, flags) =>
      useMemory(flags, place, async (memory) => {
        await memory.compact();
        const [count, bytes] = [await memory.count(), await memory.indexBytes()];
        const line = `${place}: ${records(count)}${bytes === undefined ? "" : `, index of ${size(bytes)}`}`;
        reportWritten(flags, { memory: place, records: count, index_bytes: bytes }, line);
      }),
    );
}

function verifyCommand() {
  return simple("verify", "Compare everything with its checksums: records, tags, words and the index.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae memory verify stories\n\nThe exit code is 4 where something is not as it was written.",
    )
    .action((place, flags) =>
      useMemory(flags, place, async (memory) => {
        const { databaseAt } = await import("../../memory/index.js");
        const isFolder = databaseAt(place) === undefined;
        const { records: sound, problems } = await memory.verify();
        for (const problem of problems) {
          if (flags.json) printJson(problem);
          else process.stdout.write(`${problem.message}\n`);
        }
        if (problems.length > 0)
          throw new BigVaeError("format", {
            subject: place,
            expected: "a memory as it was written",
            got: `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`,
            remedy: isFolder ? `run bigvae memory repair ${place}` : `remove what is named: bigvae memory rm ${place}`,
          });
        reportWritten(flags, { memory: place, records: sound }, `${place}: ${records(sound)}, all sound`);
      }),
    );
}

function repairCommand() {
  return simple("repair", "Keep what can be read of a damaged memory in a folder, and name what cannot.")
    .addHelpText(
      "after",
      "\nExample:\n  bigvae memory repair stories\n\nA database of LanceDB has no repair: remove the records that `verify` names. Where anything is lost, the file as it was stays as memory.db.damaged.",
    )
    .action(async (place, flags) => {
      const { repairMemory } = await import("../../memory/index.js");
      const repaired = await repairMemory(place, undefined, memoryOptions(flags));
      const { records: kept, lost, lostNotes, lostChanges } = repaired;
      const losses = lost.length === 0 ? "none lost" : `lost: ${lost.join(", ")}`;
      const notes = lostNotes.length === 0 ? "" : `; notes lost: ${lostNotes.join(", ")}`;
      const changes = lostChanges ? "; the newest changes lost with their log" : "";
      const line = `${place}: ${records(kept)} kept, ${losses}${notes}${changes}`;
      const facts = { memory: place, records: kept, lost, lost_notes: lostNotes, lost_changes: lostChanges };
      reportWritten(flags, facts, line);
    });
}

function exportCommand() {
  return simple("export", "Write all records as JSON lines, and their latents as .npy.")
    .argument("<target>", "folder to write")
    .addHelpText("after", "\nExample:\n  bigvae memory export stories stories-exported")
    .action((place, target, flags) =>
      useMemory(flags, place, async (memory) => {
        const count = await memory.exportTo(target);
        reportWritten(flags, { output: target, records: count }, `${target}: ${records(count)}`);
      }),
    );
}

function importCommand() {
  return simple("import", "Add the records of an export to a memory, or begin one with them.")
    .argument("<source>", "folder of the export")
    .addHelpText("after", "\nExample:\n  bigvae memory import copy stories-exported")
    .action(async (place, source, flags) => {
      const { exportedSpace, openMemory } = await import("../../memory/index.js");
      const opened = await openMemory(place, await exportedSpace(source), memoryOptions(flags));
      const count = await closed(opened, (memory) => memory.importFrom(source));
      reportWritten(flags, { memory: place, records: count }, `${place}: ${records(count)} added`);
    });
}
