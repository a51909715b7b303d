/** A look at everything that a memory in LanceDB keeps. */
import { BigVaeError } from "../../errors.js";
import type { MemoryProblem, VerifiedMemory } from "../types.js";
import { sameRecord } from "./copies.js";
import { type LanceDatabase, rowsOf } from "./database.js";
import { damaged, RECORD_COLUMNS, type Row, recordOf } from "./rows.js";
import { wordList, wordsOf } from "./words.js";

const COLUMNS = [...RECORD_COLUMNS, "words", "length", "first", "last"];

/** Reads all records, what they are found by, and all facts. */
export async function verifyDatabase(database: LanceDatabase): Promise<VerifiedMemory> {
  const { place, records, deleted } = database;
  const problems: MemoryProblem[] = [];
  for (const name of await database.factNames())
    await database.fact(name).catch((error: unknown) => problems.push({ message: messageOf(error) }));
  const there = new Map<number, Row>();
  const added = new Map<number, number>();
  let sound = 0;
  for await (const batch of records.query().select(COLUMNS))
    for (const row of batch as Iterable<Row>) {
      const id = Number(row.id);
      const other = there.get(id);
      const message = other ? twice(id, other, row) : problemOf(place, row);
      const { checksum, latents_checksum } = row;
      there.set(id, { id: row.id, checksum, latents_checksum });
      added.set(Number(row.first), Number(row.last));
      if (message === undefined) sound++;
      else problems.push({ id, message });
    }
  const gone = new Set((await rowsOf(deleted.query())).map(({ id }) => Number(id)));
  for (const [first, last] of added)
    for (let id = first; id <= last; id++)
      if (!there.has(id) && !gone.has(id)) problems.push({ id, message: damaged(place, id, "no record").message });
  return { records: sound, problems };
}

function twice(id: number, other: Row, row: Row): string {
  return sameRecord(other, row)
    ? `record ${id}: it is there twice; compact the memory`
    : `record ${id}: another record has its id; remove the one that is shown`;
}

function problemOf(place: string, row: Row): string | undefined {
  try {
    const { id, text } = recordOf(place, row);
    const isFound = row.words === wordsOf(text) && row.length === wordList(text).length;
    return isFound ? undefined : `record ${id}: its words differ`;
  } catch (error) {
    return messageOf(error);
  }
}

/** What is damaged; what else went wrong is thrown. */
function messageOf(error: unknown): string {
  if (error instanceof BigVaeError && error.kind === "format") return error.message;
  throw error;
}
