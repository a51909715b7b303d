/** What the commands on memories share: opening one, filters, and records as they are shown. */
import { type Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { BigVae } from "../bigVae.js";
import type { Memory, MemoryFilter, MemoryOptions, MemoryRecord } from "../memory/index.js";
import { MOST_DRAFTS, RecalledDrafts, recallLimits } from "../operations/draftMemory.js";
import { openMemory } from "../operations/memories.js";
import { collected, realNumber, wholeNumber } from "./options.js";
import { type OutputFlags, warn } from "./shared.js";

export type WaitFlags = OutputFlags & { wait: number };

/** Adds --wait. */
export function withWait<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command.option(
    "--wait <seconds>",
    "wait so long for another process that has the folder open",
    realNumber(0),
    0,
  );
}

/** What names a memory. */
export const PLACE_HELP =
  "the memory's folder, or its database in LanceDB: lance:PATH, s3://BUCKET/PATH, gs://BUCKET/PATH, az://CONTAINER/PATH";

/** How a command opens a memory. */
export function memoryOptions(flags: WaitFlags): MemoryOptions {
  return { waitMs: 1000 * flags.wait, onWarning: (warning) => warn(flags, warning) };
}

/** Opens a memory that is there, without a model, hands it over and closes it whatever happens. */
export async function useMemory<T>(flags: WaitFlags, place: string, use: (memory: Memory) => Promise<T>): Promise<T> {
  const { openMemory } = await import("../memory/index.js");
  return closed(await openMemory(place, undefined, memoryOptions(flags)), use);
}

/** Hands a memory over, and closes it whatever happens. */
export async function closed<T>(memory: Memory, use: (memory: Memory) => Promise<T>): Promise<T> {
  try {
    return await use(memory);
  } finally {
    await memory.close();
  }
}

type FilterFlags = {
  tag: string[];
  words?: string;
  after?: number;
  before?: number;
  minScore?: number;
  maxScore?: number;
};

/** Adds what records must be like. */
export function withFilter<A extends unknown[], O extends Record<string, unknown>>(
  command: Command<A, O>,
): Command<A, O & FilterFlags> {
  const anyNumber = realNumber(Number.NEGATIVE_INFINITY);
  const filtered = command
    .option("--tag <word>", "with this tag; give it several times for all of them", collected, [] as string[])
    .option("--words <words>", "with all of these words in the text, or words that begin with them")
    .option("--after <time>", "kept from this time on: 2026-11-27, 2026-11-27T18:00Z or milliseconds", moment)
    .option("--before <time>", "kept before this time", moment)
    .option("--min-score <x>", "with a score of at least this", anyNumber)
    .option("--max-score <x>", "with a score of at most this", anyNumber);
  // The compiler does not write down the type of so many options.
  return filtered as unknown as Command<A, O & FilterFlags>;
}

export function filterOf({ tag: tags, words, after, before, minScore, maxScore }: FilterFlags): MemoryFilter {
  return {
    ...(tags.length > 0 ? { tags } : {}),
    ...(words === undefined ? {} : { words }),
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(minScore === undefined ? {} : { minScore }),
    ...(maxScore === undefined ? {} : { maxScore }),
  };
}

function moment(text: string): number {
  const time = /^\d{5,}$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(time)) return time;
  throw new InvalidArgumentError(`Expected a time such as 2026-11-27, got ${JSON.stringify(text)}.`);
}

/** A record without its latents, as JSON shows it. */
export function shownRecord({ id, text, ids, score, tags, time }: MemoryRecord) {
  return { id, text, ids, score, tags, time };
}

/** "12 records", "1 record". */
export function records(count: number): string {
  return `${count} ${count === 1 ? "record" : "records"}`;
}

/** Of a command that recalls drafts. */
export interface DraftFlags {
  memory?: string | undefined;
  memoryDrafts?: number | undefined;
}

/** Adds --memory-drafts. */
export function withMostDrafts<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command.option(
    "--memory-drafts <n>",
    `drafts of each kind that the memory keeps; beyond them it drops used-up ones first, then the least used, then the oldest; default: ${MOST_DRAFTS}`,
    wholeNumber(1),
  );
}

/** Looks at the memory that drafts are to be recalled from before a model is loaded. Throws where it is not there, or not calibrated. */
export async function checkDrafts({ memory: place }: DraftFlags): Promise<void> {
  if (place === undefined) return;
  const { openMemory } = await import("../memory/index.js");
  await closed(await openMemory(place, undefined, { onWarning: () => undefined }), recallLimits);
}

/** Opens the memory that drafts are recalled from, where one is named, and closes it whatever happens. */
export async function withDrafts<T>(
  { memory: place, memoryDrafts: most, ...flags }: DraftFlags & { quiet: boolean },
  vae: BigVae,
  use: (drafts?: RecalledDrafts) => Promise<T>,
): Promise<T> {
  if (place === undefined) return use();
  const options = { mustExist: true, onWarning: (warning: string) => warn(flags, warning) };
  return closed(await openMemory(vae, place, options), async (memory) =>
    use(new RecalledDrafts(memory, vae.tokenizer, await recallLimits(memory), { most })),
  );
}
