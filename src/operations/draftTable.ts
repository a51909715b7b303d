/** The drafts of one kind that a memory holds, by the keys that places are compared with: all of them are compared, without a look into its file. */
import { distance, type Latent, type LatentSpace } from "../latent/index.js";
import type { Memory, RecordLatents } from "../memory/index.js";

/** What a table is read from. */
export type DraftSource = Pick<Memory, "ids" | "recordLatents" | "changes" | "latents">;

/** Drafts that are read at once. */
const READ = 1024;

interface Row {
  key: Latent;
  /** Of what stood before it; a record that was added by hand may have none. */
  context: Latent | undefined;
}

export class DraftTable {
  readonly #rows = new Map<number, Row>();
  /** Of the memory, when this was like it. */
  #changes: number | undefined;

  constructor(
    readonly source: DraftSource,
    /** What the drafts are found by in the memory. */
    readonly tag: string,
  ) {}

  /** Ids of the drafts, in ascending order. */
  get ids(): IterableIterator<number> {
    return this.#rows.keys();
  }

  /** Drafts that there are. */
  get count(): number {
    return this.#rows.size;
  }

  /** Reads what came into the memory since it was looked at last, and drops what went. */
  async refresh(): Promise<void> {
    for (let changes = await this.source.changes(); this.#changes !== changes; changes = await this.source.changes()) {
      const ids = await this.source.ids({ tags: [this.tag] });
      const there = new Set(ids);
      for (const id of this.#rows.keys()) if (!there.has(id)) this.#rows.delete(id);
      const fresh = ids.filter((id) => !this.#rows.has(id));
      for (let from = 0; from < fresh.length; from += READ)
        for (const latents of await this.source.recordLatents(fresh.slice(from, from + READ))) this.#add(latents);
      this.#changes = changes;
    }
  }

  /** Changes the memory, and knows of it: `added` came and `deleted` went, if nobody else changed it meanwhile. */
  async during<T>(
    change: () => Promise<T>,
    known: (result: T) => { added?: readonly RecordLatents[]; deleted?: readonly number[] },
  ): Promise<T> {
    const before = await this.source.changes();
    const wasCurrent = this.#changes === before;
    const result = await change();
    const after = await this.source.changes();
    if (!wasCurrent || after !== before + 1) return result;
    const { added = [], deleted = [] } = known(result);
    for (const latents of added) this.#add(latents);
    for (const id of deleted) this.#rows.delete(id);
    this.#changes = after;
    return result;
  }

  /** Ids of drafts that are `wanted`, of which the key lies within `limit` of that of `from`, and the context's within it of that of `context`: the nearest first. */
  near(from: Latent, context: Latent, limit: number, wanted: (id: number) => boolean): number[] {
    const { latents } = this.source;
    const [key, before] = [latents.key(from), latents.key(context)];
    const found: { id: number; far: number }[] = [];
    for (const [id, row] of this.#rows) {
      const far = distance(key, row.key);
      if (far > limit || !row.context || distance(before, row.context) > limit || !wanted(id)) continue;
      found.push({ id, far });
    }
    return found.sort((a, b) => a.far - b.far || a.id - b.id).map(({ id }) => id);
  }

  #add({ id, z, contextZ }: RecordLatents): void {
    const { latents } = this.source;
    this.#rows.set(id, { key: latents.key(z), context: contextZ && latents.key(contextZ) });
  }
}

/** The distance of two latents' keys. */
export function keyDistance(space: LatentSpace, a: Latent, b: Latent): number {
  return distance(space.key(a), space.key(b));
}
