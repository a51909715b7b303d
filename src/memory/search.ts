/** Finding records: the index chooses more than are asked for, and what it chose is compared again by the records' own latents. */
import { distance, dot, FIRST_CHOICE, type Latent, LatentSearch, type LatentSpace } from "../latent/index.js";
import type { Condition } from "./filter.js";
import type { RecordStore } from "./recordStore.js";
import type { MemoryQuery, Metric } from "./types.js";

/** A record by its id, with what it was found by. */
export interface FoundId {
  id: number;
  similarity?: number;
  relevance?: number;
}

/** Looks for records near to a latent: their ids, about the nearest first. */
export type Choose = (key: Latent, count: number) => number[];

/** So many records that fit a filter are all compared; of more, the index chooses. */
const ALL_COMPARED = 2000;

/** For each record that is asked for, so many are compared again. */
const OVERSAMPLING = 4;
const LEAST_CHOSEN = 256;

/** Of both lists, when a latent and words are looked for together. */
const FUSED = 100;

/** Reciprocal rank fusion's constant (Cormack, Clarke and Buettcher 2009). */
const RANK_OFFSET = 60;

/** A query for a latent. */
interface NearQuery extends Pick<MemoryQuery, "by" | "exact"> {
  z: Latent;
  count: number;
  metric: Metric;
  condition: Condition | undefined;
}

/** The records nearest to z that fit, the nearest first. `choose` is the index; it is not asked where all records are compared. */
export function nearestRecords(store: RecordStore, space: LatentSpace, choose: Choose, query: NearQuery): FoundId[] {
  const { z, count, condition, by, exact } = query;
  const fitting = condition && store.ids(condition, { limit: ALL_COMPARED + 1 });
  if (fitting && fitting.length <= ALL_COMPARED) return compared(store, space, query, fitting);
  const all = () => (condition ? store.ids(condition) : store.everyId());
  if (exact) return compared(store, space, query, all());
  const key = space.key(z);
  const least = by === "match" ? FIRST_CHOICE : LEAST_CHOSEN;
  const last = store.last();
  for (let chosen = Math.max(OVERSAMPLING * count, least); chosen < last; chosen *= OVERSAMPLING) {
    const ids = choose(key, chosen);
    const found = compared(store, space, query, condition ? store.ids(condition, { among: ids }) : ids);
    if (found.length >= count) return found;
    // A filter that few fit: from here on all of them are less work.
    if (chosen > ALL_COMPARED * OVERSAMPLING) break;
  }
  return compared(store, space, query, all());
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

/** The nearest of some records, by their latents as they are stored. */
function compared(store: RecordStore, space: LatentSpace, query: NearQuery, ids: readonly number[]): FoundId[] {
  const { z, count, metric, by = "key" } = query;
  const search =
    metric === "cosine" ? new LatentSearch<number>(space, z, count, by) : new KeySearch(space, z, count, metric);
  for (let from = 0; from < ids.length; from += 1024)
    for (const latents of store.latents(ids.slice(from, from + 1024))) search.add(latents.id, latents.z);
  return search.found().map(({ item: id, similarity }) => ({ id, similarity }));
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
