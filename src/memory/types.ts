/** What a memory keeps, and how it is asked. */
import type { ComparedBy, Latent } from "../latent/index.js";

export type { SpaceIdentity } from "../latent/index.js";

/** A span to keep. */
export interface NewRecord {
  /** The text of the span. */
  text: string;
  /** Its tokens. */
  ids: readonly number[];
  /** Its latent, [W]. */
  z: Latent;
  /** The latent of what stood before it, [W]. */
  contextZ?: Latent;
  /** How good it is, by whatever measure the caller has. */
  score?: number;
  /** Words to find it by; each counts once. */
  tags?: readonly string[];
  /** In milliseconds since 1970; default: now. */
  time?: number;
}

/** A span that is kept. Its id is never given to another. */
export interface MemoryRecord extends Omit<NewRecord, "tags" | "time"> {
  /** From 1 on, in the order of adding. */
  id: number;
  /** Words to find it by, in alphabetical order. */
  tags: readonly string[];
  /** In milliseconds since 1970. */
  time: number;
}

/** A record before it has an id, complete otherwise. */
export type WholeRecord = Omit<MemoryRecord, "id"> & { id?: number };

/** The latents of a record. */
export type RecordLatents = Pick<MemoryRecord, "id" | "z" | "contextZ">;

/** What records must be like. */
export interface MemoryFilter {
  /** All of these tags. */
  tags?: readonly string[];
  /** All of these words in the text, or words that begin with them. */
  words?: string;
  /** A time from this one on, in milliseconds since 1970. */
  after?: number;
  /** A time before this one. */
  before?: number;
  /** A score of at least this. */
  minScore?: number;
  /** A score of at most this. */
  maxScore?: number;
}

/** By what latents are near: the cosine, the inner product or the Euclidean distance of their keys (`LatentSpace.key`). */
export const METRICS = ["cosine", "inner", "l2"] as const;

/** One of METRICS. */
export type Metric = (typeof METRICS)[number];

/** What is looked for: records near to a latent, records of the words of a text, or both. */
export interface MemoryQuery {
  /** A latent, [W]. */
  z?: Latent;
  /** Words; what has more of the rarer ones comes first (BM25). */
  text?: string;
  /** Records that are found at most; default: 10. */
  count?: number;
  /** Default: cosine. */
  metric?: Metric;
  /** Keys alone, or, among the 100 nearest by cosine of their keys, slot by slot; default: key. */
  by?: ComparedBy;
  /** What the records must be like. */
  filter?: MemoryFilter;
  /** Compares with every record in place of those that the index chooses; default: false. */
  exact?: boolean;
}

/** A record that was found. */
export interface FoundRecord {
  /** The record, checked. */
  record: MemoryRecord;
  /** To z, the greater the nearer: the cosine, the inner product or the negative Euclidean distance. */
  similarity?: number;
  /** Of the text to the words that were looked for, by BM25, the greater the better. */
  relevance?: number;
}

/** How a memory is opened. */
export interface MemoryOptions {
  /** How long to wait for another process that has the folder open, in milliseconds; default: 0. A database is open for all. */
  waitMs?: number;
  /** Whether a place without a memory is an error, where one could be begun; default: false. */
  mustExist?: boolean;
  /** The time for new records, in milliseconds since 1970; default: Date.now. */
  now?: () => number;
  /** Is told of what was found damaged and made again: parts of the index. */
  onWarning?: (warning: string) => void;
}

/** Something that is not as it was written. */
export interface MemoryProblem {
  /** The record that it is about. */
  id?: number;
  /** In a sentence. */
  message: string;
}

/** What a look at everything found. */
export interface VerifiedMemory {
  /** Sound records. */
  records: number;
  /** None where all is sound. */
  problems: MemoryProblem[];
}

/** What a repair kept and gave up. */
export interface RepairedMemory {
  /** Records that were kept. */
  records: number;
  /** Ids of records that could not be read as they were written. */
  lost: number[];
  /** Names of what was noted and could not be read as it was written. */
  lostNotes: string[];
  /** Whether the newest changes were lost with the log that they were kept in: which ones, nothing says. */
  lostChanges: boolean;
}
