/** Runs the step graph of one writer over a shared context and each row's own past, and keeps the caches. */
import { MASKED } from "../model/attention.js";
import { ropeRow } from "../model/rope.js";
import { float32, type HostTensor, int64 } from "../runtime/runtime.js";
import { type BaseModel, copyEmbedding } from "./baseModel.js";
import { KvCache } from "./kvCache.js";
import type { BoundSession } from "./sessions.js";

/** What a row reads next: a token, or the embedding of a slot of a latent. */
export type Item = { id: number } | { embedding: Float32Array };

/** The next items of a row, with the position of each. */
export interface RowInput {
  items: readonly Item[];
  positions: readonly number[];
}

export class ModelRunner {
  #past: KvCache;

  constructor(
    readonly base: BaseModel,
    readonly bound: BoundSession,
    /** Read by all rows before their own past; a cache of one row. */
    readonly shared: KvCache,
    /** What each row has read already; the runner appends to it. */
    past: KvCache,
  ) {
    this.#past = past;
  }

  /** Keeps only some rows, in the given order. */
  select(rows: readonly number[]): void {
    this.#past = this.#past.select(rows);
  }

  /**
   * Reads the inputs of all rows (shorter ones are padded) and returns logits [V] for the wanted items, row by row:
   * the last item of each row, or, with "all", every one. Nothing is read where `signal` ends the run.
   */
  async forward(
    inputs: readonly RowInput[],
    wanted: "last" | "all" | "none" = "last",
    signal?: AbortSignal,
  ): Promise<Float32Array[][]> {
    const time = Math.max(...inputs.map(({ items }) => items.length));
    const selected = inputs.map(({ items }, row) => {
      const first = wanted === "last" ? items.length - 1 : wanted === "all" ? 0 : items.length;
      return Array.from({ length: items.length - first }, (_, i) => row * time + first + i);
    });
    const outputs = await this.#step(inputs, time, selected.flat(), signal);
    const logits = outputs.logits!.data as Float32Array;
    const { vocabSize } = this.base.config;
    let n = 0;
    return selected.map((indices) => indices.map(() => logits.subarray(n * vocabSize, ++n * vocabSize)));
  }

  async #step(
    inputs: readonly RowInput[],
    time: number,
    selected: readonly number[],
    signal?: AbortSignal,
  ): Promise<Record<string, HostTensor>> {
    const rows = inputs.length;
    const { hiddenSize } = this.base.config;
    const embeddings = new Float32Array(rows * time * hiddenSize);
    const positions = new Float32Array(rows * time);
    const visible = new Uint8Array(rows * time);
    for (const [row, input] of inputs.entries()) {
      for (const [t, item] of input.items.entries()) {
        const at = row * time + t;
        if ("id" in item) copyEmbedding(this.base, item.id, embeddings, at * hiddenSize);
        else embeddings.set(item.embedding, at * hiddenSize);
        positions[at] = input.positions[t]!;
        visible[at] = 1;
      }
    }
    const feeds = {
      ...this.bound.weights,
      ...this.shared.feeds("shared"),
      ...this.#past.feeds("past"),
      embeddings: float32(embeddings, rows, time, hiddenSize),
      positions: int64(
        Array.from(positions, (position) => ropeRow(position, this.bound.ropeSteps)),
        rows,
        time,
      ),
      mask: this.#mask(rows, time, positions, visible),
      sizes: int64([this.shared.capacity, this.#past.capacity, time], 3),
      selected: int64(selected, selected.length),
    };
    const outputs = await this.bound.session.run(feeds, {}, signal);
    this.#past.append(outputs, time, positions, visible);
    return outputs;
  }

  /** [B, 1, G * T, C + S + T]: which entries a new token sees: the context, its row's past, and the new tokens up to itself. */
  #mask(rows: number, time: number, positions: Float32Array, visible: Uint8Array): HostTensor {
    const { numAttentionHeads, numKeyValueHeads, slidingWindow = Number.POSITIVE_INFINITY } = this.base.config;
    const group = numAttentionHeads / numKeyValueHeads;
    const [c, s] = [this.shared.capacity, this.#past.capacity];
    const width = c + s + time;
    const mask = new Float32Array(rows * group * time * width).fill(MASKED);
    for (let row = 0; row < rows; row++) {
      for (let t = 0; t < time; t++) {
        const start = (row * group * time + t) * width;
        const position = positions[row * time + t]!;
        const open = (entry: number, seen: number, at: number) => {
          if (seen && position - at < slidingWindow) mask[start + entry] = 0;
        };
        for (let j = 0; j < this.shared.used; j++) open(j, this.shared.visible[j]!, this.shared.positions[j]!);
        for (let j = 0; j < this.#past.used; j++)
          open(c + j, this.#past.visible[row * s + j]!, this.#past.positions[row * s + j]!);
        for (let j = 0; j <= t; j++) open(c + s + j, visible[row * time + j]!, positions[row * time + j]!);
        for (let g = 1; g < group; g++) mask.copyWithin(start + g * time * width, start, start + width);
      }
    }
    return float32(mask, rows, 1, group * time, width);
  }
}

/** Tokens of a context read at a time: bounds the mask, and how long an abort waits. */
const CHUNK = 512;

/** The context of a writer, read once and kept: a longer context that begins with the last one reads only its new end. */
export class SharedContext {
  #ids: number[] = [];
  #cache: KvCache;

  constructor(
    readonly base: BaseModel,
    readonly bound: BoundSession,
  ) {
    this.#cache = new KvCache(base.config, 1);
  }

  /** The cache of exactly these tokens, at positions 0.. */
  async prefill(ids: readonly number[], signal?: AbortSignal): Promise<KvCache> {
    let known = 0;
    while (known < ids.length && ids[known] === this.#ids[known]) known++;
    this.#cache.truncate(known);
    this.#ids.length = known;
    const runner = new ModelRunner(this.base, this.bound, new KvCache(this.base.config, 1), this.#cache);
    for (; known < ids.length; known = this.#ids.length) {
      signal?.throwIfAborted();
      const next = ids.slice(known, known + CHUNK);
      const input = { items: next.map((id) => ({ id })), positions: next.map((_, i) => known + i) };
      await runner.forward([input], "none", signal);
      this.#ids.push(...next);
    }
    return this.#cache;
  }
}
