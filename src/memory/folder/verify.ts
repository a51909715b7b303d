/** A look at everything that a memory keeps. */
import { BigVaeError } from "../../errors.js";
import { METRICS, type MemoryProblem, type VerifiedMemory } from "../types.js";
import type { RecordStore } from "./recordStore.js";
import { spaceOf } from "./storedSpace.js";
import { damagedFiles, type VectorIndex } from "./vectorIndex.js";

/** Reads all records, their tags and words, and the files of the index; `openIndex` makes what is missing of it. */
export async function verifyStore(
  store: RecordStore,
  folder: string,
  openIndex: () => Promise<VectorIndex>,
): Promise<VerifiedMemory> {
  const problems: MemoryProblem[] = [];
  /** What one look finds, or throws. */
  const look = <T>(work: () => T, id?: number): T | undefined => {
    try {
      return work();
    } catch (error) {
      problems.push({ ...(id === undefined ? {} : { id }), message: messageOf(error) });
      return undefined;
    }
  };
  look(() => spaceOf(store));
  for (const name of look(() => store.notes()) ?? []) look(() => store.fact(name));
  for (const message of look(() => structureProblems(store)) ?? []) problems.push({ message });
  const sound: number[] = [];
  const last = look(() => store.last()) ?? 0;
  for (let id = 1; id <= last; id++) {
    const isDeleted = look(() => store.isDeleted(id), id);
    const isSound = isDeleted === false && look(() => store.record(id), id) !== undefined;
    if (isSound) sound.push(id);
  }
  for (const id of look(() => wronglyTagged(store)) ?? [])
    problems.push({ id, message: `record ${id}: its tags differ` });
  for (const metric of METRICS)
    for (const path of look(() => damagedFiles(folder, store, metric)) ?? [])
      problems.push({
        message: `${path}: expected what was written, got another checksum; it is made again when it is needed`,
      });
  const index = await openIndex().catch((error: unknown) => {
    problems.push({ message: messageOf(error) });
  });
  for (const id of sound) if (index && !index.has(id)) problems.push({ id, message: `record ${id}: not in the index` });
  return { records: sound.length, problems };
}

/** What SQLite says of its tables, and of the words. */
function structureProblems(store: RecordStore): string[] {
  const found = store.all("PRAGMA integrity_check").flatMap((row) => {
    const message = String(Object.values(row)[0]);
    return message === "ok" ? [] : [`${store.path}: ${message}`];
  });
  // 1: the words are compared with the texts.
  store.all("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)");
  return found;
}

/** Ids of records whose tags are not those that they are found by. */
function wronglyTagged(store: RecordStore): number[] {
  const rows = store.all(`
    SELECT records.id FROM records, json_each(records.tags) AS own
    WHERE NOT EXISTS (SELECT 1 FROM tags WHERE tag = own.value AND record = records.id)
    UNION
    SELECT record FROM tags LEFT JOIN records ON records.id = record
    WHERE records.id IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(records.tags) AS own WHERE own.value = tag)`);
  return rows.map((row) => Number(Object.values(row)[0]));
}

/** What is damaged; what else went wrong is thrown. */
function messageOf(error: unknown): string {
  if (error instanceof BigVaeError && error.kind === "format") return error.message;
  throw error;
}
