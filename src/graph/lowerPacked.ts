/** Products with packed weights as ONNX Runtime's kernels compute them. */
import type { Lowering } from "./lowering.js";
import { type PackedFormat, packedParts } from "./packedFormat.js";
import { shapeError } from "./shape.js";
import type { Node } from "./value.js";

/** MatMulNBits' accuracy_level: what x is rounded to. */
const ACCURACY = { float32: 1, int8: 4 } as const;

export function lowerPackedLinear(
  to: Lowering,
  { inputs, attributes: { format, shape }, outputs: [y] }: Node<"packedLinear">,
) {
  const [x, ...parts] = inputs.map((value) => to.name(value));
  if (format.kind !== "columns") {
    packedProduct(to, [x!, ...parts], { ...format, shape, accuracy: "int8" }, to.name(y!));
    return;
  }
  const [values, scales, inputScales] = parts;
  const balanced = inputScales && format.balanced ? to.emit("Mul", [x!, inputScales]) : x!;
  // The kernel rounds all of its input with one scale: each row is brought to the same size before.
  const [highest, lowest] = ["ReduceMax", "ReduceMin"].map((op) =>
    to.emit(op, [balanced, to.integers([-1])], undefined, { keepdims: { int: 1 } }),
  );
  const size = to.emit("Max", [highest!, to.emit("Neg", [lowest!]), to.number(TINY, "float32")]);
  const rows = to.emit("Div", [balanced, size]);
  const product = to.emit("DynamicQuantizeMatMul", [rows, values!, scales!], undefined, {}, "com.microsoft");
  to.emit("Mul", [product, size], [to.name(y!)]);
}

/** Keeps a row of zeros from being divided by 0. */
const TINY = 1e-30;

type BlockedFormat = Exclude<PackedFormat, { kind: "columns" }>;

/** x times a matrix of blocks transposed. */
function packedProduct(
  to: Lowering,
  names: readonly string[],
  {
    shape: [out, width],
    accuracy,
    ...format
  }: BlockedFormat & { shape: readonly [number, number]; accuracy: keyof typeof ACCURACY },
  y = to.freshName(),
): string {
  const sizes = { K: { int: width }, N: { int: out }, block_size: { int: format.block } };
  if (format.kind === "nf4")
    return to.emit("MatMulBnb4", names, [y], { ...sizes, quant_type: { int: 1 }, transB: { int: 1 } }, "com.microsoft");
  const attributes = { ...sizes, bits: { int: format.bits }, accuracy_level: { int: ACCURACY[accuracy] } };
  return to.emit("MatMulNBits", names, [y], attributes, "com.microsoft");
}

/**
 * ONNX Runtime has no op that unpacks; a product with the identity does: every block is a row of a matrix [blocks, block], whose product with the identity
 * of its width is the blocks as columns. Exact, as all other terms of the sums are 0.
 */
export function lowerUnpack(to: Lowering, { inputs, attributes: { format, shape }, outputs: [y] }: Node<"unpack">) {
  if (format.kind === "columns") throw shapeError("unpack", "blocks", format.kind);
  const [out, width] = shape;
  const { block } = format;
  const inBlocks = format.kind === "nf4" ? width : Math.ceil(width / block) * block;
  const count = (out * inBlocks) / block;
  const parts = Object.values(packedParts(format, [count, block]));
  const asRows = inputs.map((value, i) => to.emit("Reshape", [to.name(value), to.integers(parts[i]!.shape)]));
  const columns = packedProduct(to, [to.identity(block), ...asRows], {
    ...format,
    shape: [count, block],
    accuracy: "float32",
  });
  const rows = to.emit("Transpose", [columns], undefined, { perm: { ints: [1, 0] } });
  const isWhole = inBlocks === width;
  const whole = to.emit("Reshape", [rows, to.integers([out, inBlocks])], isWhole ? [to.name(y!)] : undefined);
  if (isWhole) return;
  // Rows that end within a block.
  to.emit("Slice", [whole, to.integers([0]), to.integers([width]), to.integers([1])], [to.name(y!)]);
}
