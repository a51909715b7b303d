/** Memories for tests: small latents from a seed, without a model. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Table } from "@lancedb/lancedb";
import {
  type FoundRecord,
  type Memory,
  type NewRecord,
  openMemory,
  type SpaceIdentity,
} from "../../src/memory/index.js";
import { library } from "../../src/memory/lance/library.js";
import { Rng } from "../../src/rng.js";

export const SPACE: SpaceIdentity = { base: "b".repeat(64), encoder: "e".repeat(64), zDim: 8, slots: 1, span: 64 };

const WORDS = "owl fox baker lost found lamp button key under near old bridge house river slept".split(" ");

/** Record number `i`, the same at every call. */
export function recordOf(i: number, width = SPACE.zDim): NewRecord {
  const rng = Rng.fromSeed(i).fork("record");
  return {
    text: `number${i} ${Array.from({ length: 5 }, () => rng.pick(WORDS)).join(" ")}`,
    ids: Array.from({ length: 4 }, () => rng.integer(2000)),
    z: rng.normals(width),
    ...(i % 2 === 0 ? { contextZ: rng.normals(width) } : {}),
    ...(i % 3 === 0 ? { score: rng.uniform() } : {}),
    tags: i % 5 === 0 ? ["fifth", `mod${i % 7}`] : [`mod${i % 7}`],
    time: 1000 + i,
  };
}

export function recordsOf(count: number, from = 0, width = SPACE.zDim): NewRecord[] {
  return Array.from({ length: count }, (_, i) => recordOf(from + i, width));
}

/** Runs a test with a folder of its own. */
export async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "memory-"));
  await work(root).finally(() => rm(root, { recursive: true, force: true }));
}

/** Where a memory lies, of a form, in a folder of a test. */
export type PlaceIn = (folder: string) => string;

export const atFolder: PlaceIn = (folder) => folder;
export const atDatabase: PlaceIn = (folder) => `lance:${join(folder, "database")}`;

/** Whether LanceDB has a build for this machine. */
export const hasLance = isThere();

function isThere(): boolean {
  try {
    return library("tests") !== undefined;
  } catch (error) {
    console.warn(`LanceDB is not tested: ${error}`);
    return false;
  }
}

/** A memory of records for one test. */
export function inMemory(
  placeIn: PlaceIn,
  records: readonly NewRecord[],
  work: (memory: Memory, folder: string) => Promise<void>,
): Promise<void> {
  return inFolder(async (folder) => {
    const memory = await openMemory(placeIn(folder), SPACE);
    try {
      await memory.add(records);
      await work(memory, folder);
    } finally {
      await memory.close();
    }
  });
}

export const idsOf = (found: readonly FoundRecord[]) => found.map(({ record }) => record.id);
export const z = (...values: number[]) => Float32Array.from({ length: SPACE.zDim }, (_, i) => values[i] ?? 0);
export const plainRecord = (text: string, latent: Float32Array): NewRecord => ({ text, ids: [1], z: latent });

/** A memory of 40 records and a note whose process ended: all but ten records are in the log of its file alone. */
export async function killedMemory(root: string): Promise<string> {
  const [live, killed] = [join(root, "live"), join(root, "killed")];
  const begun = await openMemory(live, SPACE);
  await begun.add(recordsOf(10));
  await begun.close();
  const memory = await openMemory(live);
  for (let batch = 1; batch < 4; batch++) await memory.add(recordsOf(10, 10 * batch));
  await memory.setNote("limits", "7");
  await cp(live, killed, { recursive: true });
  await memory.close();
  await rm(join(killed, ".lock"));
  return killed;
}

/** The table of the records of a memory in LanceDB. */
export async function recordsTable(uri: string): Promise<Table> {
  const connection = await library("tests").lance.connect(uri, { readConsistencyInterval: 0 });
  const names = await connection.tableNames();
  return connection.openTable(names.find((name) => name.startsWith("records-"))!);
}
