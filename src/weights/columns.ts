/** Weights in int8 with a scale for each output, as DynamicQuantizeMatMul reads them; for gradients the transposed matrix beside it. */
import type { PackedFormat } from "../graph/index.js";
import type { HostTensors } from "../runtime/runtime.js";

export type ColumnsFormat = Extract<PackedFormat, { kind: "columns" }>;

/** For training: forward with eight inputs in fp32, and back. */
export const COLUMNS_FORMAT: ColumnsFormat = { kind: "columns", gradient: true, outliers: 8 };

/**
 * Rounds a matrix [out, in] to q from -127 to 127, with a scale = max |x| / 127 for each output, values [in, out]; or of the transposed matrix with
 * a scale for each input, values [out, in].
 */
export function quantizeColumns(
  values: Float32Array,
  [out, width]: readonly [number, number],
  by: "output" | "input",
): { values: Int8Array; scales: Float32Array } {
  const ofOutput = by === "output";
  const scales = new Float32Array(ofOutput ? out : width);
  for (let row = 0; row < out; row++) {
    for (let i = 0; i < width; i++) {
      const at = ofOutput ? row : i;
      const size = Math.abs(values[row * width + i]!);
      if (size > scales[at]!) scales[at] = size;
    }
  }
  const inverse = scales.map((largest) => (largest > 0 ? 127 / largest : 0));
  const bytes = new Int8Array(out * width);
  for (let row = 0; row < out; row++) {
    for (let i = 0; i < width; i++)
      bytes[ofOutput ? i * out + row : row * width + i] = Math.round(
        values[row * width + i]! * inverse[ofOutput ? row : i]!,
      );
  }
  return { values: bytes, scales: scales.map((largest) => largest / 127) };
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
