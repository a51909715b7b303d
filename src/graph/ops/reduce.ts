/** Sums and means. Reduced axes are kept with size 1. */
import { resolveAxis, sizeOf } from "../shape.js";
import { commonFloat, makeValue, type Value } from "../value.js";
import { mul } from "./elementwise.js";
import { reshape } from "./layout.js";

/** Sum over `axes`, which stay as dimensions of size 1. */
export function reduceSum(x: Value, axes: readonly number[]): Value {
  if (axes.length === 0) return x;
  const resolved = axes.map((axis) => resolveAxis("reduceSum", axis, x.shape.length)).sort((a, b) => a - b);
  const shape = x.shape.map((dim, axis) => (resolved.includes(axis) ? 1 : dim));
  return makeValue("reduceSum", [x], { axes: resolved }, shape, commonFloat("reduceSum", x));
}

/** Mean over one axis of fixed size, which stays with size 1. */
export function reduceMean(x: Value, axis: number): Value {
  const at = resolveAxis("reduceMean", axis, x.shape.length);
  return mul(reduceSum(x, [at]), 1 / sizeOf([x.shape[at]!]));
}

/** Sum of all elements, as a value of shape []. */
export function sumAll(x: Value): Value {
  return reshape(
    reduceSum(
      x,
      x.shape.map((_, axis) => axis),
    ),
    [],
  );
}
