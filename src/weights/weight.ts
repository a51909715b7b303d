/** A frozen weight in memory: dense, or packed in one of the formats that a kernel multiplies by. */
import {
  type ColumnsGradient,
  type FileRange,
  type PackedFormat,
  type PackedPart,
  packedParts,
  sizeOf,
} from "../graph/index.js";
import { float32, type HostTensor, type HostTensors } from "../runtime/runtime.js";
import { blocksFormat, dequantizeBlocks, quantizeBlocks } from "./blocks.js";
import { balancedScales, dequantizeColumns, quantizeColumns } from "./columns.js";
import { dequantizeNf4, NF4_FORMAT, quantizeNf4 } from "./nf4.js";

/** Row-major values [out, in]; norms are [out]. */
export interface DenseWeight {
  readonly kind: "dense";
  readonly tensor: HostTensor;
}

/** A matrix [out, in] and its arrays by the names of `packedParts`. */
export interface PackedWeight {
  readonly kind: "packed";
  readonly format: PackedFormat;
  readonly shape: readonly [number, number];
  readonly parts: HostTensors;
}

export type Weight = DenseWeight | PackedWeight;

/** A packed weight whose arrays lie in a file that a session maps. */
export interface MappedWeight {
  readonly kind: "mapped";
  readonly format: PackedFormat;
  readonly shape: readonly [number, number];
  readonly ranges: Readonly<Record<string, FileRange>>;
}

/**
 * How a base is kept in memory. none: fp32. int8 and int4: blocks with a scale each; matrices that a file holds in as few bits stay as they are.
 * nf4: the 4-bit NormalFloat of QLoRA, in blocks of 64.
 */
export type Quant = "none" | "int8" | "int4" | "nf4";

export const QUANTS: readonly Quant[] = ["none", "int8", "int4", "nf4"];

/** The format of the matrices of the Transformer's blocks, of `width` inputs; undefined where they are dense. */
export function linearFormat(quant: Quant, width: number): PackedFormat | undefined {
  if (quant === "none") return undefined;
  return quant === "nf4" ? NF4_FORMAT : blocksFormat(quant === "int8" ? 8 : 4, width);
}

/** The format of the embedding table and of the language-model head: 8 bits beside int4 too, and dense beside nf4, as in bitsandbytes. */
export function tableFormat(quant: Quant, width: number): PackedFormat | undefined {
  return quant === "int8" || quant === "int4" ? blocksFormat(8, width) : undefined;
}

/** Rounds a matrix [out, in] to a packed format, some rows at a time. */
export class Packer {
  /** Complete once all rows were added. */
  readonly weight: PackedWeight;

  constructor(
    readonly shape: readonly [number, number],
    readonly format: PackedFormat,
  ) {
    const empty = ({ dtype, shape }: PackedPart) =>
      dtype === "float32" ? new Float32Array(sizeOf(shape)) : new Uint8Array(sizeOf(shape));
    const parts = Object.entries(packedParts(format, shape));
    this.weight = packedWeight(format, shape, Object.fromEntries(parts.map(([name, part]) => [name, empty(part)])));
  }

  /** Rounds the rows from `begin` on; where pieces of nf4 are added, each ends with a block. */
  add(values: Float32Array, begin: number): void {
    const { format, shape } = this;
    const { values: bytes, scales } = this.weight.parts as { values: HostTensor; scales: HostTensor };
    const to = { values: bytes.data as Uint8Array, scales: scales.data as Float32Array };
    if (format.kind === "nf4") quantizeNf4(values, format.block, to, begin * shape[1]);
    else if (format.kind === "blocks") quantizeBlocks(values, shape[1], format, to, begin);
    else throw new RangeError(`no packing to ${format.kind}`);
  }
}

/** Rounds values [out, in] to blocks or nf4. */
export function packWeight(values: Float32Array, shape: readonly [number, number], format: PackedFormat): PackedWeight {
  const packer = new Packer(shape, format);
  packer.add(values, 0);
  return packer.weight;
}

/** A packed weight of arrays that lie as its format says. */
export function packedWeight(
  format: PackedFormat,
  shape: readonly [number, number],
  arrays: Readonly<Record<string, HostTensor["data"]>>,
): PackedWeight {
  const parts = Object.entries(packedParts(format, shape)).map(
    ([name, { dtype, shape }]) => [name, { dtype, shape, data: arrays[name]! }] as const,
  );
  return { kind: "packed", format, shape, parts: Object.fromEntries(parts) };
}

/**
 * Rounds values [out, in] to int8 with a scale for each output, balanced with inputs of the given sizes [in] where there are any. `gradient`: what lies
 * beside it for dx, the transposed matrix in int8 or the values themselves.
 */
export function packColumns(
  values: Float32Array,
  [out, width]: readonly [number, number],
  { gradient = "none", inputSizes }: { gradient?: ColumnsGradient; inputSizes?: Float32Array | undefined } = {},
): PackedWeight {
  const inputScales = inputSizes && balancedScales(inputSizes, values);
  const balanced = inputScales ? values.map((value, i) => value / inputScales[i % width]!) : values;
  const arrays: Record<string, HostTensor["data"]> = quantizeColumns(balanced, [out, width], "output");
  if (inputScales) arrays.input_scales = inputScales;
  if (gradient === "fp32") arrays.matrix = values;
  if (gradient === "int8") {
    const back = quantizeColumns(values, [out, width], "input");
    Object.assign(arrays, { transposed_values: back.values, transposed_scales: back.scales });
  }
  return packedWeight({ kind: "columns", balanced: inputScales !== undefined, gradient }, [out, width], arrays);
}

/** Rows begin..end-1 of a matrix [out, in] in fp32; a view where it is dense. */
export function readRows(weight: Weight, begin: number, end: number): Float32Array {
  if (weight.kind === "dense") {
    const width = weight.tensor.shape[1]!;
    return (weight.tensor.data as Float32Array).subarray(begin * width, end * width);
  }
  const { format, shape, parts } = weight;
  if (format.kind === "nf4") return dequantizeNf4(parts, format.block, begin * shape[1], end * shape[1]);
  if (format.kind === "blocks") return dequantizeBlocks(parts, shape, format, begin, end);
  return dequantizeColumns(parts, shape, begin, end);
}

/** The ranges that a mapped weight is stored as. */
export function weightRanges(name: string, { ranges }: MappedWeight): Record<string, FileRange> {
  return Object.fromEntries(Object.entries(ranges).map(([part, range]) => [`${name}.${part}`, range]));
}

/** What a weight of that name on disk is fed as, or stored as. */
export function weightTensors(name: string, weight: Weight): Record<string, HostTensor> {
  if (weight.kind === "dense") return { [name]: weight.tensor };
  return Object.fromEntries(Object.entries(weight.parts).map(([part, tensor]) => [`${name}.${part}`, tensor]));
}

/** Bytes of the values and of the scales of a matrix in a format. */
export function packedBytes(
  format: PackedFormat,
  shape: readonly [number, number],
): Record<"values" | "scales", number> {
  const { values, scales } = packedParts(format, shape);
  return { values: sizeOf(values!.shape), scales: 4 * sizeOf(scales!.shape) };
}

/** The same of a matrix in a form; `isTable`: the embedding table or the head. */
export function quantBytes(
  quant: Quant,
  shape: readonly [number, number],
  isTable = false,
): Record<"values" | "scales", number> {
  const format = (isTable ? tableFormat : linearFormat)(quant, shape[1]);
  return format ? packedBytes(format, shape) : { values: 4 * shape[0] * shape[1], scales: 0 };
}

/** Values in fp32. */
export function dense(values: Float32Array, ...shape: number[]): DenseWeight {
  return { kind: "dense", tensor: float32(values, ...shape) };
}
