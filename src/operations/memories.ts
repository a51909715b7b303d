/** Memories of a loaded model: which space its latents are of. The store is loaded when one is opened. */
import type { BigVae } from "../bigVae.js";
import type { Memory, MemoryOptions, RepairedMemory } from "../memory/index.js";
import { spaceOfModel } from "./space.js";

/**
 * Opens the memory of a folder for the latents of a model, or begins one there. One process at a time has it open.
 * @throws BigVaeError: "locked" naming the process that has it open, "mismatch" where its latents are of another model, "usage" where there is
 * none and `mustExist` is set, "disk", "format".
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
  folder: string,
  options?: MemoryOptions,
): Promise<Memory> {
  const { Memory } = await import("../memory/memory.js");
  return Memory.open(folder, await spaceOfModel(vae), options);
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
  const { repairMemory: repair } = await import("../memory/repair.js");
  return repair(folder, vae && (await spaceOfModel(vae)), options);
}
