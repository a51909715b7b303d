/** Products with packed weights, which are frozen: a gradient flows to x alone. */
import { type PackedFormat, packedParts } from "../packedFormat.js";
import { formatShape, sameShape, shapeError } from "../shape.js";
import { commonFloat, formatValue, makeValue, type Value } from "../value.js";
import { input } from "./elementwise.js";

/** A packed weight [out, in] as the graph sees it. */
export interface PackedValue {
  /** How its parts hold the values. */
  readonly format: PackedFormat;
  /** [out, in] of the values. */
  readonly shape: readonly [number, number];
  /** In the order of `packedParts`. */
  readonly parts: readonly Value[];
}

/** The graph inputs of a packed weight: `NAME.values`, `NAME.scales` and so on. */
export function packedInput(name: string, format: PackedFormat, shape: readonly [number, number]): PackedValue {
  const parts = Object.entries(packedParts(format, shape)).map(([part, { dtype, shape }]) =>
    input(`${name}.${part}`, shape, dtype),
  );
  return { format, shape, parts };
}

/** x [.., in] @ weight [out, in] transposed -> [.., out]. */
export function packedLinear(x: Value, weight: PackedValue): Value {
  const { format, shape, parts } = weight;
  if (x.shape.length < 2 || !sameShape(x.shape.slice(-1), [shape[1]]))
    throw shapeError("packedLinear", `x of shape [.., ${shape[1]}]`, formatShape(x.shape));
  checkParts("packedLinear", weight);
  const dtype = commonFloat("packedLinear", x);
  return makeValue("packedLinear", [x, ...parts], { format, shape }, x.shape.with(-1, shape[0]), dtype);
}

/** The values of a packed weight [out, in]. */
export function unpack(weight: PackedValue): Value {
  const { format, shape, parts } = weight;
  checkParts("unpack", weight);
  if (format.kind === "columns" || (format.kind === "nf4" && (shape[0] * shape[1]) % format.block > 0))
    throw shapeError("unpack", "whole blocks", `${format.kind} of ${formatShape(shape)}`);
  return makeValue("unpack", parts, { format, shape }, shape, "float32");
}

function checkParts(op: string, { format, shape, parts }: PackedValue): void {
  const expected = Object.values(packedParts(format, shape));
  const fits = expected.every(({ dtype, shape }, i) => parts[i]?.dtype === dtype && sameShape(parts[i].shape, shape));
  if (!fits || expected.length !== parts.length)
    throw shapeError(op, `the parts of a weight [${shape.join(", ")}]`, parts.map(formatValue).join(", "));
}
