/** Weights in int8 as DynamicQuantizeMatMul reads them, with a scale for each output and for each input; for gradients the transposed matrix beside it. */
import type { HostTensors } from "../runtime/runtime.js";

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

/**
 * A factor for each input [in] that shares the difficulty of rounding between x and the matrix [out, in]: large inputs shrink, and their weights grow
 * (Xiao et al. 2023, SmoothQuant, alpha 1/2). `sizes` [in]: how large each input is. Their geometric mean is 1.
 */
export function balancedScales(sizes: Float32Array, values: Float32Array): Float32Array {
  const width = sizes.length;
  const largest = new Float32Array(width);
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!);
    if (size > largest[i % width]!) largest[i % width] = size;
  }
  const ratios = sizes.map((size, i) => Math.sqrt(Math.max(largest[i]!, TINY) / Math.max(size, TINY)));
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / width);
  return ratios.map((ratio) => ratio / mean);
}

/** Inputs and weights that are always 0 count as this large. */
const TINY = 1e-5;

/** Rows begin..end-1 of a matrix [out, in] in fp32. */
export function dequantizeColumns(
  { values, scales, input_scales }: HostTensors,
  [out, width]: readonly [number, number],
  begin: number,
  end: number,
): Float32Array {
  const [ofOutput, ofInput] = [scales!.data as Float32Array, input_scales?.data as Float32Array | undefined];
  return Float32Array.from({ length: (end - begin) * width }, (_, at) => {
    const [row, i] = [begin + Math.floor(at / width), at % width];
    return (values!.data[i * out + row] as number) * ofOutput[row]! * (ofInput?.[i] ?? 1);
  });
}
