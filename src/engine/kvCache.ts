/** Keys and values of tokens already read, row by row: rows come and go, and each has its own length. */
import type { ModelConfig } from "../model/config.js";
import { float32, type HostTensor } from "../runtime/runtime.js";

/** Rows grow by this many entries at a time. */
const STEP = 64;

/** The cache of B rows, of which each has room for S entries and has filled some: keys and values of each layer are [B, KV, S, Dh]. */
export class KvCache {
  /** How many entries of each row are filled: B numbers. */
  readonly lengths: number[];
  /** Entries that a row has room for: S. */
  #capacity = 0;
  /** Rows that there is room for, at least B. */
  #rowCapacity: number;
  /** Keys and values of each layer, [rows with room, KV, S, Dh]. */
  #layers: { key: Float32Array; value: Float32Array }[];
  /** The rotary position of each entry: [rows with room, S]. */
  #positions = new Float32Array();
  /** The feeds of the rows that there are, until that changes. */
  #tensors: { key: HostTensor; value: HostTensor }[] | undefined;

  constructor(
    readonly config: ModelConfig,
    rows: number,
  ) {
    this.lengths = new Array<number>(rows).fill(0);
    this.#rowCapacity = rows;
    this.#layers = this.#empty();
  }

  get rows(): number {
    return this.lengths.length;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** The position of an entry of a row. */
  positionOf(row: number, entry: number): number {
    return this.#positions[row * this.#capacity + entry]!;
  }

  /** Feeds `NAME_key.N` and `NAME_value.N` of every layer. */
  feeds(name: "shared" | "past"): Record<string, HostTensor> {
    const { numKeyValueHeads: kv, headDim } = this.config;
    const shape = [this.rows, kv, this.#capacity, headDim] as const;
    const length = this.rows * this.#rowSize;
    this.#tensors ??= this.#layers.map(({ key, value }) => ({
      key: float32(key.subarray(0, length), ...shape),
      value: float32(value.subarray(0, length), ...shape),
    }));
    return Object.fromEntries(
      this.#tensors.flatMap(({ key, value }, layer) => [
        [`${name}_key.${layer}`, key],
        [`${name}_value.${layer}`, value],
      ]),
    );
  }

  /**
   * Appends to each row the tokens of a step from its outputs (`new_key.N` and `new_value.N`, [B, KV, T, Dh]): of row b the first counts[b], at
   * `positions` [B, T].
   */
  append(outputs: Readonly<Record<string, HostTensor>>, counts: readonly number[], positions: Float32Array): void {
    const time = positions.length / this.rows;
    this.#reserve(this.rows, Math.max(...this.lengths.map((length, row) => length + counts[row]!)));
    for (const [layer, { key, value }] of this.#layers.entries()) {
      for (const [to, part] of [
        [key, "key"],
        [value, "value"],
      ] as const) {
        const from = outputs[`new_${part}.${layer}`]!.data as Float32Array;
        for (const [row, count] of counts.entries()) this.#copy(to, row, from, row, time, 0, count);
      }
    }
    for (const [row, count] of counts.entries()) {
      const own = positions.subarray(row * time, row * time + count);
      this.#positions.set(own, row * this.#capacity + this.lengths[row]!);
      this.lengths[row]! += count;
    }
  }

  /** A new row behind the others, without entries; its number. */
  addRow(): number {
    this.#reserve(this.rows + 1, this.#capacity);
    this.#tensors = undefined;
    return this.lengths.push(0) - 1;
  }

  /** Appends entries begin..end-1 of a row of another cache to a row of this one. */
  extend(row: number, source: KvCache, from: number, begin = 0, end = source.lengths[from]!): void {
    this.#reserve(this.rows, this.lengths[row]! + end - begin);
    for (const [layer, { key, value }] of this.#layers.entries()) {
      const other = source.#layers[layer]!;
      this.#copy(key, row, other.key, from, source.#capacity, begin, end);
      this.#copy(value, row, other.value, from, source.#capacity, begin, end);
    }
    const positions = source.#positions.subarray(from * source.#capacity + begin, from * source.#capacity + end);
    this.#positions.set(positions, row * this.#capacity + this.lengths[row]!);
    this.lengths[row]! += end - begin;
  }

  /** Removes a row; the last one takes its number. */
  removeRow(row: number): void {
    const last = this.rows - 1;
    for (const { key, value } of this.#layers) {
      for (const values of [key, value])
        values.copyWithin(row * this.#rowSize, last * this.#rowSize, (last + 1) * this.#rowSize);
    }
    this.#positions.copyWithin(row * this.#capacity, last * this.#capacity, (last + 1) * this.#capacity);
    this.lengths[row] = this.lengths[last]!;
    this.lengths.length = last;
    this.#tensors = undefined;
    if (last === 0) this.#release();
  }

  /** Removes entries begin..end-1 of a row; those behind them move up. */
  removeEntries(row: number, begin: number, end: number): void {
    const { numKeyValueHeads: kv, headDim } = this.config;
    const length = this.lengths[row]!;
    for (const { key, value } of this.#layers) {
      for (let head = row * kv; head < (row + 1) * kv; head++) {
        const at = (entry: number) => (head * this.#capacity + entry) * headDim;
        for (const values of [key, value]) values.copyWithin(at(begin), at(end), at(length));
      }
    }
    const start = row * this.#capacity;
    this.#positions.copyWithin(start + begin, start + end, start + length);
    this.lengths[row] = length - (end - begin);
  }

  /** Values of a row in a layer. */
  get #rowSize(): number {
    return this.config.numKeyValueHeads * this.#capacity * this.config.headDim;
  }

  /** Copies entries begin..end-1 of a row of [.., KV, `width`, Dh] behind the entries of a row of this cache. */
  #copy(
    to: Float32Array,
    row: number,
    from: Float32Array,
    fromRow: number,
    width: number,
    begin: number,
    end: number,
  ): void {
    const { numKeyValueHeads: kv, headDim } = this.config;
    const length = this.lengths[row]!;
    for (let head = 0; head < kv; head++) {
      const start = (fromRow * kv + head) * width;
      to.set(
        from.subarray((start + begin) * headDim, (start + end) * headDim),
        ((row * kv + head) * this.#capacity + length) * headDim,
      );
    }
  }

  /** Room for that many rows of that many entries. */
  #reserve(rows: number, entries: number): void {
    if (rows <= this.#rowCapacity && entries <= this.#capacity) return;
    const { numKeyValueHeads: kv, headDim } = this.config;
    const [layers, positions, capacity] = [this.#layers, this.#positions, this.#capacity];
    if (rows > this.#rowCapacity) this.#rowCapacity = Math.max(rows, 2 * this.#rowCapacity);
    if (entries > capacity) this.#capacity = Math.ceil(entries / STEP) * STEP;
    this.#layers = this.#empty();
    this.#positions = new Float32Array(this.#rowCapacity * this.#capacity);
    this.#tensors = undefined;
    for (const [row, length] of this.lengths.entries()) {
      for (const [layer, { key, value }] of layers.entries()) {
        for (let head = row * kv; head < (row + 1) * kv; head++) {
          const [from, to] = [head * capacity * headDim, head * this.#capacity * headDim];
          this.#layers[layer]!.key.set(key.subarray(from, from + length * headDim), to);
          this.#layers[layer]!.value.set(value.subarray(from, from + length * headDim), to);
        }
      }
      this.#positions.set(positions.subarray(row * capacity, row * capacity + length), row * this.#capacity);
    }
  }

  /** Without rows, memory is given back. */
  #release(): void {
    [this.#capacity, this.#rowCapacity, this.#positions] = [0, 0, new Float32Array()];
    this.#layers = this.#empty();
  }

  #empty() {
    const size = this.#rowCapacity * this.#rowSize;
    const layer = () => ({ key: new Float32Array(size), value: new Float32Array(size) });
    return Array.from({ length: this.config.numHiddenLayers }, layer);
  }
}
