/** A memory: spans with their latents, found again by latent, by words, or by both. Where they are kept is up to its forms. */
import { BigVaeError } from "../errors.js";
import { average, type Latent, LatentSpace } from "../latent/index.js";
import { checkQuery } from "./checkQuery.js";
import { type FoundId, fused, fusedCount, type NearQuery } from "./search.js";
import { exportRecords, importRecords } from "./transfer.js";
import type {
  FoundRecord,
  MemoryFilter,
  MemoryQuery,
  MemoryRecord,
  Metric,
  NewRecord,
  RecordLatents,
  SpaceIdentity,
  VerifiedMemory,
} from "./types.js";

/** Records that a search finds, where it is not told. */
const COUNT = 10;

/** A memory that is open. Calls may be made at the same time: changes take turns. */
export abstract class Memory {
  /** Arithmetic on its latents. */
  readonly latents: LatentSpace;

  protected constructor(
    /** Where it lies, as it was named: a folder or a database. */
    readonly place: string,
    /** Which space its latents are of. */
    readonly space: SpaceIdentity,
  ) {
    this.latents = new LatentSpace(space);
  }

  /** Keeps what is still to be kept, and gives free what is held; a second time does nothing. */
  abstract close(): Promise<void>;

  /** Records that there are. */
  abstract count(): Promise<number>;

  /**
   * Keeps records, all of them or none; returns their ids. They are kept for good when it resolves.
   * @throws BigVaeError: "usage" for a field of another type, "mismatch" for a latent of another width, "nonFinite", "disk".
   */
  abstract add(records: readonly NewRecord[]): Promise<number[]>;

  /** A number that grows by one with each call of `add` and `delete`, anybody's, and may with others: what somebody holds of the records is what there is while it stays. */
  abstract changes(): Promise<number>;

  /** The record of an id. Throws "usage" where there is none, "format" naming it where it is damaged. */
  abstract record(id: number): Promise<MemoryRecord>;

  /** Ids of records that fit, in ascending order. */
  abstract ids(filter?: MemoryFilter): Promise<number[]>;

  /** Latents of records, in the order of their ids; those that were deleted are left out. Throws "format" for one that is damaged or lost. */
  abstract recordLatents(ids: readonly number[]): Promise<RecordLatents[]>;

  /** Deletes records, all of them or none. Throws "usage" for an id that there is none of. Their space is free again after `compact`. */
  abstract delete(ids: readonly number[]): Promise<void>;

  /** What was noted under a name. Throws "format" where it is damaged. */
  abstract note(name: string): Promise<string | undefined>;

  /** Notes something beside the records, under a name. Throws "disk". */
  abstract setNote(name: string, value: string): Promise<void>;

  /** Frees what deleted records took, and makes the index again. */
  abstract compact(): Promise<void>;

  /** Reads everything and compares it with its checksums: records, tags, words, and the index. Changes nothing that is sound. */
  abstract verify(): Promise<VerifiedMemory>;

  /** Bytes of the index of a metric, once it is saved; undefined where they are not told. */
  abstract indexBytes(metric?: Metric): Promise<number | undefined>;

  /** Ids of the records nearest to a latent, the nearest first. */
  protected abstract nearest(query: NearQuery): Promise<FoundId[]>;

  /** Ids of the records with words of a text, the best first. Throws "usage" for a text without words. */
  protected abstract worded(text: string, filter: MemoryFilter, count: number): Promise<FoundId[]>;

  /** The records of ids; undefined for one that was deleted since it was found. */
  abstract records(ids: readonly number[]): Promise<(MemoryRecord | undefined)[]>;

  /**
   * Records near to a latent, with words of a text, or both (reciprocal rank fusion); the best first. What is compared of a latent is its key
   * (`LatentSpace.key`), as stored, in fp32: the index only chooses what is compared.
   * @throws BigVaeError: "usage" for neither, "mismatch" for a latent of another width, "format" naming a damaged record.
   */
  async search(query: MemoryQuery): Promise<FoundRecord[]> {
    const { z, text, count = COUNT, metric = "cosine", by = "key", filter = {}, exact = false } = query;
    checkQuery(query, this.latents.width);
    const both = z !== undefined && text !== undefined;
    const each = both ? fusedCount(count) : count;
    const byZ = z === undefined ? [] : await this.nearest({ z, count: each, metric, by, filter, exact });
    const byText = text === undefined ? [] : await this.worded(text, filter, each);
    const found = both ? fused(byZ, byText, count) : [...byZ, ...byText];
    const records = await this.records(found.map(({ id }) => id));
    return found.flatMap(({ id: _, ...measures }, i) => {
      const record = records[i];
      return record ? [{ record, ...measures }] : [];
    });
  }

  /** The mean of the latents of records: what neighbours have in common, for `decode`. */
  centroid(found: readonly FoundRecord[]): Latent {
    if (found.length > 0) return average(found.map(({ record }) => record.z));
    throw new BigVaeError("usage", {
      subject: "centroid",
      expected: "at least one record",
      got: "none",
      remedy: "search with a wider filter",
    });
  }

  /**
   * Writes all records into a folder, as JSON lines with their latents in .npy (docs/memory.md); returns how many.
   * @throws BigVaeError: "usage" where an export is there already, "disk", "format" naming a damaged record.
   */
  exportTo(folder: string): Promise<number> {
    return exportRecords(this, folder);
  }

  /**
   * Adds the records of an export, under new ids; each 65,536 of them are one change. Returns how many.
   * @throws BigVaeError: "mismatch" for latents of another space, "format" for files that are no export or are damaged, "disk".
   */
  importFrom(folder: string): Promise<number> {
    return importRecords(this, folder);
  }
}

/** The error of a memory that is closed. */
export function closedMemory(place: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `memory ${place}`,
    expected: "an open memory",
    got: "a closed one",
    remedy: "open it again",
  });
}
