/** The frozen weights of a base by name on disk: what stays in memory, and what is read when a session is made of it. */
import type { PackedFormat } from "../graph/index.js";
import type { HostTensor, HostTensors } from "../runtime/runtime.js";
import {
  dense,
  linearFormat,
  type PackedWeight,
  Packer,
  packedBytes,
  type Quant,
  readRows,
  tableFormat,
  type Weight,
  weightTensors,
} from "./weight.js";

/** Where weights are read from; formats/ has readers for safetensors and GGUF. */
export interface WeightSource {
  info(name: string): { shape: readonly number[] };
  readFloat32(name: string): Promise<Float32Array>;
  /** Rows begin..end-1 of a matrix alone, so that a large one is never in memory in fp32 as a whole. */
  readRows?(name: string, begin: number, end: number): Promise<Float32Array>;
  /** How the file packs a matrix, where a kernel multiplies by the same values; undefined otherwise. */
  packedFormat?(name: string): PackedFormat | undefined;
  /** A matrix that has such a format, as it lies in the file. */
  readPacked?(name: string): Promise<PackedWeight>;
  readonly names: readonly string[];
  /** Frees what is open; nothing can be read after it. */
  close?(): Promise<void>;
}

/** What the weights of a base are read by. */
export interface StoreOptions {
  source: WeightSource;
  /** Every weight: name on disk -> shape. */
  shapes: ReadonlyMap<string, readonly number[]>;
  /** Name of the embedding table. */
  embedding: string;
  /** Name of the matrix of the language-model head; the embedding table's where they are tied. */
  head: string;
  quant: Quant;
  /** Whether all weights stay in memory, to be fed: for training. The embedding table and the head are dense then. */
  resident?: boolean;
  /** Throws for values that a weight must not have. */
  check(name: string, values: Float32Array): void;
}

/** Values that are read and rounded at a time. */
const PIECE_VALUES = 2 ** 22;

/**
 * Dense weights stay in memory, where all sessions read them. Of packed ones the norms and the embedding table stay; a matrix is read each time it is asked for,
 * since the session that is made of it keeps a copy in the kernel's own order.
 */
export class WeightStore {
  readonly quant: Quant;
  readonly #kept = new Map<string, Weight>();

  private constructor(readonly options: StoreOptions) {
    this.quant = options.quant;
  }

  /** Reads what stays in memory. Throws as the source and `check` do. */
  static async open(options: StoreOptions): Promise<WeightStore> {
    const store = new WeightStore(options);
    for (const [name, shape] of options.shapes) {
      if (options.resident || options.quant === "none" || shape.length === 1 || name === options.embedding)
        store.#kept.set(name, await store.#read(name));
    }
    return store;
  }

  /** Dense weights that are in memory already. */
  static ofTensors(tensors: HostTensors, names: Pick<StoreOptions, "embedding" | "head">): WeightStore {
    const source: WeightSource = {
      names: Object.keys(tensors),
      info: (name) => tensors[name]!,
      readFloat32: async (name) => tensors[name]!.data as Float32Array,
    };
    const shapes = new Map(Object.entries(tensors).map(([name, { shape }]) => [name, shape]));
    const store = new WeightStore({ source, shapes, ...names, quant: "none", check: () => {} });
    for (const [name, tensor] of Object.entries(tensors)) store.#kept.set(name, { kind: "dense", tensor });
    return store;
  }

  /** The weights that stay in memory, as they are fed: dense ones by their names, of packed ones each array. */
  get tensors(): HostTensors {
    return Object.assign({}, ...Array.from(this.#kept, ([name, weight]) => weightTensors(name, weight)));
  }

  /** Whether all weights stay in memory. */
  get isResident(): boolean {
    return this.quant === "none" || this.options.resident === true;
  }

  /** A weight that is dense and in memory: a norm, or any of an unpacked base. */
  tensor(name: string): HostTensor {
    const weight = this.#kept.get(name);
    if (weight?.kind !== "dense") throw new RangeError(`${name} is not dense`);
    return weight.tensor;
  }

  /** The weight of that name on disk. */
  async read(name: string): Promise<Weight> {
    return this.#kept.get(name) ?? this.#read(name);
  }

  /** Copies row `id` of the embedding table to `target` at `offset`. */
  embed(id: number, target: Float32Array, offset: number): void {
    target.set(readRows(this.#kept.get(this.options.embedding)!, id, id + 1), offset);
  }

  /** Frees the files that packed weights are read from. */
  async close(): Promise<void> {
    await this.options.source.close?.();
  }

  /** How the weight of that name is packed; undefined where it is dense. */
  format(name: string): PackedFormat | undefined {
    const kept = this.#kept.get(name);
    return kept?.kind === "packed" ? kept.format : this.#format(name);
  }

  /** Bytes of a weight where it is packed, as `read` gives it from a file of dense ones; 0 where it is dense. */
  storedBytes(name: string): number {
    const format = this.#format(name);
    if (!format) return 0;
    const { values, scales } = packedBytes(format, this.options.shapes.get(name) as [number, number]);
    return values + scales;
  }

  /** The format that a weight is packed in; undefined where it is dense or another base's. */
  #format(name: string): PackedFormat | undefined {
    const { shapes, embedding, head, quant, resident } = this.options;
    const shape = shapes.get(name);
    if (!shape) return undefined;
    const isTable = name === embedding || name === head;
    if (shape.length === 1 || (isTable && resident)) return undefined;
    return isTable ? tableFormat(quant, shape[1]!) : linearFormat(quant, shape[1]!);
  }

  async #read(name: string): Promise<Weight> {
    const { source, shapes, check } = this.options;
    const shape = shapes.get(name)!;
    const format = this.#format(name);
    const own = source.packedFormat?.(name);
    if (format && own && keeps(format, own)) {
      const packed = await source.readPacked!(name);
      // The other parts are integers.
      check(name, packed.parts.scales!.data as Float32Array);
      return packed;
    }
    if (format) return this.#pack(name, shape as readonly [number, number], format);
    const values = await source.readFloat32(name);
    check(name, values);
    return dense(values, ...shape);
  }

  /** Rounds a matrix to a format, some rows at a time where the source can read them so. */
  async #pack(name: string, shape: readonly [number, number], format: PackedFormat): Promise<PackedWeight> {
    const { source, check } = this.options;
    const [out, width] = shape;
    const packer = new Packer(shape, format);
    // A piece ends with a block of every format.
    const rows = source.readRows ? Math.max(1, Math.floor(PIECE_VALUES / width / 64)) * 64 : out;
    for (let begin = 0; begin < out; begin += rows) {
      const end = Math.min(out, begin + rows);
      const values = source.readRows ? await source.readRows(name, begin, end) : await source.readFloat32(name);
      check(name, values);
      packer.add(values, begin);
    }
    return packer.weight;
  }
}

/** Whether a matrix that a file holds in `own` stays as it is where `wanted` is asked for: the same kind in as few bits, whatever the size of its blocks. */
function keeps(wanted: PackedFormat, own: PackedFormat): boolean {
  if (wanted.kind === "nf4") return own.kind === "nf4";
  return wanted.kind === "blocks" && own.kind === "blocks" && own.bits <= wanted.bits;
}
