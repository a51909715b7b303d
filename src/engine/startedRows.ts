/** Rows of one call that share a context, from their beginnings on: to be scored, or to join those that are being written. */
import type { Batch, BatchRow } from "./batch.js";
import type { Segment } from "./contexts.js";
import { KvCache } from "./kvCache.js";
import type { RowInput } from "./modelRunner.js";
import type { AdapterMix } from "./rowAdapters.js";

export class StartedRows {
  isOpen = true;
  /** What each row has read, where rows are to be written. */
  readonly #pasts: KvCache[] = [];
  /** The same where they are scored. */
  #past: KvCache | undefined;

  constructor(
    /** The rows of their writer that are being written. */
    readonly batch: Batch,
    /** Theirs until they are closed. */
    readonly context: Segment,
    /** What each row reads next. */
    public inputs: readonly Omit<RowInput, "context">[],
    /** Position of the token behind that. */
    public next: number,
    /** What they read by, where rows have adapters of their own. */
    readonly mix?: AdapterMix,
  ) {}

  /** Reads what is pending; logits [V] of the first token of each row. */
  advance(signal?: AbortSignal): Promise<Float32Array[]> {
    const rows = this.inputs.map((input, k) => ({ ...input, ...this.#shared, past: this.#pastOf(k) }));
    return this.batch.contexts.reading.submit(rows, signal);
  }

  /** Row k goes on among those that are being written, with its first token: between two steps. */
  join(k: number, token: number): BatchRow {
    const next = { token, position: this.next, mix: this.mix };
    return this.batch.join(this.context, this.#pastOf(k), this.inputs.length === 1, next);
  }

  /** Hands over the next tokens of the rows `kept`, of which the others are finished. */
  push(ids: readonly number[], kept: readonly number[]): void {
    if (kept.length < ids.length) {
      const past = this.#caches(0);
      for (const k of kept) past.extend(past.addRow(), this.#past!, k);
      this.#past = past;
    }
    this.inputs = kept.map((k) => ({ items: [{ id: ids[k]! }], positions: [this.next] }));
    this.next++;
  }

  /** Reads what is pending and, at once, all of `targets` but their last tokens, which are pushed next; logits of each target token. */
  async advanceOver(targets: readonly (readonly number[])[], signal?: AbortSignal): Promise<Float32Array[][]> {
    const pending = this.inputs[0]!.items.length;
    const inputs = this.inputs.map(({ items, positions }, row) => {
      const read = targets[row]!.slice(0, -1);
      return {
        items: [...items, ...read.map((id) => ({ id }))],
        positions: [...positions, ...read.map((_, t) => this.next + t)],
      };
    });
    this.next += Math.max(...targets.map(({ length }) => length)) - 1;
    const { contexts } = this.batch;
    const rows = inputs.map((input) => ({ ...input, ...this.#shared }));
    this.#past ??= this.#caches(rows.length);
    const caches = { shared: contexts.cache, past: this.#past };
    return (await contexts.runner.forward(caches, rows, "all", signal)).map((logits) => logits.slice(pending - 1));
  }

  /** Gives the context back, between two steps; those that have joined keep it. */
  close(): void {
    this.isOpen = false;
    this.batch.contexts.close(this.context);
  }

  /** What all rows have in common. */
  get #shared(): Pick<RowInput, "context" | "mix"> {
    return { context: this.context, ...(this.mix ? { mix: this.mix } : {}) };
  }

  #pastOf(k: number): KvCache {
    this.#pasts[k] ??= this.#caches(1);
    return this.#pasts[k];
  }

  #caches(rows: number): KvCache {
    return new KvCache(this.batch.contexts.runner.base.config, rows);
  }
}
