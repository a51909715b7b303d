/** Memories of a loaded model: which space its latents are of. The store is loaded when one is opened. */
import type { BigVae } from "../bigVae.js";
import type { Memory, MemoryOptions, RepairedMemory } from "../memory/index.js";
import { spaceOfModel } from "./space.js";

/**
 * Opens a memory for the latents of a model, or begins one. `place` is a folder, which one process at a time has open, or a database of LanceDB,
 * which any number have: lance:PATH, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH (it needs `npm install @lancedb/lancedb@0.31.0
 * apache-arrow@18.1.0`; credentials are in the environment variables of LanceDB).
 * @throws BigVaeError: "locked" naming the process that has it open, "mismatch" where its latents are of another model, "usage" where there is
 * none and `mustExist` is set, "unsupported" where LanceDB is not installed, "disk", "format".
 * @example
 * const memory = await openMemory(vae, "memory");
 * const encoded = await vae.encode(["The fox found the lamp.", "The baker lost a key."]);
 * await memory.add(encoded.map(({ text, ids, mean }) => ({ text, ids, z: mean })));
 * const [found] = await memory.search({ z: encoded[0].mean, count: 1 });
 * console.log(found.record.text, found.similarity);
 * await memory.close();
 */
export async function openMemory(
  vae: Pick<BigVae, "hashes" | "space">,
  place: string,
  options?: MemoryOptions,
): Promise<Memory> {
  const { openMemory: open } = await import("../memory/open.js");
  return open(place, await spaceOfModel(vae), options);
}

/**
 * Keeps what can be read of the memory in a folder, and says which records were lost. The model is only needed where the memory's own name of its
 * space is damaged. Where any were lost, the file as it was stays beside it, as memory.db.damaged.
 * @throws BigVaeError: "usage" where there is no memory, "locked", "disk", "format" where nothing can be read, "mismatch" for another model.
 */
export async function repairMemory(
  folder: string,
  vae?: Pick<BigVae, "hashes" | "space">,
  options?: Pick<MemoryOptions, "waitMs">,
): Promise<RepairedMemory> {
  const { repairMemory: repair } = await import("../memory/folder/repair.js");
  return repair(folder, vae && (await spaceOfModel(vae)), options);
}
