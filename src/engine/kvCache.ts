/** Keys and values of tokens already read. One context is shared by all rows; each row has its own past behind it. */
import type { ModelConfig } from "../model/config.js";
import { float32, type HostTensor } from "../runtime/runtime.js";

/** Rows grow by this many entries at a time. */
const STEP = 64;

/** Keys or values of one layer: [B, KV, S, Dh]. */
interface LayerCache {
  key: HostTensor;
  value: HostTensor;
}

/**
 * The past of `rows` rows: S entries each, of which the first `used` are filled. A filled one may be padding, which
 * `visible` hides. The shared context is a cache of one row.
 */
export class KvCache {
  used = 0;
  /** [B, S]: 1 where an entry holds a token. */
  visible = new Uint8Array();
  /** [B, S]: the rotary position of what an entry holds. */
  positions = new Float32Array();
  #capacity = 0;
  #layers: LayerCache[];

  constructor(
    readonly config: ModelConfig,
    readonly rows: number,
  ) {
    this.#layers = Array.from({ length: config.numHiddenLayers }, () => this.#emptyLayer(0));
  }

  /** S, the entries that a row has room for. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Feeds `NAME_key.N` and `NAME_value.N` of every layer. */
  feeds(name: "shared" | "past"): Record<string, HostTensor> {
    return Object.fromEntries(
      this.#layers.flatMap(({ key, value }, layer) => [
        [`${name}_key.${layer}`, key],
        [`${name}_value.${layer}`, value],
      ]),
    );
  }

  /**
   * Appends `time` tokens per row from the outputs of a step (`new_key.N` and `new_value.N`, [B, KV, T, Dh]).
   * `positions` and `visible` are [B, T].
   */
  append(
    outputs: Readonly<Record<string, HostTensor>>,
    time: number,
    positions: ArrayLike<number>,
    visible: ArrayLike<number>,
  ) {
    this.#reserve(this.used + time);
    for (const [layer, { key, value }] of this.#layers.entries()) {
      this.#copyIn(key, outputs[`new_key.${layer}`]!, time);
      this.#copyIn(value, outputs[`new_value.${layer}`]!, time);
    }
    for (let row = 0; row < this.rows; row++) {
      for (let t = 0; t < time; t++) {
        this.visible[row * this.#capacity + this.used + t] = visible[row * time + t]!;
        this.positions[row * this.#capacity + this.used + t] = positions[row * time + t]!;
      }
    }
    this.used += time;
  }

  /** Forgets all but the first `length` entries. */
  truncate(length: number): void {
    this.used = Math.min(this.used, length);
    for (let row = 0; row < this.rows; row++)
      this.visible.fill(0, row * this.#capacity + this.used, (row + 1) * this.#capacity);
  }

  /** A cache with some of the rows, in the given order. */
  select(rows: readonly number[]): KvCache {
    const selected = new KvCache(this.config, rows.length);
    selected.#reserve(this.#capacity);
    selected.used = this.used;
    const stride = this.config.numKeyValueHeads * this.#capacity * this.config.headDim;
    for (const [to, from] of rows.entries()) {
      const copyRow = (target: HostTensor, source: HostTensor) =>
        (target.data as Float32Array).set(
          (source.data as Float32Array).subarray(from * stride, (from + 1) * stride),
          to * stride,
        );
      for (const [layer, { key, value }] of this.#layers.entries()) {
        copyRow(selected.#layers[layer]!.key, key);
        copyRow(selected.#layers[layer]!.value, value);
      }
      const capacity = this.#capacity;
      selected.visible.set(this.visible.subarray(from * capacity, (from + 1) * capacity), to * capacity);
      selected.positions.set(this.positions.subarray(from * capacity, (from + 1) * capacity), to * capacity);
    }
    return selected;
  }

  #copyIn(target: HostTensor, source: HostTensor, time: number): void {
    const { numKeyValueHeads, headDim } = this.config;
    const from = source.data as Float32Array;
    const to = target.data as Float32Array;
    for (let head = 0; head < this.rows * numKeyValueHeads; head++) {
      to.set(
        from.subarray(head * time * headDim, (head + 1) * time * headDim),
        (head * this.#capacity + this.used) * headDim,
      );
    }
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#capacity) return;
    const grown = Math.ceil(capacity / STEP) * STEP;
    const { numKeyValueHeads, headDim } = this.config;
    const widen = <A extends Float32Array | Uint8Array>(to: A, from: A, rows: number, width: number): A => {
      for (let row = 0; row < rows; row++) {
        to.set(from.subarray(row * this.#capacity * width, (row + 1) * this.#capacity * width), row * grown * width);
      }
      return to;
    };
    this.#layers = this.#layers.map((old) => {
      const fresh = this.#emptyLayer(grown);
      for (const part of ["key", "value"] as const) {
        widen(fresh[part].data as Float32Array, old[part].data as Float32Array, this.rows * numKeyValueHeads, headDim);
      }
      return fresh;
    });
    this.visible = widen(new Uint8Array(this.rows * grown), this.visible, this.rows, 1);
    this.positions = widen(new Float32Array(this.rows * grown), this.positions, this.rows, 1);
    this.#capacity = grown;
  }

  #emptyLayer(capacity: number): LayerCache {
    const { numKeyValueHeads: kv, headDim } = this.config;
    const empty = () =>
      float32(new Float32Array(this.rows * kv * capacity * headDim), this.rows, kv, capacity, headDim);
    return { key: empty(), value: empty() };
  }
}
