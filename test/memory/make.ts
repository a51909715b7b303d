/** Memories for tests: small latents from a seed, without a model. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Memory, type NewRecord, type SpaceIdentity } from "../../src/memory/index.js";
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

/** A memory of 40 records and a note whose process ended: all but ten records are in the log of its file alone. */
export async function killedMemory(root: string): Promise<string> {
  const [live, killed] = [join(root, "live"), join(root, "killed")];
  const begun = await Memory.open(live, SPACE);
  await begun.add(recordsOf(10));
  await begun.close();
  const memory = await Memory.open(live);
  for (let batch = 1; batch < 4; batch++) await memory.add(recordsOf(10, 10 * batch));
  await memory.setNote("limits", "7");
  await cp(live, killed, { recursive: true });
  await memory.close();
  await rm(join(killed, ".lock"));
  return killed;
}
