/** How a frozen weight [out, in] is packed: what its parts are, and so which kernel multiplies by it. */

/**
 * blocks: value = scale (q - 2^(bits - 1)), q of 4 or 8 bits, a scale for each block of values along the inputs. ONNX Runtime's MatMulNBits, which rounds x to
 *   int8 by blocks; GGUF's Q4_0 and Q8_0 have the same values.
 * nf4: value = scale code[q], blocks of the flattened matrix (Dettmers et al. 2023, QLoRA). MatMulBnb4, which computes in fp32.
 * columns: value = scale q, q int8, a scale for each output; `balanced`: times a scale for each input, by which x is multiplied before both are rounded
 *   (Xiao et al. 2023, SmoothQuant). DynamicQuantizeMatMul, which rounds x to int8 too, here with a scale for each row. `gradient`: what lies beside it
 *   for dx: the transposed matrix, rounded with a scale for each input, or the matrix itself in fp32.
 */
export type PackedFormat =
  | {
      /** Integers in blocks of a row. */
      readonly kind: "blocks";
      /** Bits of q. */
      readonly bits: 4 | 8;
      /** Values of a block. */
      readonly block: number;
    }
  | {
      /** 4-bit NormalFloat. */
      readonly kind: "nf4";
      /** Values of a block. */
      readonly block: number;
    }
  | {
      /** int8 with a scale for each output. */
      readonly kind: "columns";
      /** Whether each input has a scale too. */
      readonly balanced: boolean;
      /** What lies beside it for dx. */
      readonly gradient: ColumnsGradient;
    };

/** What dx is computed with: nothing where no gradient is asked for, the transposed matrix in int8, or the matrix in fp32. */
export type ColumnsGradient = "none" | "int8" | "fp32";

/** One array of a packed weight. */
export interface PackedPart {
  /** Type of its elements. */
  readonly dtype: "float32" | "uint8" | "int8";
  /** Sizes of its axes. */
  readonly shape: readonly number[];
}

/** The parts of a packed weight [out, in] by name, in the order that the kernel takes them. */
export function packedParts(format: PackedFormat, [out, width]: readonly [number, number]): Record<string, PackedPart> {
  if (format.kind === "columns") {
    return {
      values: { dtype: "int8", shape: [width, out] },
      scales: { dtype: "float32", shape: [out] },
      ...(format.balanced ? { input_scales: { dtype: "float32", shape: [width] } } : {}),
      ...gradientParts(format.gradient, [out, width]),
    };
  }
  if (format.kind === "nf4") {
    const count = out * width;
    return {
      values: { dtype: "uint8", shape: [Math.ceil(count / 2)] },
      scales: { dtype: "float32", shape: [Math.ceil(count / format.block)] },
    };
  }
  const { bits, block } = format;
  const blocks = Math.ceil(width / block);
  return {
    values: { dtype: "uint8", shape: [out, blocks, (block * bits) / 8] },
    scales: { dtype: "float32", shape: [out, blocks] },
  };
}

function gradientParts(gradient: ColumnsGradient, [out, width]: readonly [number, number]): Record<string, PackedPart> {
  if (gradient === "none") return {};
  if (gradient === "fp32") return { matrix: { dtype: "float32", shape: [out, width] } };
  return {
    transposed_values: { dtype: "int8", shape: [out, width] },
    transposed_scales: { dtype: "float32", shape: [width] },
  };
}
