/** Products with packed weights as ONNX Runtime's kernels compute them. */
import type { Lowering } from "./lowering.js";
import { type PackedFormat, packedParts } from "./packedFormat.js";
import { DATA_TYPES } from "./protobuf.js";
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
  const count = Math.min(format.outliers, shape[1]);
  const apart =
    count > 0 ? splitOutliers(to, x!, { count, width: shape[1], rank: inputs[0]!.shape.length }) : undefined;
  const [values, scales] = parts as [string, string];
  const rest = inInt8(to, apart?.rest ?? x!, values, scales, apart ? undefined : to.name(y!));
  if (!apart) return;
  const rows = to.emit("Gather", [values, apart.ids], undefined, { axis: { int: 0 } });
  const weights = to.emit("Mul", [to.emit("Cast", [rows], undefined, { to: { int: DATA_TYPES.float32 } }), scales]);
  to.emit("Add", [rest, to.emit("MatMul", [apart.columns, weights])], [to.name(y!)]);
}

/** x [.., in] in int8 with a scale for each row. */
function inInt8(to: Lowering, x: string, values: string, scales: string, y = to.freshName()): string {
  // The kernel rounds all of its input with one scale: each row is brought to the same size before.
  const largest = to.emit("ReduceMax", [to.emit("Abs", [x]), to.integers([-1])], undefined, {
    keepdims: { int: 1 },
  });
  const size = to.emit("Max", [largest, to.number(TINY, "float32")]);
  const product = to.emit(
    "DynamicQuantizeMatMul",
    [to.emit("Div", [x, size]), values, scales],
    undefined,
    {},
    "com.microsoft",
  );
  return to.emit("Mul", [product, size], [y]);
}

/** Keeps a row of zeros from being divided by 0. */
const TINY = 1e-30;

/** The columns of x with the largest values, their numbers, and x with zeros in their place. */
function splitOutliers(to: Lowering, x: string, { count, width, rank }: Record<"count" | "width" | "rank", number>) {
  const rows = to.integers(Array.from({ length: rank - 1 }, (_, axis) => axis));
  const size = to.emit("ReduceMax", [to.emit("Abs", [x]), rows], undefined, { keepdims: { int: 0 } });
  const [largest, ids] = [to.freshName(), to.freshName()];
  to.emit("TopK", [size, to.integers([count])], [largest, ids]);
  const columns = to.emit("Gather", [x, ids], undefined, { axis: { int: rank - 1 } });
  const ones = to.emit("Expand", [to.number(1, "float32"), to.integers([width])]);
  const zeros = to.emit("Expand", [to.number(0, "float32"), to.integers([count])]);
  const kept = to.emit("ScatterElements", [ones, ids, zeros], undefined, { axis: { int: 0 } });
  return { columns, ids, rest: to.emit("Mul", [x, kept]) };
}

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
