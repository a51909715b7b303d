/** Elementwise ops with NumPy broadcasting, and the leaves of a graph: inputs and constants. */
import { broadcastShapes, type Shape, shapeError, sizeOf } from "../shape.js";
import { type ConstantData, commonFloat, type DType, makeValue, type Value } from "../value.js";

/** A value that is fed when the graph runs. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Value {
  return makeValue("input", [], { name }, shape, dtype);
}

const CONSTANT_TYPES = [
  [Float32Array, "float32"],
  [Float64Array, "float64"],
  [BigInt64Array, "int64"],
  [Int32Array, "int32"],
  [Uint8Array, "bool"],
] as const;

/** A value that is stored in the graph. */
export function constant(data: ConstantData, shape: Shape): Value {
  if (sizeOf(shape) !== data.length) throw shapeError("constant", `${sizeOf(shape)} values`, `${data.length}`);
  const dtype = CONSTANT_TYPES.find(([type]) => data instanceof type)![1];
  return makeValue("constant", [], { data }, shape, dtype);
}

/** A number of the same type as `like`. */
export function scalar(value: number, like: Value): Value {
  return constant(like.dtype === "float64" ? Float64Array.of(value) : Float32Array.of(value), []);
}

type BinaryOp = "add" | "sub" | "mul" | "div" | "maximum" | "greater";
type UnaryOp = "neg" | "exp" | "log" | "sqrt" | "sigmoid" | "silu";

function binary(op: BinaryOp) {
  return (a: Value, b: Value | number): Value => {
    const right = typeof b === "number" ? scalar(b, a) : b;
    return makeValue(op, [a, right], {}, broadcastShapes(op, a.shape, right.shape), commonFloat(op, a, right));
  };
}

function unary(op: UnaryOp) {
  return (x: Value): Value => makeValue(op, [x], {}, x.shape, commonFloat(op, x));
}

/** a + b; b may be a number, here and below. */
export const add = binary("add");
/** a - b. */
export const sub = binary("sub");
/** a * b, element by element. */
export const mul = binary("mul");
/** a / b, element by element. */
export const div = binary("div");
/** The larger of the two. */
export const maximum = binary("maximum");
/** 1 where a > b, else 0. */
export const greater = binary("greater");
/** -x. */
export const neg = unary("neg");
/** e to the power of x. */
export const exp = unary("exp");
/** Natural logarithm. */
export const log = unary("log");
/** Square root; the gradient at 0 is infinite. */
export const sqrt = unary("sqrt");
/** 1 / (1 + exp(-x)). */
export const sigmoid = unary("sigmoid");
/** x * sigmoid(x). */
export const silu = unary("silu");
