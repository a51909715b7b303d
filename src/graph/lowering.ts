/** What a graph is lowered to: ONNX nodes, stored values and inputs, in the order in which they are added. */
import type { OnnxAttribute, OnnxInitializer, OnnxNode, OnnxValue } from "./protobuf.js";
import { shapeError, sizeOf } from "./shape.js";
import type { ConstantData, Value } from "./value.js";

/** A range of bytes of a file in the folder that a session is made with. */
export interface FileRange {
  /** Path within the folder. */
  readonly file: string;
  /** First byte. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
}

/** Values of a stored weight: in memory, or in a file that the session maps. */
export type StoredData = Float32Array | Uint8Array | Int8Array | FileRange;

/** Where a graph is computed: the processor, or a GPU by WebGPU (Vulkan, Metal or Direct3D 12). ONNX Runtime's kernels differ. */
export const DEVICES = ["cpu", "webgpu"] as const;
/** One of `DEVICES`. */
export type Device = (typeof DEVICES)[number];

export class Lowering {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly inputs: OnnxValue[] = [];
  readonly externalData = new Map<string, Exclude<StoredData, FileRange>>();
  readonly #names = new Map<Value, string>();
  readonly #integers = new Map<string, string>();
  #fresh = 0;

  constructor(
    readonly stored: ReadonlyMap<string, StoredData>,
    readonly device: Device,
  ) {}

  name(value: Value): string {
    let name = this.#names.get(value);
    if (name === undefined) this.#names.set(value, (name = this.freshName()));
    return name;
  }

  /** Calls a value that a node will compute by the name of an output; false where it is none or has a name. */
  nameOutput(value: Value, name: string): boolean {
    if (this.#names.has(value) || value.node.op === "input" || value.node.op === "constant") return false;
    this.#names.set(value, name);
    return true;
  }

  freshName(): string {
    return `v${this.#fresh++}`;
  }

  /** Adds a node; returns its first output. */
  emit(
    opType: string,
    inputs: readonly string[],
    outputs: readonly string[] = [this.freshName()],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    domain = "",
  ): string {
    this.nodes.push({ opType, domain, inputs, outputs, attributes });
    return outputs[0]!;
  }

  /** An int64 list as a stored value, each list once. */
  integers(values: readonly number[]): string {
    const key = values.join(",");
    let name = this.#integers.get(key);
    if (name === undefined) {
      this.#integers.set(key, (name = this.freshName()));
      const data = BigInt64Array.from(values, BigInt);
      this.initializers.push({ name, dtype: "int64", shape: [values.length], data });
    }
    return name;
  }

  /** A number as a stored value, in double precision where nothing else is said. */
  number(value: number, type: "float64" | "float32" | "int32" = "float64"): string {
    const name = this.freshName();
    const data = { float64: Float64Array, float32: Float32Array, int32: Int32Array }[type].of(value);
    this.initializers.push({ name, dtype: type, shape: [], data });
    return name;
  }

  /** The identity matrix [size, size]. */
  identity(size: number): string {
    const name = this.freshName();
    const data = Float32Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    this.initializers.push({ name, dtype: "float32", shape: [size, size], data });
    return name;
  }

  /** A named input, or the stored weight of that name. */
  input(value: Value, name: string): void {
    this.#names.set(value, name);
    const info = { name, dtype: value.dtype, shape: value.shape };
    const data = this.stored.get(name);
    if (data === undefined) {
      if (this.inputs.some((other) => other.name === name))
        throw shapeError("toOnnx", "one input of each name", `${name} twice`);
      this.inputs.push(info);
      return;
    }
    if ("file" in data) {
      const { file, offset, length } = data;
      this.initializers.push({ ...info, data: { location: file, offset, length } });
      return;
    }
    if (data.length !== sizeOf(value.shape))
      throw shapeError("toOnnx", `${sizeOf(value.shape)} values for the stored ${name}`, `${data.length}`);
    this.externalData.set(name, data);
    this.initializers.push({ ...info, data: { location: name, offset: 0, length: data.byteLength } });
  }

  constant(value: Value, data: ConstantData): void {
    this.initializers.push({ name: this.name(value), dtype: value.dtype, shape: value.shape, data });
  }
}
