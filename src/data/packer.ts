/** Packs texts into rows of one length: one after another, each followed by the end token. */

/** Rows ready for a shard, [rows, length] row by row; `tokens` of them are real, the rest is padding at the end. */
export interface PackedRows {
  readonly rows: number;
  readonly inputIds: Int32Array;
  readonly attentionMask: Int32Array;
  readonly tokens: number;
}

export class Packer {
  #ids: Int32Array;
  #count = 0;

  constructor(
    readonly length: number,
    readonly rowsPerShard: number,
    readonly endId: number,
    pending: Int32Array = new Int32Array(0),
  ) {
    this.#ids = new Int32Array(Math.max(length * rowsPerShard, pending.length));
    this.#ids.set(pending);
    this.#count = pending.length;
  }

  /** Tokens that no shard holds yet; a view. */
  get pending(): Int32Array {
    return this.#ids.subarray(0, this.#count);
  }

  add(ids: readonly number[]): void {
    const needed = this.#count + ids.length + 1;
    if (needed > this.#ids.length) {
      const grown = new Int32Array(Math.max(needed, 2 * this.#ids.length));
      grown.set(this.pending);
      this.#ids = grown;
    }
    this.#ids.set(ids, this.#count);
    this.#ids[needed - 1] = this.endId;
    this.#count = needed;
  }

  /** A full shard, if there is one. */
  takeShard(): PackedRows | undefined {
    return this.#count < this.length * this.rowsPerShard ? undefined : this.#take(this.rowsPerShard);
  }

  /** What is left, the last row padded with end tokens of mask 0. */
  takeRest(): PackedRows | undefined {
    return this.#count === 0 ? undefined : this.#take(Math.ceil(this.#count / this.length));
  }

  #take(rows: number): PackedRows {
    const size = rows * this.length;
    const tokens = Math.min(size, this.#count);
    const inputIds = new Int32Array(size).fill(this.endId);
    inputIds.set(this.#ids.subarray(0, tokens));
    const attentionMask = new Int32Array(size).fill(1, 0, tokens);
    this.#ids.copyWithin(0, tokens, this.#count);
    this.#count -= tokens;
    return { rows, inputIds, attentionMask, tokens };
  }
}
