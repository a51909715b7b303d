/** Memories for tests: small latents from a seed, without a model. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewRecord, SpaceIdentity } from "../../src/memory/index.js";
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
