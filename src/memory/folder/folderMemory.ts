/** A memory in a folder: records in a SQLite file, beside it an index of their latents. One process at a time has it open. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { placeFileAtomic, removeStaleTemporaries } from "../../formats/atomic.js";
import { openDatabase, openFile } from "../../formats/database.js";
import { nodeFileOps } from "../../formats/fileOps.js";
import type { FolderLock } from "../../formats/lock.js";
import { exists } from "../../formats/readFiles.js";
import type { Latent } from "../../latent/index.js";
import { wholeRecord } from "../checkRecord.js";
import { closedMemory, Memory } from "../memory.js";
import type { FoundId, NearQuery } from "../search.js";
import { noMemory } from "../space.js";
import {
  METRICS,
  type MemoryFilter,
  type MemoryOptions,
  type MemoryRecord,
  type Metric,
  type NewRecord,
  type RecordLatents,
  type SpaceIdentity,
  type VerifiedMemory,
} from "../types.js";
import { conditionOf } from "./filter.js";
import { nearestRecords } from "./nearest.js";
import { RecordStore } from "./recordStore.js";
import { KIND } from "./schema.js";
import { settledSpace } from "./storedSpace.js";
import { type IndexSource, VectorIndex } from "./vectorIndex.js";
import { verifyStore } from "./verify.js";

export class FolderMemory extends Memory {
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
    folder: string,
    space: SpaceIdentity,
    store: RecordStore,
    lock: FolderLock,
    options: MemoryOptions,
  ) {
    super(folder, space);
    this.#lock = lock;
    this.#options = options;
    this.#records = store;
  }

  /** Throws "usage" once it is closed. */
  get #store(): RecordStore {
    if (!this.#records) throw closedMemory(this.place);
    return this.#records;
  }

  /**
   * Opens the memory in a folder, or begins one there for latents of `space`; without a space, one that is there. The index is opened when it
   * is first needed.
   * @throws BigVaeError: "locked" where another process has it open, "mismatch" where it is of another space, "usage" where there is none and
   * no space is given or one must exist, "disk", and "format" for a file that is no memory or is damaged.
   */
  static async open(folder: string, space?: SpaceIdentity, options: MemoryOptions = {}): Promise<FolderMemory> {
    const { mustExist = false, waitMs } = options;
    if ((mustExist || space === undefined) && !(await exists(join(folder, KIND.file)))) throw noMemory(folder);
    const { database, lock } = await openDatabase(folder, KIND, waitMs);
    try {
      await removeStaleTemporaries(folder);
      const store = new RecordStore(database);
      return new FolderMemory(folder, settledSpace(store, folder, space), store, lock, options);
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
          await index.settle(this.#store.count()).catch((error: unknown) => this.#dropIndex(metric, error));
      } finally {
        this.#indices.clear();
        this.#store.database.close();
        this.#records = undefined;
        await this.#lock.release();
      }
    });
  }

  async count(): Promise<number> {
    return this.#store.count();
  }

  async add(records: readonly NewRecord[]): Promise<number[]> {
    const { now = Date.now } = this.#options;
    const whole = records.map((record, i) => wholeRecord(record, this.latents.width, `memory: record ${i + 1}`, now));
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

  async changes(): Promise<number> {
    return this.#changes;
  }

  async record(id: number): Promise<MemoryRecord> {
    return this.#store.record(id);
  }

  async ids(filter: MemoryFilter = {}): Promise<number[]> {
    return this.#store.ids(conditionOf(filter));
  }

  async recordLatents(ids: readonly number[]): Promise<RecordLatents[]> {
    return this.#store.latents(ids);
  }

  protected async nearest(query: NearQuery): Promise<FoundId[]> {
    // Every record is compared: no index is needed.
    const index = query.exact ? undefined : await this.#opened(query.metric);
    return nearestRecords(this.#store, this.latents, (key: Latent, count) => index!.search(key, count), query);
  }

  protected async worded(text: string, filter: MemoryFilter, count: number): Promise<FoundId[]> {
    return this.#store.ofText(text, conditionOf(filter), count);
  }

  async records(ids: readonly number[]): Promise<(MemoryRecord | undefined)[]> {
    return ids.map((id) => (this.#store.isDeleted(id) ? undefined : this.#store.record(id)));
  }

  async delete(ids: readonly number[]): Promise<void> {
    await this.#alone(async () => {
      this.#store.delete(ids);
      this.#changes++;
    });
  }

  async note(name: string): Promise<string | undefined> {
    return this.#store.fact(`note ${name}`);
  }

  async setNote(name: string, value: string): Promise<void> {
    await this.#alone(async () => this.#store.together(() => this.#store.setFact(`note ${name}`, value)));
  }

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

  async verify(): Promise<VerifiedMemory> {
    return this.#alone(async () => verifyStore(this.#store, this.place, () => this.#index("cosine")));
  }

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
    const { place: folder, latents } = this;
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
