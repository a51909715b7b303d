/** The latents nearest to one, among any number of them. */
import { average, cosine, type Latent } from "./latent.js";
import type { LatentSpace } from "./latentSpace.js";

/** "match": the best match of slots (`LatentSpace.similarity`). "key": the cosine of the keys (`LatentSpace.key`). */
export const COMPARED_BY = ["key", "match"] as const;

/** One of COMPARED_BY. */
export type ComparedBy = (typeof COMPARED_BY)[number];

/** An item that was found. */
export interface Found<T> {
  /** As it was added. */
  item: T;
  /** With the query, from -1 to 1. */
  similarity: number;
}

/** Up to so many latents are all matched slot by slot (k x k cosines each); of more, only a first choice by keys is. */
const ALL_MATCHED = 2000;

/** Latents of the first choice. */
export const FIRST_CHOICE = 100;

interface Candidate<T> {
  item: T;
  z: Latent;
  key: Latent;
  /** Place among all that were added. */
  at: number;
}

/**
 * A search that takes latents one after the other. It keeps up to 4,000 of them (or twice as many as are asked for): at 4,000 the 2,000
 * best by their keys stay. The keys of one corpus are alike, so their mean is subtracted from each first. Only the running mean of all keys
 * is kept; after 4,000 latents it hardly moves, and the first choice of 100 lies far above the cut at 2,000.
 */
export class LatentSearch<T> {
  #kept: Candidate<T>[] = [];
  #read = 0;
  /** Of the keys of all latents that were read. */
  readonly #meanKey: Float64Array;
  readonly #queryKey: Latent;

  /** Looks for the `count` latents of `space` nearest to `query`. */
  constructor(
    /** The space of all latents. */
    readonly space: LatentSpace,
    /** The latent that the others are compared with. */
    readonly query: Latent,
    /** Latents that are found at most. */
    readonly count: number,
    /** What is compared. */
    readonly by: ComparedBy = "match",
  ) {
    this.#queryKey = space.key(query);
    this.#meanKey = new Float64Array(this.#queryKey.length);
  }

  /** Takes a latent, with what it is found as. */
  add(item: T, z: Latent): void {
    const key = this.space.key(z);
    this.#kept.push({ item, z, key, at: this.#read++ });
    for (let d = 0; d < key.length; d++) this.#meanKey[d]! += (key[d]! - this.#meanKey[d]!) / this.#read;
    const most = Math.max(ALL_MATCHED, this.count);
    if (this.#kept.length >= 2 * most) this.#kept = this.#first(most);
  }

  /** The nearest of what was added, the most similar first; of equal ones, the earlier. */
  found(): Found<T>[] {
    const { space, query, by } = this;
    const isFew = this.#read <= Math.max(ALL_MATCHED, this.count);
    const chosen = isFew ? this.#kept : this.#first(Math.max(FIRST_CHOICE, this.count));
    const similarity = ({ z, key }: Candidate<T>) =>
      by === "key" ? cosine(this.#queryKey, key) : space.similarity(query, z);
    return best(chosen, similarity, this.count).map(([{ item }, value]) => ({ item, similarity: value }));
  }

  /** The first choice: by the cosine of centred keys, or, where the keys are all that is compared, by that of the keys themselves. */
  #first(count: number): Candidate<T>[] {
    if (this.by === "key" || this.space.shape.slots === 1)
      return best(this.#kept, ({ key }) => cosine(this.#queryKey, key), count).map(([candidate]) => candidate);
    const query = centred(this.#queryKey, this.#meanKey);
    return best(this.#kept, ({ key }) => cosine(query, centred(key, this.#meanKey)), count).map(
      ([candidate]) => candidate,
    );
  }
}

/** A latent that was found. */
export interface FoundLatent {
  /** Its place among the latents. */
  index: number;
  /** With the query, from -1 to 1. */
  similarity: number;
}

/** The `count` latents nearest to `query`, the most similar first (`LatentSearch`). */
export function nearest(
  space: LatentSpace,
  query: Latent,
  latents: readonly Latent[],
  count: number,
  by: ComparedBy = "match",
): FoundLatent[] {
  const search = new LatentSearch<number>(space, query, count, by);
  for (const [index, z] of latents.entries()) search.add(index, z);
  return search.found().map(({ item: index, similarity }) => ({ index, similarity }));
}

/** Each key without the mean of all. */
export function centredKeys(space: LatentSpace, latents: readonly Latent[]): Latent[] {
  const keys = latents.map((z) => space.key(z));
  const mean = average(keys);
  return keys.map((key) => centred(key, mean));
}

function centred(key: Latent, mean: ArrayLike<number>): Latent {
  return key.map((value, d) => value - mean[d]!);
}

/** The `count` candidates of the highest value with it, the highest first; of equal ones, the earlier. */
function best<T>(
  candidates: readonly Candidate<T>[],
  score: (candidate: Candidate<T>) => number,
  count: number,
): [Candidate<T>, number][] {
  const valued = candidates.map((candidate): [Candidate<T>, number] => [candidate, score(candidate)]);
  return valued.sort(([a, x], [b, y]) => y - x || a.at - b.at).slice(0, count);
}
