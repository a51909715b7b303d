/** Products of matrices. */
import { broadcastShapes, formatShape, shapeError } from "../shape.js";
import { commonFloat, makeValue, type Value } from "../value.js";
import { add } from "./elementwise.js";

/** What is done to the factors and to the product. */
export interface MatmulOptions {
  /** Use a with its last two axes exchanged. */
  transA?: boolean;
  /** Use b with its last two axes exchanged. */
  transB?: boolean;
  /** The product is multiplied by this. */
  alpha?: number;
}

/** alpha * a [.., M, K] @ b [.., K, N] -> [.., M, N]; leading axes broadcast. */
export function matmul(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions = {}): Value {
  if (a.shape.length < 2 || b.shape.length < 2) {
    throw shapeError("matmul", "two values of rank 2 or more", `${formatShape(a.shape)} and ${formatShape(b.shape)}`);
  }
  const [m, k] = lastTwo(a, transA);
  const [kb, n] = lastTwo(b, transB);
  if (k !== kb) {
    const forms = `${formatShape(a.shape)}${transA ? " transposed" : ""} and ${formatShape(b.shape)}${transB ? " transposed" : ""}`;
    throw shapeError("matmul", "inner dimensions that agree", forms);
  }
  const batch = broadcastShapes("matmul", a.shape.slice(0, -2), b.shape.slice(0, -2));
  return makeValue("matmul", [a, b], { transA, transB, alpha }, [...batch, m!, n!], commonFloat("matmul", a, b));
}

/** x [M, in] @ weight [out, in] transposed -> [M, out], a linear layer as PyTorch stores it. */
export function linear(x: Value, weight: Value, alpha = 1): Value {
  return matmul(x, weight, { transB: true, alpha });
}

/**
 * x [M, in] @ (weight [out, in] + scale b [out, r] @ a [r, in]) transposed -> [M, out]. One product of the layer's size forward and one
 * back, where x W^T + scale (x A^T) B^T takes two more of rank r; the gradients of a and b pass through r columns all the same.
 */
export function lowRankLinear(x: Value, weight: Value, a: Value, b: Value, scale = 1): Value {
  const sum = add(weight, matmul(b, a, { alpha: scale }));
  const { shape, dtype } = linear(x, sum);
  return makeValue("lowRankLinear", [x, weight, a, b, sum], { scale }, shape, dtype);
}

function lastTwo(value: Value, transposed: boolean) {
  const pair = value.shape.slice(-2);
  return transposed ? pair.reverse() : pair;
}
