/** What can be read of a damaged memory, written anew. */
import { constants, copyFile, readdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BigVaeError } from "../errors.js";
import { Database, openFile, removeOldLock } from "../formats/database.js";
import { nodeFileOps } from "../formats/fileOps.js";
import { lockFolder } from "../formats/lock.js";
import { damagedFact, storeError } from "./problems.js";
import { RecordStore, type WholeRecord } from "./recordStore.js";
import { KIND } from "./schema.js";
import { settledSpace, spaceOf } from "./space.js";
import type { MemoryOptions, RepairedMemory, SpaceIdentity } from "./types.js";

const BATCH = 1024;

/** Of a record on disk, at the least: what bounds the ids where the newest one cannot be read. */
const LEAST_BYTES = 32;

/**
 * Keeps the records that can be read as they were written, with their ids, and says which were lost; the index is made again when it is needed.
 * Where any were lost, the file as it was stays beside it, as memory.db.damaged.
 * `space` is only needed where the memory's own name of it is damaged.
 * @throws BigVaeError: "locked", "disk", "format" where nothing can be read, "mismatch" for another space.
 */
export async function repairMemory(
  folder: string,
  space?: SpaceIdentity,
  { waitMs }: Pick<MemoryOptions, "waitMs"> = {},
): Promise<RepairedMemory> {
  const lock = await lockFolder(folder, waitMs);
  const path = join(folder, KIND.file);
  const draft = `${path}.repair`;
  try {
    await rm(draft, { force: true });
    await removeOldLock(path);
    const old = openAsItIs(path);
    const repaired = await copySound(new RecordStore(old), draft, space).finally(() => old.close());
    if (repaired.lost.length > 0) await copyFile(path, `${path}.damaged`, constants.COPYFILE_FICLONE);
    await nodeFileOps.rename(draft, path);
    await rm(`${path}-wal`, { force: true });
    for (const name of await readdir(folder))
      if (name.endsWith(".usearch")) await rm(join(folder, name), { force: true });
    await nodeFileOps.syncFolder(dirname(path));
    return repaired;
  } finally {
    await rm(draft, { force: true });
    await lock.release();
  }
}

function openAsItIs(path: string): Database {
  try {
    return new Database(path, { mustExist: true });
  } catch (error) {
    throw storeError(path, error);
  }
}

async function copySound(old: RecordStore, draft: string, given: SpaceIdentity | undefined): Promise<RepairedMemory> {
  const space = readable(() => spaceOf(old)) ?? given;
  const last = readable(() => old.last()) ?? (await newestId(old));
  const database = await openFile(draft, KIND);
  const fresh = new RecordStore(database);
  const lost: number[] = [];
  let records = 0;
  try {
    settledSpace(fresh, dirname(draft), space);
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
    fresh.reserve(last);
    return { records, lost };
  } finally {
    database.close();
  }
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

function readable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof BigVaeError && error.kind === "format") return undefined;
    throw error;
  }
}
