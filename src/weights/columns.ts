/** Weights in int8 with a scale for each output, as DynamicQuantizeMatMul reads them; for gradients the transposed matrix beside it. */
import type { PackedFormat } from "../graph/index.js";
import type { HostTensors } from "../runtime/runtime.js";

export type ColumnsFormat = Extract<PackedFormat, { kind: "columns" }>;

/** For training: forward with eight inputs in fp32, and back. */
export const COLUMNS_FORMAT: ColumnsFormat = { kind: "columns", gradient: true, outliers: 8 };

/** Rounds a matrix [out, in] to q from -127 to 127 with scale = max |x| / 127 of each output; values [in, out]. */
export function quantizeColumns(
  values: Float32Array,
  [out, width]: readonly [number, number],
): { values: Int8Array; scales: Float32Array } {
  const bytes = new Int8Array(out * width);
  const scales = new Float32Array(out);
  for (let row = 0; row < out; row++) {
    const own = values.subarray(row * width, (row + 1) * width);
    const largest = own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    scales[row] = largest / 127;
    const inverse = largest > 0 ? 127 / largest : 0;
    for (let i = 0; i < width; i++) bytes[i * out + row] = Math.round(own[i]! * inverse);
  }
  return { values: bytes, scales };
}

/** As `quantizeColumns` of the transposed matrix [in, out]: a scale for each input, values [out, in]. */
export function quantizeRows(
  values: Float32Array,
  [out, width]: readonly [number, number],
): { values: Int8Array; scales: Float32Array } {
  const bytes = new Int8Array(out * width);
  const scales = new Float32Array(width);
  for (let i = 0; i < values.length; i++) {
    const column = i % width;
    const size = Math.abs(values[i]!);
    if (size > scales[column]!) scales[column] = size;
  }
  const inverse = scales.map((largest) => (largest > 0 ? 127 / largest : 0));
  for (let i = 0; i < values.length; i++) bytes[i] = Math.round(values[i]! * inverse[i % width]!);
  for (let column = 0; column < width; column++) scales[column]! /= 127;
  return { values: bytes, scales };
}

/** Rows begin..end-1 of a matrix [out, in] in fp32. */
export function dequantizeColumns(
  { values, scales }: HostTensors,
  [out, width]: readonly [number, number],
  begin: number,
  end: number,
): Float32Array {
  return Float32Array.from({ length: (end - begin) * width }, (_, at) => {
    const row = begin + Math.floor(at / width);
    return (values!.data[(at % width) * out + row] as number) * (scales!.data as Float32Array)[row]!;
  });
}
