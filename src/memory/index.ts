/** Memories: spans with their latents, kept in a folder or a database and found again by latent, by words, or by both. */
export { repairMemory } from "./folder/repair.js";
export type { Memory } from "./memory.js";
export { openMemory } from "./open.js";
export { databaseAt } from "./place.js";
export { exportedSpace } from "./transfer.js";
export type * from "./types.js";
