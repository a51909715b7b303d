/** Steps 5 and 6 of the tour: a memory that finds spans by their latents, and an expert that is found by them. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BigVae } from "../../bigVae.js";
import { BigVaeError } from "../../errors.js";
import { errorCode } from "../../formats/fileOps.js";
import { openExperts } from "../../operations/experts.js";
import { openMemory } from "../../operations/memories.js";
import { Rng } from "../../rng.js";
import { closed } from "../memories.js";
import { interruptSignal } from "../options.js";
import { type ModelFlags, printJson } from "../shared.js";
import { ENDS, SENTENCES } from "./blending.js";
import { heading, show } from "./printing.js";

const QUERIES = ["The queen was sad after the war.", "We walked home from the station."] as const;

/** Step 5: sentences are kept, and the nearest to others found. */
export async function remembered(vae: BigVae, { json }: ModelFlags): Promise<void> {
  const kept = [...SENTENCES, ...ENDS];
  const found = await inScratch(async (folder) =>
    closed(await openMemory(vae, folder), async (memory) => {
      const encoded = await vae.encode(kept);
      await memory.add(encoded.map(({ text, ids, mean }) => ({ text, ids, z: mean })));
      const queries = await vae.encode(QUERIES);
      return Promise.all(queries.map(async ({ mean }) => (await memory.search({ z: mean, count: 1 }))[0]!));
    }),
  );
  const nearest = found.map(({ record, similarity }, i) => ({
    query: QUERIES[i]!,
    text: record.text,
    similarity: similarity!,
  }));
  if (json) printJson({ step: "memory", kept: kept.length, nearest });
  else
    show([
      heading(`5. A memory of the ${kept.length} sentences above finds the nearest to another one`),
      ...nearest.flatMap(({ query, text, similarity }) => [`  ${query}`, `  ${similarity.toFixed(2)}  ${text}`]),
    ]);
}

const LINES = 60;
const NAME = "ships-log";

/** Step 6: an expert of a kind of text that the model does not know, and what a line that it never saw costs it. */
export async function expert(vae: BigVae, { seed, threads, json, ...flags }: ModelFlags): Promise<void> {
  const lines = Array.from({ length: LINES + 1 }, (_, i) => logLine(i + 1, Rng.fromSeed(seed).fork("day", i)));
  const unseen = lines.pop()!;
  const signal = interruptSignal();
  const found = await inScratch(async (folder) => {
    const on = join(folder, "log.txt");
    await writeFile(on, lines.join("\n"));
    // Loaded here alone: no other step trains.
    const { trainExpert } = await import("../../train/index.js");
    const experts = join(folder, "experts");
    const { model, adapters, quant, compute, device } = flags;
    const how = {
      ...{ model, quant, compute, device, seed },
      ...{ steps: 20, batchSize: 4, lr: 1e-3 },
      ...(adapters === undefined ? {} : { adapters }),
      ...(threads === undefined ? {} : { threads }),
    };
    if (!(await trainExpert({ name: NAME, experts, on, ...how }, { signal }))) signal.throwIfAborted();
    const { ids, mean } = (await vae.encode([unseen]))[0]!;
    const shares = (await openExperts(vae, experts)).choose(mean);
    const rows = [
      { z: mean, target: ids },
      { z: mean, target: ids, experts: shares },
    ];
    const scores = await vae.engine.score(rows, "router", [], signal);
    const [byModel, byExpert] = scores.map(({ logProbabilities }) => probability(logProbabilities));
    return { text: unseen, expert: shares[0]!.name, byModel: byModel!, byExpert: byExpert! };
  });
  if (json) printJson({ step: "expert", lines: LINES, ...found });
  else
    show([
      heading(
        `6. An expert: the router, trained just now on ${LINES} lines of a ship's log. A line that it never saw:`,
      ),
      `  ${found.text}`,
      `  (To the model a token of it has probability ${found.byModel.toFixed(2)}; to the expert, which its latent finds, ${found.byExpert.toFixed(2)}.)`,
    ]);
}

/** The geometric mean of the probabilities of tokens. */
function probability(logProbabilities: ArrayLike<number>): number {
  const logs = Array.from(logProbabilities);
  return Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
}

const SEAS = ["calm", "rough", "grey", "cold", "bright", "windy", "foggy"];
const DEEDS = [
  "Saw two whales",
  "Mended the sail",
  "Caught nine fish",
  "The cook made soup",
  "Lost a rope",
  "Passed a green island",
  "Washed the deck",
  "Counted the barrels",
];
const ENDINGS = ["All well", "Slept badly", "Wind from the west", "No land yet", "Turned south", "Everyone tired"];

function logLine(day: number, rng: Rng): string {
  return `Day ${day}. Sea ${rng.pick(SEAS)}. ${rng.pick(DEEDS)}. ${rng.pick(ENDINGS)}.`;
}

/** Hands over a folder that is gone afterwards. */
async function inScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "bigvae-demo-")).catch((cause: unknown) => {
    const got = errorCode(cause) ?? String(cause);
    const remedy = "set TMPDIR to a folder that can be written";
    throw new BigVaeError(
      "disk",
      { subject: tmpdir(), expected: "a folder for temporary files", got, remedy },
      { cause },
    );
  });
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
