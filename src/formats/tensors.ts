/** Tensors at rest: element types, stored tensors and the reader that the whole engine takes weights from. */
import { BigVaeError } from "../errors.js";
import type { PackedWeight } from "../weights/index.js";
import { widenBFloat16, widenFloat16 } from "./halfFloats.js";
import { malformed } from "./malformed.js";
import { shorten } from "./strictJson.js";

/** Element types as safetensors spells them. F16 and BF16 are kept as their 16 bits, BOOL as a byte. */
const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
} as const;

/** As safetensors spells it. @useDeclaredType */
export type Dtype = keyof typeof ARRAYS;
/** Flat elements, row-major; F16 and BF16 as their 16 bits, BOOL as a byte. */
export type TensorData =
  | Float64Array
  | Float32Array
  | Uint16Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/** A tensor with its elements in row-major order. */
export interface StoredTensor {
  /** Tells what the array's numbers are: a Uint16Array holds F16 or BF16. */
  readonly dtype: Dtype;
  /** Outermost first; [] is one number. */
  readonly shape: readonly number[];
  /** As many as the product of the shape. */
  readonly data: TensorData;
}

/** A tensor without its elements. */
export interface TensorInfo {
  /** Any string, as a reader may hold types of its own (Q4_0). */
  readonly dtype: string;
  /** Outermost first, as the elements come when read. */
  readonly shape: readonly number[];
}

/** Where weights come from: a safetensors file, a folder of shards, a GGUF file. */
export interface TensorSource {
  /** All that can be read. */
  readonly names: readonly string[];
  /** @throws BigVaeError("mismatch") where there is no such tensor. */
  info(name: string): TensorInfo;
  /** The elements in fp32: F32 as it is, F16, BF16 and quantised blocks widened exactly. Read-only: it may be a view. */
  readFloat32(name: string): Promise<Float32Array>;
  /** Rows begin..end-1 of a matrix in fp32, read alone. */
  readRows?(name: string, begin: number, end: number): Promise<Float32Array>;
  /** How the file packs a matrix, where a kernel multiplies by the same values; undefined otherwise. */
  packedFormat?(name: string): PackedWeight["format"] | undefined;
  /** A matrix that has such a format, as it lies in the file. */
  readPacked?(name: string): Promise<PackedWeight>;
  /** The elements as stored. */
  readRaw(name: string): Promise<StoredTensor>;
}

/** Safetensors files that are open for reading. */
export interface OpenTensors extends TensorSource {
  /** The header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Rows begin..end-1 of a matrix in fp32, read alone. */
  readRows(name: string, begin: number, end: number): Promise<Float32Array>;
  /** The elements [begin, end) of the flattened tensor, read alone. */
  readElements(name: string, begin: number, end: number): Promise<TensorData>;
  /** Frees the files; nothing can be read after it. */
  close(): Promise<void>;
}

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(ARRAYS, name);
}

export function bytesPerElement(dtype: Dtype): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/**
 * Product of the dimensions; 1 for a scalar.
 * @throws BigVaeError("format") naming `what` where a dimension is no whole number >= 0 or the product passes 2^53.
 */
export function elementCount(shape: readonly unknown[], what: string): number {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw malformed(what, "dimensions that are whole numbers of at least 0", shorten(JSON.stringify(size) ?? "none"));
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER)
      throw malformed(what, "a shape of at most 2^53 elements", `[${shorten(shape.join(", "))}]`);
  }
  return count;
}

/** Little-endian bytes as elements of `dtype`: a view where they are aligned, a copy otherwise. */
export function viewElements(bytes: Uint8Array, dtype: Dtype): TensorData {
  const ElementArray = ARRAYS[dtype];
  const width = ElementArray.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes);
  return new ElementArray(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

/** The little-endian bytes of `data`, a view. */
export function viewBytes(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A tensor's elements in fp32. @throws BigVaeError("unsupported") for integers and F64. */
export function toFloat32(tensor: StoredTensor, what: string): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data;
  if (tensor.dtype === "F16") return widenFloat16(tensor.data as Uint16Array);
  if (tensor.dtype === "BF16") return widenBFloat16(tensor.data as Uint16Array);
  throw new BigVaeError("unsupported", {
    subject: what,
    expected: "F32, F16 or BF16",
    got: tensor.dtype,
    remedy: "convert it to F32",
  });
}
