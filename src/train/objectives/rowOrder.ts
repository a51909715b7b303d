/** The order in which rows are seen: a new permutation each epoch, a pure function of seed and step, so that nothing needs saving. */
import type { ShardRow } from "../../data/index.js";
import type { Rng } from "../../rng.js";

/** Rows by number; `Shards` of data/ is one. */
export interface RowSource {
  readonly rowCount: number;
  row(index: number): Promise<ShardRow>;
}

/** What a microbatch reads. */
export interface Reading {
  /** Rows of the training split. */
  rows: number;
  /** Tokens of these rows, or of short texts. */
  tokens: number;
}

export class RowOrder {
  #epoch = -1;
  #permutation: Uint32Array = new Uint32Array();

  constructor(
    readonly source: RowSource,
    readonly batchSize: number,
    /** Microbatches of a step. */
    readonly accumulation: number,
    readonly rng: Rng,
  ) {}

  /** Rows of microbatch `index` (from 0) of step `step` (from 1). */
  batch(step: number, index: number): Promise<ShardRow[]> {
    const first = ((step - 1) * this.accumulation + index) * this.batchSize;
    return Promise.all(Array.from({ length: this.batchSize }, (_, i) => this.source.row(this.#rowAt(first + i))));
  }

  /** Number of whole steps in `epochs` passes over the rows. */
  steps(epochs: number): number {
    return Math.floor((this.source.rowCount * epochs) / (this.batchSize * this.accumulation));
  }

  #rowAt(position: number): number {
    const epoch = Math.floor(position / this.source.rowCount);
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#permutation = this.rng.fork("epoch", epoch).permutation(this.source.rowCount);
    }
    return this.#permutation[position % this.source.rowCount]!;
  }
}
