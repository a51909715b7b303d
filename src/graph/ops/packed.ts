/** Products with packed weights, which are frozen: a gradient flows to x alone. */
import { type PackedFormat, packedParts } from "../packedFormat.js";
import { formatShape, sameShape, shapeError } from "../shape.js";
import { commonFloat, formatValue, makeValue, type Value } from "../value.js";
import { input } from "./elementwise.js";

/** A packed weight [out, in] as the graph sees it. */
export interface PackedValue {
  readonly format: PackedFormat;
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

/** x [.., in] @ weight [out, in] transposed -> [.., out]. With `transposed`, x [.., out] @ weight -> [.., in]. */
export function packedLinear(x: Value, { format, shape, parts }: PackedValue, transposed = false): Value {
  const [to, from] = transposed ? [shape[1], shape[0]] : shape;
  if (x.shape.length < 2 || !sameShape(x.shape.slice(-1), [from]))
    throw shapeError("packedLinear", `x of shape [.., ${from}]`, formatShape(x.shape));
  const expected = Object.values(packedParts(format, shape));
  const fits = expected.every(({ dtype, shape }, i) => parts[i]?.dtype === dtype && sameShape(parts[i].shape, shape));
  if (!fits || expected.length !== parts.length)
    throw shapeError("packedLinear", `the parts of a weight [${shape.join(", ")}]`, parts.map(formatValue).join(", "));
  if (transposed && format.kind !== "nf4")
    throw shapeError("packedLinear", "an nf4 weight where x is multiplied by it untransposed", format.kind);
  return makeValue(
    "packedLinear",
    [x, ...parts],
    { format, shape, transposed },
    x.shape.with(-1, to),
    commonFloat("packedLinear", x),
  );
}
