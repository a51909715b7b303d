/**
 * The contexts of one writer. Those that rows look at lie one behind the other in one cache, each once, however many rows share it. Those that nobody
 * looks at any more are kept for a while: a text that begins with one of them reads only its new end.
 */
import { JointBatches } from "./jointBatches.js";
import { KvCache } from "./kvCache.js";
import type { EntryRange, ModelRunner, RowInput } from "./modelRunner.js";
import type { AdapterMix } from "./rowAdapters.js";
import type { Turns } from "./turns.js";

/** What tells contexts of one writer apart: their tokens, and what they were read by where rows have adapters of their own. */
interface Read {
  readonly ids: readonly number[];
  /** The key of the mix. */
  readonly mixKey?: string | undefined;
}

/** A context that rows look at: a range of the cache, which moves where one before it is closed. */
export interface Segment extends EntryRange, Read {}

/** A context that nobody looks at, in a cache of its own. */
interface Kept extends Read {
  cache: KvCache;
}

interface OpenSegment extends Segment {
  begin: number;
  users: number;
}

/** What a row reads at once, behind what it has read: a cache of one row. */
export interface ReadingRow extends RowInput {
  readonly past: KvCache;
}

/** No context. */
export const NOTHING: Segment = { ids: [], begin: 0, length: 0 };

/** Runs some work when it has its turn. */
export type TakeTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Tokens of a context that are read in one turn: bounds the mask, and how long others wait. */
const CHUNK = 512;

export class Contexts {
  #cache: KvCache;
  readonly #segments: OpenSegment[] = [];
  /** The latest last. */
  readonly #kept: Kept[] = [];
  /** Contexts that are being read. */
  readonly #reading = new Map<Read, Promise<unknown>>();

  /** Rows that read several items at once, those of several calls together: chunks of contexts, and what texts begin with. */
  readonly reading: JointBatches<ReadingRow, Float32Array>;

  constructor(
    readonly runner: ModelRunner,
    /** Tokens of all kept contexts at most. */
    readonly mostKept: number,
    turns: Turns,
  ) {
    this.#cache = this.#emptyCache();
    const entries = ({ items, past }: ReadingRow) => items.length + past.lengths[0]!;
    this.reading = new JointBatches(entries, (rows, signal) => this.#readTogether(rows, signal), turns);
  }

  /** Of one row: what all segments lie in. */
  get cache(): KvCache {
    return this.#cache;
  }

  /** The tokens at positions 0.., read by `mix` where rows have adapters of their own; for one user, who closes it. */
  async open(ids: readonly number[], turn: TakeTurn, signal?: AbortSignal, mix?: AdapterMix): Promise<Segment> {
    const wanted: Read = { ids, mixKey: mix?.key };
    for (;;) {
      const open = this.#segments.find((segment) => isSame(segment, wanted));
      if (open) {
        open.users++;
        return open;
      }
      const [, reading] = Array.from(this.#reading).find(([other]) => isSame(other, wanted)) ?? [];
      if (!reading) break;
      await reading.catch(() => undefined);
    }
    if (ids.length === 0) return NOTHING;
    const reading = this.#read(ids, turn, signal, mix);
    this.#reading.set(wanted, reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(wanted);
    }
  }

  /** One user more of an open context. */
  share(segment: Segment): void {
    const open = this.#segments.find((each) => each === segment);
    if (open) open.users++;
  }

  /** Whether nobody but one user looks at it. */
  isOnlyUser(segment: Segment): boolean {
    return this.#segments.find((each) => each === segment)?.users === 1;
  }

  /** One user less. */
  close(segment: Segment): void {
    const at = this.#segments.indexOf(segment as OpenSegment);
    if (at < 0 || --this.#segments[at]!.users > 0) return;
    const [{ ids, mixKey, begin, length }] = this.#segments.splice(at, 1) as [OpenSegment];
    if (this.#segments.length === 0) {
      this.#keep({ ids, mixKey, cache: this.#cache });
      this.#cache = this.#emptyCache();
      return;
    }
    this.#cache.removeEntries(0, begin, begin + length);
    for (const later of this.#segments.slice(at)) later.begin -= length;
  }

  async #read(ids: readonly number[], turn: TakeTurn, signal?: AbortSignal, mix?: AdapterMix): Promise<Segment> {
    const past = this.#known({ ids, mixKey: mix?.key });
    for (let known = past.lengths[0]!; known < ids.length; known = past.lengths[0]!) {
      const next = ids.slice(known, known + CHUNK);
      const items = next.map((id) => ({ id }));
      const positions = next.map((_, i) => known + i);
      await this.reading.submit([{ items, positions, context: NOTHING, past, ...(mix ? { mix } : {}) }], signal);
    }
    return turn(async () => this.#add({ ids, mixKey: mix?.key }, past));
  }

  /** Logits [V] of the last item of each row. */
  async #readTogether(rows: readonly ReadingRow[], signal?: AbortSignal): Promise<Float32Array[]> {
    const { config } = this.runner.base;
    const [only] = rows.length === 1 ? rows : [];
    const past = only?.past ?? new KvCache(config, 0);
    if (!only) for (const row of rows) past.extend(past.addRow(), row.past, 0);
    const logits = await this.runner.forward({ shared: this.#cache, past }, rows, "last", signal);
    if (!only) for (const [k, row] of rows.entries()) row.past.extend(0, past, k, row.past.lengths[0]);
    return logits.map((of) => of[0]!);
  }

  /** A cache of the longest beginning of a text that was read before: a kept context itself where the text goes on from its end, else a copy. */
  #known({ ids, mixKey }: Read): KvCache {
    const kept = this.#kept.filter((other) => other.mixKey === mixKey);
    const segments = this.#segments.filter((other) => other.mixKey === mixKey);
    const whole = kept.findLast((other) => sharedLength(other.ids, ids) === other.ids.length);
    const others = [
      ...kept.map(({ ids, cache }) => ({ ids, cache, begin: 0 })),
      ...segments.map(({ ids, begin }) => ({ ids, cache: this.#cache, begin })),
    ];
    const lengths = others.map((other) => sharedLength(other.ids, ids));
    const longest = Math.max(0, ...lengths);
    if (whole && whole.ids.length >= longest) {
      this.#kept.splice(this.#kept.indexOf(whole), 1);
      return whole.cache;
    }
    const copy = this.#emptyCache();
    const source = others[lengths.indexOf(longest)];
    if (source && longest > 0) copy.extend(0, source.cache, 0, source.begin, source.begin + longest);
    return copy;
  }

  #add(read: Read, cache: KvCache): Segment {
    const begin = this.#segments.length === 0 ? 0 : this.#cache.lengths[0]!;
    if (this.#segments.length === 0) this.#cache = cache;
    else {
      this.#cache.extend(0, cache, 0);
      this.#keep({ ...read, cache });
    }
    const segment: OpenSegment = { ...read, begin, length: read.ids.length, users: 1 };
    this.#segments.push(segment);
    return segment;
  }

  #keep(context: Kept): void {
    const known = this.#kept.findIndex((other) => isSame(other, context));
    if (known >= 0) this.#kept.splice(known, 1);
    this.#kept.push(context);
    let tokens = this.#kept.reduce((sum, { ids }) => sum + ids.length, 0);
    while (tokens > this.mostKept && this.#kept.length > 1) tokens -= this.#kept.shift()!.ids.length;
  }

  #emptyCache(): KvCache {
    return new KvCache(this.runner.base.config, 1);
  }
}

function sharedLength(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return length;
}

function isSame(a: Read, b: Read): boolean {
  return a.mixKey === b.mixKey && a.ids.length === b.ids.length && sharedLength(a.ids, b.ids) === a.ids.length;
}
