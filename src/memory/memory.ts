/** A memory: spans with their latents, kept in a folder and found again by latent, by words, or by both. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { placeFileAtomic, removeStaleTemporaries } from "../formats/atomic.js";
import { openDatabase, openFile } from "../formats/database.js";
import { nodeFileOps } from "../formats/fileOps.js";
import type { FolderLock } from "../formats/lock.js";
import { exists } from "../formats/readFiles.js";
import { average, checkLatent, type Latent, LatentSpace } from "../latent/index.js";
import { wholeRecord } from "./checkRecord.js";
import { conditionOf } from "./filter.js";
import { RecordStore } from "./recordStore.js";
import { KIND } from "./schema.js";
import { type FoundId, fused, fusedCount, nearestRecords } from "./search.js";
import { noMemory, settledSpace } from "./space.js";
import { exportRecords, importRecords } from "./transfer.js";
import {
  type FoundRecord,
  METRICS,
  type MemoryFilter,
  type MemoryOptions,
  type MemoryQuery,
  type MemoryRecord,
  type Metric,
  type NewRecord,
  type RecordLatents,
  type SpaceIdentity,
  type VerifiedMemory,
} from "./types.js";
import { type IndexSource, VectorIndex } from "./vectorIndex.js";
import { verifyStore } from "./verify.js";

/** Records that a search finds, where it is not told. */
const COUNT = 10;

/** A memory that is open. Calls may be made at the same time: changes take turns. */
export class Memory {
  /** Arithmetic on its latents. */
  readonly latents: LatentSpace;
  /** By metric, once they are needed. */
  readonly #indices = new Map<Metric, VectorIndex>();
  /** The change that is under way: one at a time. */
  #change: Promise<unknown> = Promise.resolve();
  /** None once it is closed. */
  #records: RecordStore | undefined;
  #changes = 0;
  readonly #lock: FolderLock;
  readonly #options: MemoryOptions;

  private constructor(
    /** Where it lies. */
    readonly folder: string,
    /** Which space its latents are of. */
    readonly space: SpaceIdentity,
    store: RecordStore,
    lock: FolderLock,
    options: MemoryOptions,
  ) {
    this.#lock = lock;
    this.#options = options;
    this.latents = new LatentSpace(space);
    this.#records = store;
  }

  /** Throws "usage" once it is closed. */
  get #store(): RecordStore {
    return this.#records ?? closed(this.folder);
  }

  /**
   * Opens the memory in a folder, or begins one there for latents of `space`; without a space, one that is there. The index is opened when it
   * is first needed.
   * @throws BigVaeError: "locked" where another process has it open, "mismatch" where it is of another space, "usage" where there is none and
   * no space is given or one must exist, "disk", and "format" for a file that is no memory or is damaged.
   */
  static async open(folder: string, space?: SpaceIdentity, options: MemoryOptions = {}): Promise<Memory> {
    const { mustExist = false, waitMs } = options;
    if ((mustExist || space === undefined) && !(await exists(join(folder, KIND.file)))) throw noMemory(folder);
    const { database, lock } = await openDatabase(folder, KIND, waitMs);
    try {
      await removeStaleTemporaries(folder);
      const store = new RecordStore(database);
      return new Memory(folder, settledSpace(store, folder, space), store, lock, options);
    } catch (error) {
      database.close();
      await lock.release();
      throw error;
    }
  }

  /** Saves the index and lets the next process in; a second time does nothing. An index that cannot be saved is told, and brought up to the records when it is next needed. */
  async close(): Promise<void> {
    await this.#alone(async () => {
      if (!this.#records) return;
      try {
        for (const [metric, index] of this.#indices)
          await index.settle(this.count).catch((error: unknown) => this.#dropIndex(metric, error));
      } finally {
        this.#indices.clear();
        this.#store.database.close();
        this.#records = undefined;
        await this.#lock.release();
      }
    });
  }

  /** Records that there are. */
  get count(): number {
    return this.#store.count();
  }

  /**
   * Keeps records, all of them or none; returns their ids. They are on disk when it resolves.
   * @throws BigVaeError: "usage" for a field of another type, "mismatch" for a latent of another width, "nonFinite", "disk".
   */
  async add(records: readonly NewRecord[]): Promise<number[]> {
    const { now = Date.now } = this.#options;
    const whole = records.map((record, i) => wholeRecord(record, this.latents.width, `memory: record ${i}`, now));
    return this.#alone(async () => {
      // An index that cannot be opened is told before anything is kept.
      await this.#index("cosine");
      const ids = this.#store.add(whole);
      this.#changes++;
      const keyed = ids.map((id, i) => ({ id, key: this.latents.key(whole[i]!.z) }));
      for (const [metric, index] of this.#indices)
        await index.add(keyed).catch((error: unknown) => this.#dropIndex(metric, error));
      return ids;
    });
  }

  /** How often records came or went since it was opened: what somebody holds of them is what there is while this stays. */
  get changes(): number {
    return this.#changes;
  }

  /** The record of an id. Throws "usage" where there is none, "format" naming it where it is damaged. */
  async record(id: number): Promise<MemoryRecord> {
    return this.#store.record(id);
  }

  /** Ids of records that fit, in ascending order. */
  async ids(filter: MemoryFilter = {}): Promise<number[]> {
    return this.#store.ids(conditionOf(filter));
  }

  /** Latents of records, in the order of their ids; those that were deleted are left out. Throws "format" for one that is damaged or lost. */
  async recordLatents(ids: readonly number[]): Promise<RecordLatents[]> {
    return this.#store.latents(ids);
  }

  /**
   * Records near to a latent, with words of a text, or both (reciprocal rank fusion); the best first. What is compared of a latent is its key
   * (`LatentSpace.key`), as stored, in fp32: the index only chooses what is compared.
   * @throws BigVaeError: "usage" for neither, "mismatch" for a latent of another width, "format" naming a damaged record.
   */
  async search(query: MemoryQuery): Promise<FoundRecord[]> {
    const { z, text, count = COUNT, metric = "cosine", by = "key", filter = {}, exact = false } = query;
    checkQuery(query, this.latents.width);
    const condition = conditionOf(filter);
    const both = z !== undefined && text !== undefined;
    const each = both ? fusedCount(count) : count;
    const near = async (z: Latent): Promise<FoundId[]> => {
      // Every record is compared: no index is needed.
      const index = exact ? undefined : await this.#opened(metric);
      const choose = (key: Latent, chosen: number) => index!.search(key, chosen);
      return nearestRecords(this.#store, this.latents, choose, { z, count: each, metric, by, condition, exact });
    };
    const byZ = z === undefined ? [] : await near(z);
    const byText = text === undefined ? [] : this.#store.ofText(text, condition, each);
    const found = both ? fused(byZ, byText, count) : [...byZ, ...byText];
    return found.map(({ id, ...measures }) => ({ record: this.#store.record(id), ...measures }));
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

  /** Deletes records, all of them or none. Throws "usage" for an id that there is none of. Their space is free again after `compact`. */
  async delete(ids: readonly number[]): Promise<void> {
    await this.#alone(async () => {
      this.#store.delete(ids);
      this.#changes++;
    });
  }

  /** What was noted under a name. Throws "format" where it is damaged. */
  note(name: string): string | undefined {
    return this.#store.fact(`note ${name}`);
  }

  /** Notes something beside the records, under a name. Throws "disk". */
  async setNote(name: string, value: string): Promise<void> {
    await this.#alone(async () => this.#store.together(() => this.#store.setFact(`note ${name}`, value)));
  }

  /** Frees what deleted records took, in the file and in the index, which is made again. */
  async compact(): Promise<void> {
    await this.#alone(async () => {
      const indexed = METRICS.filter((metric) => this.#store.fact(`index ${metric}`) !== undefined);
      this.#indices.clear();
      const vacuum = (target: string) => void this.#store.all(`VACUUM INTO '${target.replaceAll("'", "''")}'`);
      // In one go: no reader meets a closed file.
      const rename = async (from: string, to: string) => this.#replaceStore(from, to);
      await placeFileAtomic(this.#store.path, vacuum, { ...nodeFileOps, rename });
      for (const metric of indexed) this.#indices.set(metric, await VectorIndex.anew(this.#indexSource(metric)));
    });
  }

  /** Reads everything and compares it with its checksums: records, tags, words, and the index. Changes nothing that is sound. */
  async verify(): Promise<VerifiedMemory> {
    return this.#alone(async () => verifyStore(this.#store, this.folder, () => this.#index("cosine")));
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

  /** Bytes of the index of a metric, once it is saved. */
  async indexBytes(metric: Metric = "cosine"): Promise<number> {
    return (await this.#opened(metric)).bytes;
  }

  /** The index of a metric, opened in its turn. */
  async #opened(metric: Metric): Promise<VectorIndex> {
    return this.#indices.get(metric) ?? this.#alone(() => this.#index(metric));
  }

  /** The index of a metric, for whoever's turn it is. */
  async #index(metric: Metric): Promise<VectorIndex> {
    const index = this.#indices.get(metric) ?? (await VectorIndex.open(this.#indexSource(metric)));
    this.#indices.set(metric, index);
    return index;
  }

  #indexSource(metric: Metric): IndexSource {
    const { folder, latents } = this;
    const { zDim, slots } = latents.shape;
    return {
      ...{ folder, metric, store: this.#store, width: zDim / slots, onWarning: this.#options.onWarning },
      keyOf: (z) => latents.key(z),
    };
  }

  /** An index that could not be changed: it comes from the records and is brought up to them when it is needed next. */
  #dropIndex(metric: Metric, error: unknown): void {
    this.#indices.delete(metric);
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onWarning?.(
      `${message}; the records are kept, and the index is brought up to them when it is needed`,
    );
  }

  #replaceStore(from: string, to: string): void {
    try {
      this.#store.database.closeWhole();
      renameSync(from, to);
    } finally {
      this.#records = new RecordStore(openFile(to, KIND));
    }
  }

  /** Changes take turns. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#change.then(work);
    this.#change = done.catch(() => undefined);
    return done;
  }
}

function closed(folder: string): never {
  const remedy = "open it again";
  throw new BigVaeError("usage", {
    subject: `memory ${folder}`,
    expected: "an open memory",
    got: "a closed one",
    remedy,
  });
}

function checkQuery({ z, text, count, metric = "cosine", by = "key" }: MemoryQuery, width: number): void {
  const fail = (expected: string, got: string, remedy: string) => {
    throw new BigVaeError("usage", { subject: "memory: search", expected, got, remedy });
  };
  if (z === undefined && text === undefined) fail("`z`, `text` or both", "neither", "give what to look for");
  if (z !== undefined) checkLatent(z, width, "memory: search, z");
  if (!METRICS.includes(metric)) fail(`\`metric\`, one of ${METRICS.join(", ")}`, String(metric), "give one of them");
  if (by === "match" && metric !== "cosine")
    fail("`by` key beside another metric than cosine", by, "leave out one of them");
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
    fail("`count`, a whole number of at least 1", String(count), "leave it out for 10");
}
