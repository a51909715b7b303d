/** Memories: spans with their latents, kept in a folder each and found again by latent, by words, or by both. */
export { Memory } from "./memory.js";
export { repairMemory } from "./repair.js";
export { exportedSpace } from "./transfer.js";
export type * from "./types.js";
