/** Opens a memory in the form that its name says. */
import { FolderMemory } from "./folder/folderMemory.js";
import type { Memory } from "./memory.js";
import { databaseAt } from "./place.js";
import type { MemoryOptions, SpaceIdentity } from "./types.js";

/**
 * Opens the memory in a folder or a database (lance:PATH, s3://BUCKET/PATH, gs://…, az://…), or begins one there for latents of `space`; without
 * a space, one that is there.
 * @throws BigVaeError: "locked" where another process has the folder open, "mismatch" where it is of another space, "usage" where there is none
 * and no space is given or one must exist, "unsupported" where LanceDB is not installed, "disk", "network" where an object storage does not answer, and "format" for
 * what is no memory or is damaged.
 */
export async function openMemory(place: string, space?: SpaceIdentity, options?: MemoryOptions): Promise<Memory> {
  const database = databaseAt(place);
  if (database === undefined) return FolderMemory.open(place, space, options);
  const { LanceMemory } = await import("./lance/lanceMemory.js");
  return LanceMemory.open(place, database, space, options);
}
