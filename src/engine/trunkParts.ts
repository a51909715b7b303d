/** Where the weights of a part of the trunk lie when its session is made: in memory, or in files that it maps. */
import type { MappedWeight, Weight } from "../weights/index.js";

export interface PlacedPart {
  /** By name on disk. */
  weights: ReadonlyMap<string, Weight | MappedWeight>;
  /** Folder of the files of mapped weights. */
  folder?: string;
}

/** Keeps the packed weights of a base as files. */
export interface ImageStore {
  /** The packed weights of a part; `read` packs them where they are not there yet. */
  part(name: string, read: () => Promise<ReadonlyMap<string, Weight>>): Promise<PlacedPart>;
}
