/** A part of an index: one graph over the keys of records from one id to another. In memory it grows, in its file it is read where it lies. */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { placeFileAtomic } from "../../formats/atomic.js";
import type { Metric } from "../types.js";
import { emptyGraph, type Graph, graphVectors } from "./usearch.js";

/** Where a segment is saved, and what it holds. */
export interface SegmentPlace {
  /** Name of the file, in the memory's folder. */
  file: string;
  /** It is complete from this id on. */
  first: number;
  /** Up to this one. */
  last: number;
  /** Keys in it: one for each record that there was. */
  count: number;
  bytes: number;
  /** CRC-32 of the file: the library trusts its bytes. */
  checksum: number;
}

/** A record's key. */
export interface Keyed {
  id: number;
  key: Float32Array;
}

const CHUNK_BYTES = 2 ** 22;

export class Segment {
  #graph: Graph;
  #canGrow = true;
  /** As it is saved; undefined where it never was. */
  place: SegmentPlace | undefined;
  count = 0;

  private constructor(
    readonly metric: Metric,
    readonly width: number,
    readonly first: number,
    /** It is complete up to this id. */
    public last: number,
  ) {
    this.#graph = emptyGraph(metric, width);
  }

  /** One without keys, complete up to the id before `first`. */
  static empty(metric: Metric, width: number, first: number): Segment {
    return new Segment(metric, width, first, first - 1);
  }

  /** A saved one; undefined where its file is not what was written. One that shall grow is read into memory, another stays on disk. */
  static open(folder: string, metric: Metric, width: number, place: SegmentPlace, grows: boolean): Segment | undefined {
    const path = join(folder, place.file);
    if (!isSound(path, place)) return undefined;
    const segment = new Segment(metric, width, place.first, place.last);
    segment.place = place;
    segment.count = place.count;
    segment.#read(path, grows);
    return segment;
  }

  /** Whether it holds what its file does not. */
  get isChanged(): boolean {
    return this.last !== this.place?.last;
  }

  /** Adds keys, and is complete up to `last` then. */
  add(keyed: readonly Keyed[], last: number): void {
    if (!this.#canGrow) throw new Error("a segment on disk does not grow");
    if (keyed.length > 0) {
      const ids = BigUint64Array.from(keyed, ({ id }) => BigInt(id));
      const keys = keyed.map(({ key }) => key);
      this.#graph.add(ids, graphVectors(this.metric, keys));
    }
    this.last = last;
    this.count += keyed.length;
  }

  /** Ids of the `count` nearest keys, each with its distance in the graph. */
  search(key: Float32Array, count: number): { id: number; distance: number }[] {
    if (this.count === 0) return [];
    const { keys, distances } = this.#graph.search(graphVectors(this.metric, [key]), Math.min(count, this.count), 1);
    return Array.from(keys, (id, i) => ({ id: Number(id), distance: distances[i]! }));
  }

  has(id: number): boolean {
    return this.#graph.contains(BigInt(id)) === true;
  }

  /** Writes it under a new name. */
  async save(folder: string, file: string): Promise<SegmentPlace> {
    const { first, last, count } = this;
    let facts = { bytes: 0, checksum: 0 };
    await placeFileAtomic(join(folder, file), (temporary) => {
      this.#graph.save(temporary);
      facts = fileFacts(temporary);
    });
    this.place = { file, first, last, count, ...facts };
    return this.place;
  }

  /** From here on it is read from its file, and grows no more. */
  leaveMemory(folder: string): void {
    if (this.place && this.#canGrow) this.#read(join(folder, this.place.file), false);
  }

  #read(path: string, grows: boolean): void {
    this.#canGrow = grows;
    this.#graph = emptyGraph(this.metric, this.width);
    if (grows) this.#graph.load(path);
    else this.#graph.view(path);
  }
}

/** Whether a file is what was written. */
export function isSound(path: string, { bytes, checksum }: SegmentPlace): boolean {
  try {
    return statSync(path).size === bytes && fileFacts(path).checksum === checksum;
  } catch {
    return false;
  }
}

function fileFacts(path: string): { bytes: number; checksum: number } {
  const file = openSync(path, "r");
  try {
    const chunk = new Uint8Array(CHUNK_BYTES);
    let [bytes, checksum] = [0, 0];
    for (let read = 0; (read = readSync(file, chunk, 0, chunk.length, null)) > 0; bytes += read)
      checksum = crc32(chunk.subarray(0, read), checksum);
    return { bytes, checksum };
  } finally {
    closeSync(file);
  }
}
