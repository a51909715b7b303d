/**
 * The vectors of a memory by which it is searched, in segments on disk and one in memory that grows. All of it comes from the records and can
 * be made from them again: a segment whose file is damaged or gone is. The records' file says which segments there are and up to which record
 * they go; records behind them are added when the index is opened.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../../errors.js";
import type { Latent } from "../../latent/index.js";
import type { Metric } from "../types.js";
import type { RecordStore } from "./recordStore.js";
import { isSound, type Keyed, Segment, type SegmentPlace } from "./segment.js";
import { library } from "./usearch.js";

/** What an index is made of. */
export interface IndexSource {
  folder: string;
  store: RecordStore;
  metric: Metric;
  /** Values of a key. */
  width: number;
  /** The vector by which a latent is compared. */
  keyOf(z: Latent): Latent;
  onWarning?: ((warning: string) => void) | undefined;
  /** Records of a segment; default: 65,536. One that is larger takes new records more slowly, more of them are searched more slowly. */
  segmentRecords?: number;
}

const SEGMENT_RECORDS = 65_536;

/** What is not saved yet is added again after a crash: at most so many records. */
const SAVED_EVERY = 4096;

const ENDING = ".usearch";

export class VectorIndex {
  #segments: Segment[] = [];
  /** Number of the newest file. */
  #files = 0;

  private constructor(readonly source: IndexSource) {}

  /**
   * Opens the index, and makes what is not there.
   * @throws BigVaeError: "format" naming a record that cannot be read, "unsupported" where its library has no build for this machine.
   */
  static async open(source: IndexSource): Promise<VectorIndex> {
    library();
    const index = new VectorIndex(source);
    await index.#openSegments();
    await index.#catchUp();
    return index;
  }

  /** Makes the index from all records, whatever is saved of it. @throws BigVaeError as `open`. */
  static async anew(source: IndexSource): Promise<VectorIndex> {
    library();
    const index = new VectorIndex(source);
    // The files that there are keep their names until the new ones are saved.
    index.#places();
    await index.rebuild();
    return index;
  }

  /** It is complete up to this id. */
  get last(): number {
    return this.#segments.at(-1)?.last ?? 0;
  }

  /** Bytes of its files. */
  get bytes(): number {
    return this.#segments.reduce((sum, { place }) => sum + (place?.bytes ?? 0), 0);
  }

  /** Adds the keys of new records, in ascending order of id; saves when there are enough. One call at a time, as of `save` and `rebuild`. */
  async add(keyed: readonly Keyed[]): Promise<void> {
    for (let from = 0; from < keyed.length; ) {
      const growing = this.#growing();
      const part = keyed.slice(from, from + this.#room(growing));
      growing.add(part, part.at(-1)!.id);
      from += part.length;
      const unsaved = growing.last - (growing.place?.last ?? growing.first - 1);
      if (this.#room(growing) === 0 || unsaved >= SAVED_EVERY) await this.save();
    }
  }

  /** Ids of about the nearest records, the nearest first; some of them may be deleted since. */
  search(key: Latent, count: number): number[] {
    const found = this.#segments.flatMap((segment) => segment.search(key, count));
    found.sort((a, b) => a.distance - b.distance || a.id - b.id);
    return found.slice(0, count).map(({ id }) => id);
  }

  /** Whether a record's key is in it. */
  has(id: number): boolean {
    return this.#segments.some((segment) => segment.first <= id && id <= segment.last && segment.has(id));
  }

  /** Saves what changed. Segments that are full leave memory. */
  async save(): Promise<void> {
    const { folder, store } = this.source;
    if (!this.#segments.some((segment) => segment.isChanged)) return;
    for (const segment of this.#segments) if (segment.isChanged) await segment.save(folder, this.#newFile());
    const places = this.#segments.flatMap(({ place }) => place ?? []);
    store.setFact(this.#fact, JSON.stringify(places));
    for (const segment of this.#segments.slice(0, -1)) segment.leaveMemory(folder);
    await this.#dropOldFiles();
  }

  /** Saves what changed. One that is mostly of deleted records is made again of the `records` that there are, so that it does not grow with what came and went. */
  async settle(records: number): Promise<void> {
    const keys = this.#segments.reduce((sum, { count }) => sum + count, 0);
    if (keys > 2 * records + SAVED_EVERY) await this.rebuild();
    else await this.save();
  }

  /** Makes all of it from the records again. */
  async rebuild(): Promise<void> {
    this.#segments = [];
    await this.#catchUp();
    await this.save();
  }

  async #openSegments(): Promise<void> {
    const { folder, metric, width, onWarning } = this.source;
    const places = this.#places();
    const damaged = new Map<Segment, SegmentPlace>();
    this.#segments = places.map((place, i) => {
      const grows = i === places.length - 1 && this.#room(place) > 0;
      const segment = Segment.open(folder, metric, width, place, grows);
      if (segment) return segment;
      const empty = Segment.empty(metric, width, place.first);
      damaged.set(empty, place);
      return empty;
    });
    for (const [segment, { file, last }] of damaged) {
      onWarning?.(`${join(folder, file)} is damaged or gone: this part of the index is made again from the records`);
      for (const keyed of this.#keys(segment.first, last)) segment.add(keyed, keyed.at(-1)!.id);
      segment.add([], last);
    }
    if (damaged.size > 0) await this.save();
    else await this.#dropOldFiles();
  }

  /** Adds the records behind its last one. */
  async #catchUp(): Promise<void> {
    const end = this.source.store.last();
    for (const keyed of this.#keys(this.last + 1, end)) await this.add(keyed);
    if (end > this.last) this.#growing().add([], end);
  }

  *#keys(first: number, last: number): Generator<Keyed[]> {
    const { store, keyOf } = this.source;
    for (const latents of store.latentsBetween(first, last)) yield latents.map(({ id, z }) => ({ id, key: keyOf(z) }));
  }

  #growing(): Segment {
    const { metric, width } = this.source;
    const newest = this.#segments.at(-1);
    if (newest && this.#room(newest) > 0) return newest;
    const fresh = Segment.empty(metric, width, this.last + 1);
    this.#segments.push(fresh);
    return fresh;
  }

  /** Keys that still go into a segment. */
  #room({ count }: { count: number }): number {
    return Math.max(0, (this.source.segmentRecords ?? SEGMENT_RECORDS) - count);
  }

  get #fact(): string {
    return `index ${this.source.metric}`;
  }

  /** The saved segments, one behind the other from the first record on; none where the list is damaged. */
  #places(): SegmentPlace[] {
    const { store, onWarning } = this.source;
    try {
      const places = JSON.parse(store.fact(this.#fact) ?? "[]") as SegmentPlace[];
      const newest = places.map(({ file }) => Number(/-(\d+)\./.exec(file)?.[1] ?? 0));
      this.#files = Math.max(0, ...newest);
      return places;
    } catch (error) {
      if (!(error instanceof BigVaeError)) throw error;
      onWarning?.(`${error.message}; the index is made again from the records`);
      return [];
    }
  }

  #newFile(): string {
    this.#files++;
    return `${this.source.metric}-${this.#files}${ENDING}`;
  }

  async #dropOldFiles(): Promise<void> {
    const { folder, metric } = this.source;
    const kept = new Set(this.#segments.map(({ place }) => place?.file));
    for (const name of await readdir(folder))
      if (name.startsWith(`${metric}-`) && name.endsWith(ENDING) && !kept.has(name))
        // Windows keeps a file that is mapped: it goes when the memory is opened next.
        await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** The files of the saved indices that are not as they were written. @throws BigVaeError("format") where their list is damaged. */
export function damagedFiles(folder: string, store: RecordStore, metric: Metric): string[] {
  const places = JSON.parse(store.fact(`index ${metric}`) ?? "[]") as SegmentPlace[];
  return places.filter((place) => !isSound(join(folder, place.file), place)).map(({ file }) => join(folder, file));
}
