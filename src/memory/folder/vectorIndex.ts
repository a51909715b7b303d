/**
 * The vectors of a memory by which it is searched: a table of codes, all of it in memory, saved in segments. All of it comes from the records and
 * can be made from them again: a segment whose file is damaged or gone is. The records' file says which segments there are and up to which record
 * they go; records behind them are added when the index is opened.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../../errors.js";
import type { Latent } from "../../latent/index.js";
import type { Metric } from "../types.js";
import { Centre } from "./centre.js";
import { CodeTable } from "./codeTable.js";
import type { RecordStore } from "./recordStore.js";
import { Rotation } from "./rotation.js";
import { isChanged, type Segment, type SegmentPlace, savedRows, saveSegment } from "./segment.js";

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
  /** Records of a segment; default: 65,536. */
  segmentRecords?: number;
}

/** A record's key. */
interface Keyed {
  id: number;
  key: Latent;
}

/** The fact that says what is saved of an index. */
interface SavedIndex {
  centre?: { mean: string; keys: number };
  segments: SegmentPlace[];
}

const SEGMENT_RECORDS = 65_536;

/** What is not saved yet is added again after a crash: at most so many records. */
const SAVED_EVERY = 4096;

/** A mean of fewer keys is taken anew, of more of them, once there are eight times as many. */
const CENTRE_KEYS = 512;
const CENTRE_GROWTH = 8;

/** Of another name where codes are made in another way. */
const ENDING = ".codes";
const OLD_ENDING = ".usearch";

export class VectorIndex {
  readonly #rotation: Rotation;
  #table: CodeTable;
  /** None before the first key. */
  #centre: Centre | undefined;
  #segments: Segment[] = [];
  /** Number of the newest file. */
  #files = 0;

  private constructor(readonly source: IndexSource) {
    this.#rotation = new Rotation(source.width);
    this.#table = new CodeTable(this.#rotation);
  }

  /** Opens the index, and makes what is not there. @throws BigVaeError("format") naming a record that cannot be read. */
  static async open(source: IndexSource): Promise<VectorIndex> {
    const index = new VectorIndex(source);
    await index.#openSegments();
    await index.#catchUp();
    return index;
  }

  /** Makes the index from all records, whatever is saved of it. @throws BigVaeError as `open`. */
  static async anew(source: IndexSource): Promise<VectorIndex> {
    const index = new VectorIndex(source);
    // The files that there are keep their names until the new ones are saved.
    index.#saved();
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
    await this.#append(keyed);
    const ofFew = this.#centre !== undefined && this.#centre.keys < CENTRE_KEYS;
    if (ofFew && this.#table.count >= CENTRE_GROWTH * this.#centre!.keys) await this.rebuild();
  }

  /** Ids of about the nearest records, the nearest first; some of them may be deleted since. */
  search(key: Latent, count: number): number[] {
    return this.#centre ? this.#table.search(this.#centre.query(key), count) : [];
  }

  /** Whether a record's key is in it. */
  has(id: number): boolean {
    return this.#table.has(id);
  }

  /** Saves what changed. */
  async save(): Promise<void> {
    const { folder, store } = this.source;
    const changed = this.#segments.filter(isChanged);
    if (changed.length === 0) return;
    for (const segment of changed) await saveSegment(folder, this.#newFile(), this.#table, segment);
    const saved = { centre: this.#centre, segments: this.#segments.map(({ place }) => place) };
    store.setFact(this.#fact, JSON.stringify(saved));
    await this.#dropOldFiles();
  }

  /** Saves what changed. One that is mostly of deleted records is made again of the `records` that there are, so that it does not grow with what came and went. */
  async settle(records: number): Promise<void> {
    if (this.#table.count > 2 * records + SAVED_EVERY) await this.rebuild();
    else await this.save();
  }

  /** Makes all of it from the records again. Until that is done, searches find what they found before. */
  async rebuild(): Promise<void> {
    const fresh = new VectorIndex(this.source);
    fresh.#files = this.#files;
    await fresh.#catchUp();
    await fresh.save();
    this.#segments = fresh.#segments;
    this.#table = fresh.#table;
    this.#centre = fresh.#centre;
    this.#files = fresh.#files;
  }

  async #openSegments(): Promise<void> {
    const { folder, metric, onWarning } = this.source;
    const saved = this.#saved();
    if (saved?.centre) this.#centre = Centre.read(metric, saved.centre);
    for (const place of saved?.segments ?? []) {
      const { first, last } = place;
      const rows = savedRows(folder, place);
      const segment: Segment = { first, last: first - 1, row: this.#table.count, count: 0 };
      this.#segments.push(segment);
      if (rows) {
        this.#table.addBytes(rows);
        segment.place = place;
        segment.count = place.count;
      } else {
        const path = join(folder, place.file);
        onWarning?.(`${path} is damaged or gone: this part of the index is made again from the records`);
        for (const keyed of this.#keys(first, last)) this.#extend(segment, keyed);
      }
      segment.last = last;
    }
    if (this.#segments.some(isChanged)) await this.save();
    else await this.#dropOldFiles();
  }

  /** Adds the records behind its last one. */
  async #catchUp(): Promise<void> {
    const end = this.source.store.last();
    this.#centre ??= this.#centreOfRecords(this.last + 1, end);
    for (const keyed of this.#keys(this.last + 1, end)) await this.#append(keyed);
    if (end > this.last) this.#growing().last = end;
  }

  async #append(keyed: readonly Keyed[]): Promise<void> {
    this.#centre ??= this.#centreOf(keyed);
    for (let from = 0; from < keyed.length; ) {
      const growing = this.#growing();
      const part = keyed.slice(from, from + this.#room(growing));
      this.#extend(growing, part);
      from += part.length;
      const unsaved = growing.last - (growing.place?.last ?? growing.first - 1);
      if (this.#room(growing) === 0 || unsaved >= SAVED_EVERY) await this.save();
    }
  }

  /** Adds keys to the newest segment. */
  #extend(segment: Segment, keyed: readonly Keyed[]): void {
    for (const { id, key } of keyed) {
      this.#table.add(id, this.#centre!.less(key));
      segment.last = id;
      segment.count++;
    }
  }

  *#keys(first: number, last: number): Generator<Keyed[]> {
    const { store, keyOf } = this.source;
    for (const latents of store.latentsBetween(first, last)) yield latents.map(({ id, z }) => ({ id, key: keyOf(z) }));
  }

  #centreOfRecords(first: number, last: number): Centre | undefined {
    const some: Keyed[] = [];
    for (const keyed of this.#keys(first, last)) {
      some.push(...keyed);
      if (some.length >= CENTRE_KEYS) break;
    }
    return this.#centreOf(some);
  }

  #centreOf(keyed: readonly Keyed[]): Centre | undefined {
    const { metric, width } = this.source;
    const keys = keyed.map(({ key }) => key);
    return keys.length > 0 ? Centre.of(metric, width, keys) : undefined;
  }

  #growing(): Segment {
    const newest = this.#segments.at(-1);
    if (newest && this.#room(newest) > 0) return newest;
    const fresh = { first: this.last + 1, last: this.last, row: this.#table.count, count: 0 };
    this.#segments.push(fresh);
    return fresh;
  }

  /** Rows that still go into a segment. */
  #room({ count }: Segment): number {
    return Math.max(0, (this.source.segmentRecords ?? SEGMENT_RECORDS) - count);
  }

  get #fact(): string {
    return `index ${this.source.metric}`;
  }

  /** What is saved, one segment behind the other from the first record on; none where that is damaged, or of another kind of index. */
  #saved(): SavedIndex | undefined {
    const { store, metric, onWarning } = this.source;
    try {
      const saved = savedIndex(store, metric);
      const numbers = saved?.segments.map(({ file }) => Number(/-(\d+)\./.exec(file)?.[1] ?? 0)) ?? [];
      this.#files = Math.max(0, ...numbers);
      return saved;
    } catch (error) {
      if (!(error instanceof BigVaeError)) throw error;
      onWarning?.(`${error.message}; the index is made again from the records`);
      return undefined;
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
      if (name.startsWith(`${metric}-`) && isIndexFile(name) && !kept.has(name))
        await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Whether a file of a memory's folder is one of an index, or of one that former releases made. */
export function isIndexFile(name: string): boolean {
  return name.endsWith(ENDING) || name.endsWith(OLD_ENDING);
}

/** The files of the saved index that are not as they were written. @throws BigVaeError("format") where their list is damaged. */
export function damagedFiles(folder: string, store: RecordStore, metric: Metric): string[] {
  const segments = savedIndex(store, metric)?.segments ?? [];
  return segments.filter((place) => savedRows(folder, place) === undefined).map(({ file }) => join(folder, file));
}

/** What is saved of an index; none where it is none, or was saved by a release with another kind of index: a list of its files alone. */
function savedIndex(store: RecordStore, metric: Metric): SavedIndex | undefined {
  const saved = JSON.parse(store.fact(`index ${metric}`) ?? "[]") as SavedIndex | SegmentPlace[];
  return Array.isArray(saved) ? undefined : saved;
}
