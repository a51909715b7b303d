/** What can be read of a damaged memory, written anew. */
import { constants, copyFile, link, open, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BigVaeError } from "../../errors.js";
import { Database, openFile, removeOldLock } from "../../formats/database.js";
import { diskError, errorCode, nodeFileOps } from "../../formats/fileOps.js";
import { lockFolder } from "../../formats/lock.js";
import { exists } from "../../formats/readFiles.js";
import { isLogDamaged } from "../../formats/writeLog.js";
import { databaseAt } from "../place.js";
import { damagedFact, storeError } from "../problems.js";
import { noMemory } from "../space.js";
import type { MemoryOptions, RepairedMemory, SpaceIdentity, WholeRecord } from "../types.js";
import { RecordStore } from "./recordStore.js";
import { KIND } from "./schema.js";
import { settledSpace, spaceOf } from "./storedSpace.js";
import { isIndexFile } from "./vectorIndex.js";

const BATCH = 1024;

/** Of a record on disk, at the least: what bounds the ids where the newest one cannot be read. */
const LEAST_BYTES = 32;

/**
 * Keeps the records and notes that can be read as they were written, with their ids and names, and says which were lost; the index is made
 * again when it is needed. Where any were lost, or the file had a log beside it, both stay as they were, as memory.db.damaged and
 * memory.db.damaged-wal. `space` is only needed where the memory's own name of it is damaged.
 * @throws BigVaeError: "usage" where there is no memory, "locked", "disk", "format" where nothing can be read, "mismatch" for another space.
 */
export async function repairMemory(
  folder: string,
  space?: SpaceIdentity,
  { waitMs }: Pick<MemoryOptions, "waitMs"> = {},
): Promise<RepairedMemory> {
  if (databaseAt(folder) !== undefined) throw ofDatabase(folder);
  const path = join(folder, KIND.file);
  if (!(await exists(path))) throw noMemory(folder);
  const lock = await lockFolder(folder, waitMs);
  const [draft, log] = [`${path}.repair`, `${path}-wal`];
  try {
    await removeDraft(draft);
    removeOldLock(path);
    const lostChanges = isLogDamaged(log);
    // SQLite removes a log whose header is damaged.
    if (lostChanges) await keepDamaged(path);
    const old = openAsItIs(path);
    const repaired = await copySound(new RecordStore(old), draft, space).finally(() => old.close());
    const isLess = repaired.lost.length + repaired.lostNotes.length > 0;
    if (!lostChanges && (isLess || (await exists(log)))) await keepDamaged(path);
    // SQLite would play it into the new file.
    if (await exists(log)) await nodeFileOps.rename(log, `${path}.damaged-wal`);
    await nodeFileOps.syncFolder(folder);
    await nodeFileOps.rename(draft, path);
    await nodeFileOps.syncFolder(folder);
    for (const name of await readdir(folder)) if (isIndexFile(name)) await rm(join(folder, name), { force: true });
    return { ...repaired, lostChanges };
  } catch (error) {
    throw await told(error, path);
  } finally {
    await removeDraft(draft);
    await lock.release();
  }
}

function ofDatabase(place: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `repair of ${place}`,
    expected: "a folder",
    got: "a database",
    remedy: "remove the records that are named as damaged, or go back to an older version of the database",
  });
}

async function removeDraft(draft: string): Promise<void> {
  for (const ending of ["", "-wal", ".lock"]) await rm(`${draft}${ending}`, { recursive: true, force: true });
}

function openAsItIs(path: string): Database {
  try {
    return new Database(path, { readOnly: true });
  } catch (error) {
    throw storeError(path, error);
  }
}

/** Keeps a copy of the file and of its log. */
async function keepDamaged(path: string): Promise<void> {
  const damaged = `${path}.damaged`;
  for (const ending of ["", "-wal"]) await rm(`${damaged}${ending}`, { force: true });
  await copyFile(path, damaged, constants.COPYFILE_FICLONE).catch(async () => {
    // A disk that is full, or cannot read it: a second name keeps it as well.
    await rm(damaged, { force: true });
    await link(path, damaged);
  });
  await sync(damaged);
  if (!(await exists(`${path}-wal`))) return;
  await copyFile(`${path}-wal`, `${damaged}-wal`);
  await sync(`${damaged}-wal`);
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync().finally(() => file.close());
}

/** As the user is told: what a repair cannot mend, another one cannot either. */
async function told(error: unknown, path: string): Promise<unknown> {
  if (errorCode(error) !== undefined) return diskError(path, 0, error);
  if (!(error instanceof BigVaeError && error.kind === "format")) return error;
  return error.with({ remedy: "restore a copy of the folder, or import an export into a new memory" });
}

async function copySound(
  old: RecordStore,
  draft: string,
  given: SpaceIdentity | undefined,
): Promise<Omit<RepairedMemory, "lostChanges">> {
  const space = readable(() => spaceOf(old)) ?? given;
  const last = readable(() => old.last()) ?? (await newestId(old));
  const database = openFile(draft, KIND);
  try {
    const fresh = new RecordStore(database);
    settledSpace(fresh, dirname(draft), space);
    const repaired = { ...copyRecords(old, fresh, last), lostNotes: copyNotes(old, fresh) };
    fresh.reserve(last);
    database.closeWhole();
    return repaired;
  } finally {
    if (database.isOpen) database.close();
  }
}

function copyRecords(old: RecordStore, fresh: RecordStore, last: number): { records: number; lost: number[] } {
  const lost: number[] = [];
  let records = 0;
  for (let from = 1; from <= last; from += BATCH) {
    const sound: WholeRecord[] = [];
    const gone: number[] = [];
    for (let id = from; id < from + BATCH && id <= last; id++) {
      const isDeleted = readable(() => old.isDeleted(id)) ?? false;
      const record = isDeleted ? undefined : readable(() => old.record(id));
      if (record) sound.push(record);
      else gone.push(id);
      if (!record && !isDeleted) lost.push(id);
    }
    fresh.together(() => {
      fresh.add(sound);
      for (const id of gone) fresh.forget(id);
    });
    records += sound.length;
  }
  return { records, lost };
}

/** Copies what was noted; returns the names of what cannot be read. */
function copyNotes(old: RecordStore, fresh: RecordStore): string[] {
  const lost: string[] = [];
  for (const name of readable(() => old.notes()) ?? ["all notes"]) {
    const value = readable(() => old.fact(name));
    if (value === undefined) lost.push(name.replace(/^note /, ""));
    else fresh.setFact(name, value);
  }
  return lost;
}

/** The newest id that shows, where the fact that says it is damaged. */
async function newestId(store: RecordStore): Promise<number> {
  const ids = ["records", "latents", "deleted"].map((table) =>
    readable(() => Number(Object.values(store.all(`SELECT max(rowid) FROM ${table}`)[0]!)[0])),
  );
  if (ids.every((id) => id === undefined)) throw damagedFact(store.path, "its tables");
  const { size } = await stat(store.path);
  return Math.min(Math.max(0, ...ids.map((id) => id ?? 0)), Math.floor(size / LEAST_BYTES));
}

/** What is read; undefined where it is damaged, or the disk cannot read it. */
function readable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof BigVaeError && ["format", "disk"].includes(error.kind)) return undefined;
    throw error;
  }
}
