/** Drafts that were kept: where one fits, it need not be written again. */
import type { Latent } from "../latent/index.js";

/** Where a draft stands: what it is written from, and what it is written behind. */
export interface DraftPlace {
  /** The latent that it is written from. */
  from: Latent;
  /** That of the end of the text before it. */
  context: Latent;
  /** How it is written: drafts of another length, or of which another part is encoded, do not stand for it. */
  kind: string;
}

/** A draft that was kept. */
export interface KeptDraft {
  /** By which the memory knows it. */
  id: number;
  /** Its tokens. */
  ids: readonly number[];
  /** The latent of its end. */
  z: Latent;
}

/** What samplers need of a memory. */
export interface DraftMemory {
  /** Up to `count` kept drafts that are as near to a place as drafts written there would be; none twice in a run. */
  recall(place: DraftPlace, count: number): Promise<readonly KeptDraft[]>;
  /** Keeps drafts that were written at a place; returns by what the memory knows them. */
  keep(place: DraftPlace, drafts: readonly Omit<KeptDraft, "id">[]): Promise<readonly number[]>;
}
