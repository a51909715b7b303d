/** What searches of both forms of a memory share: latents compared as they are stored, and two lists of results in one. */
import { distance, dot, type Latent, LatentSearch, type LatentSpace } from "../latent/index.js";
import type { MemoryFilter, MemoryQuery, Metric, RecordLatents } from "./types.js";

/** A record by its id, with what it was found by. */
export interface FoundId {
  id: number;
  similarity?: number;
  relevance?: number;
}

/** For each record that is asked for, an index chooses so many, which are compared again. */
export const OVERSAMPLING = 4;
export const LEAST_CHOSEN = 256;

/** Of both lists, when a latent and words are looked for together. */
const FUSED = 100;

/** Reciprocal rank fusion's constant (Cormack, Clarke and Buettcher 2009). */
const RANK_OFFSET = 60;

/** A query for a latent. */
export interface NearQuery extends Required<Pick<MemoryQuery, "by" | "exact">> {
  z: Latent;
  count: number;
  metric: Metric;
  filter: MemoryFilter;
}

/** The ids of two lists in one: each counts by its places in both. */
export function fused(near: readonly FoundId[], worded: readonly FoundId[], count: number): FoundId[] {
  const found = new Map<number, FoundId & { rank: number }>();
  for (const list of [near, worded])
    for (const [place, item] of list.entries()) {
      const before = found.get(item.id);
      found.set(item.id, { ...before, ...item, rank: (before?.rank ?? 0) + 1 / (RANK_OFFSET + place + 1) });
    }
  const ranked = [...found.values()].sort((a, b) => b.rank - a.rank || a.id - b.id);
  return ranked.slice(0, count).map(({ rank: _, ...item }) => item);
}

/** How many of each list are fused. */
export function fusedCount(count: number): number {
  return Math.max(FUSED, count);
}

/** Latents compared with that of a query; the nearest of them. */
export class Comparison {
  readonly #search: LatentSearch<number> | KeySearch;

  constructor(space: LatentSpace, { z, count, metric, by }: NearQuery) {
    this.#search =
      metric === "cosine" ? new LatentSearch<number>(space, z, count, by) : new KeySearch(space, z, count, metric);
  }

  add({ id, z }: RecordLatents): void {
    this.#search.add(id, z);
  }

  /** The nearest first. */
  found(): FoundId[] {
    return this.#search.found().map(({ item: id, similarity }) => ({ id, similarity }));
  }
}

/** As `LatentSearch`, by another measure of keys. */
class KeySearch {
  #found: { item: number; similarity: number }[] = [];
  readonly #key: Latent;
  readonly #measure: (a: Latent, b: Latent) => number;

  constructor(
    readonly space: LatentSpace,
    query: Latent,
    readonly count: number,
    metric: "inner" | "l2",
  ) {
    this.#key = space.key(query);
    this.#measure = metric === "inner" ? dot : (a, b) => -distance(a, b);
  }

  add(item: number, z: Latent): void {
    this.#found.push({ item, similarity: this.#measure(this.#key, this.space.key(z)) });
    if (this.#found.length > 1024 + 2 * this.count) this.#found = this.found();
  }

  found() {
    return this.#found.sort((a, b) => b.similarity - a.similarity || a.item - b.item).slice(0, this.count);
  }
}
