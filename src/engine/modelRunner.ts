/** Runs the step graph of one writer over contexts that rows share and each row's own past. */
import { MASKED } from "../model/attention.js";
import { ropeRow } from "../model/rope.js";
import { float32, type HostTensor, type HostTensors, int64 } from "../runtime/runtime.js";
import type { BaseModel } from "./baseModel.js";
import type { KvCache } from "./kvCache.js";
import { type AdapterMix, RowAdapters } from "./rowAdapters.js";
import type { BoundSession } from "./sessions.js";

/** What a row reads next: a token, or the embedding of a slot of a latent. */
export type Item = { id: number } | { embedding: Float32Array };

/** Entries begin..begin+length-1 of a cache. */
export interface EntryRange {
  readonly begin: number;
  readonly length: number;
}

/** The next items of a row, with the position of each. */
export interface RowInput {
  items: readonly Item[];
  positions: readonly number[];
  /** Which entries of the shared cache the row sees; default: all. */
  context?: EntryRange;
  /** What it reads by, where rows have adapters of their own. */
  mix?: AdapterMix;
}

/** What rows look back at. */
export interface Caches {
  /** One row, read by all. */
  shared: KvCache;
  /** What each row has read itself; a run appends to it. */
  past: KvCache;
  /** Where adapters of rows are laid out; made for the run where it is left out. */
  adapters?: RowAdapters;
}

export class ModelRunner {
  constructor(
    readonly base: BaseModel,
    readonly bound: BoundSession,
  ) {}

  /**
   * Reads the inputs of all rows (shorter ones are padded) and returns logits [V] for the wanted items, row by row:
   * the last item of each row, or, with "all", every one. Nothing is read where `signal` ends the run. `into` [N, V] may take the logits.
   */
  async forward(
    caches: Caches,
    inputs: readonly RowInput[],
    wanted: "last" | "all" = "last",
    signal?: AbortSignal,
    into?: HostTensor,
  ): Promise<Float32Array[][]> {
    const time = Math.max(...inputs.map(({ items }) => items.length));
    const selected = inputs.map(({ items }, row) => {
      const first = wanted === "last" ? items.length - 1 : 0;
      return Array.from({ length: items.length - first }, (_, i) => row * time + first + i);
    });
    const outputs = await this.#step(caches, inputs, time, selected.flat(), signal, into);
    const logits = outputs.logits!.data as Float32Array;
    const { vocabSize } = this.base.config;
    let n = 0;
    return selected.map((indices) => indices.map(() => logits.subarray(n * vocabSize, ++n * vocabSize)));
  }

  async #step(
    { shared, past, adapters }: Caches,
    inputs: readonly RowInput[],
    time: number,
    selected: readonly number[],
    signal?: AbortSignal,
    into?: HostTensor,
  ): Promise<Record<string, HostTensor>> {
    const rows = inputs.length;
    const { hiddenSize } = this.base.config;
    const embeddings = new Float32Array(rows * time * hiddenSize);
    const positions = new Float32Array(rows * time);
    for (const [row, input] of inputs.entries()) {
      for (const [t, item] of input.items.entries()) {
        const at = row * time + t;
        if ("id" in item) this.base.weights.embed(item.id, embeddings, at * hiddenSize);
        else embeddings.set(item.embedding, at * hiddenSize);
        positions[at] = input.positions[t]!;
      }
    }
    const feeds = {
      ...this.bound.weights,
      ...this.#adapters(inputs, adapters),
      ...shared.feeds("shared"),
      ...past.feeds("past"),
      embeddings: float32(embeddings, rows, time, hiddenSize),
      positions: int64(
        Array.from(positions, (position) => ropeRow(position, this.bound.ropeSteps)),
        rows,
        time,
      ),
      mask: this.#mask(inputs, time, { shared, past }),
      sizes: int64([shared.capacity, past.capacity, time], 3),
      selected: int64(selected, selected.length),
    };
    const outputs = await this.bound.session.run(feeds, into ? { logits: into } : {}, signal);
    past.append(
      outputs,
      inputs.map(({ items }) => items.length),
      positions,
    );
    return outputs;
  }

  #adapters(inputs: readonly RowInput[], adapters = new RowAdapters(this.base.config)): HostTensors {
    const mixes = inputs.flatMap(({ mix }) => mix ?? []);
    return mixes.length > 0 ? adapters.feeds(mixes) : {};
  }

  /** [B, 1, G * T, C + S + T]: which entries a new token sees: its context, its row's past, and the new tokens up to itself. */
  #mask(inputs: readonly RowInput[], time: number, { shared, past }: Pick<Caches, "shared" | "past">): HostTensor {
    const { numAttentionHeads, numKeyValueHeads, slidingWindow } = this.base.config;
    const group = numAttentionHeads / numKeyValueHeads;
    const [c, s] = [shared.capacity, past.capacity];
    const width = c + s + time;
    const mask = new Float32Array(inputs.length * group * time * width).fill(MASKED);
    for (const [row, { positions, context = { begin: 0, length: shared.lengths[0]! } }] of inputs.entries()) {
      for (const [t, position] of positions.entries()) {
        const start = (row * group * time + t) * width;
        /** Opens `count` entries from `to` on, where `at` tells their positions. */
        const open = (to: number, count: number, at: (entry: number) => number) => {
          if (slidingWindow === undefined) mask.fill(0, start + to, start + to + count);
          else for (let i = 0; i < count; i++) if (position - at(i) < slidingWindow) mask[start + to + i] = 0;
        };
        open(context.begin, context.length, (i) => shared.positionOf(0, context.begin + i));
        open(c, past.lengths[row]!, (i) => past.positionOf(row, i));
        open(c + s, t + 1, (i) => positions[i]!);
        for (let g = 1; g < group; g++) mask.copyWithin(start + g * time * width, start, start + width);
      }
    }
    return float32(mask, inputs.length, 1, group * time, width);
  }
}
