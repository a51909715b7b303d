/** Reverse mode, one rule per op: from the gradients of a node's outputs to those of its inputs (undefined: none flows). */
import { add, constant, div, exp, greater, mul, neg, scalar, sigmoid, sub } from "./ops/elementwise.js";
import { addAtColumn, concat, expand, gatherRows, reshape, scatterRows, slice, transpose } from "./ops/layout.js";
import { linear, matmul } from "./ops/matmul.js";
import { rope } from "./ops/network.js";
import { packedLinear, unpack } from "./ops/packed.js";
import { reduceMean, reduceSum } from "./ops/reduce.js";
import { type Shape, sameShape, shapeError, sizeOf } from "./shape.js";
import type { Node, OpName, Value } from "./value.js";

/** `dy` is the gradient of the first output, `dys` that of each that has one; `needs[i]` tells whether input i wants one. */
type GradientRule<K extends OpName> = (
  node: Node<K>,
  dy: Value,
  needs: readonly boolean[],
  dys: readonly (Value | undefined)[],
) => (Value | undefined)[];

export const gradientRules: { readonly [K in OpName]: GradientRule<K> } = {
  input: () => [],
  constant: () => [],

  // d(a + b) = da + db
  add: ({ inputs: [a, b] }, dy) => [unbroadcast(dy, a!.shape), unbroadcast(dy, b!.shape)],
  // d(a - b) = da - db
  sub: ({ inputs: [a, b] }, dy) => [unbroadcast(dy, a!.shape), neg(unbroadcast(dy, b!.shape))],
  // d(a b) = b da + a db
  mul: ({ inputs: [a, b] }, dy, needs) => [
    needs[0] ? unbroadcast(mul(dy, b!), a!.shape) : undefined,
    needs[1] ? unbroadcast(mul(dy, a!), b!.shape) : undefined,
  ],
  // y = a/b: dy = da/b - y/b db
  div: ({ inputs: [a, b], outputs: [y] }, dy, needs) => [
    needs[0] ? unbroadcast(div(dy, b!), a!.shape) : undefined,
    needs[1] ? neg(unbroadcast(div(mul(dy, y!), b!), b!.shape)) : undefined,
  ],
  // The larger one's; b's where they are equal.
  maximum: ({ inputs: [a, b] }, dy, needs) => {
    const first = greater(a!, b!);
    return [
      needs[0] ? unbroadcast(mul(dy, first), a!.shape) : undefined,
      needs[1] ? unbroadcast(mul(dy, sub(scalar(1, dy), first)), b!.shape) : undefined,
    ];
  },
  greater: () => [undefined, undefined],
  neg: (_, dy) => [neg(dy)],
  // y = e^x: dy = y dx
  exp: ({ outputs: [y] }, dy) => [mul(dy, y!)],
  // y = log x: dy = dx / x
  log: ({ inputs: [x] }, dy) => [div(dy, x!)],
  // y = sqrt x: dy = dx / 2y
  sqrt: ({ outputs: [y] }, dy) => [div(mul(dy, 0.5), y!)],
  // y = s(x): dy = y (1 - y) dx
  sigmoid: ({ outputs: [y] }, dy) => [mul(dy, sub(y!, mul(y!, y!)))],
  // y = x s(x): dy = (s + y (1 - s)) dx = (y + s (1 - y)) dx
  silu: ({ inputs: [x], outputs: [y] }, dy) => [mul(dy, add(y!, mul(sigmoid(x!), sub(scalar(1, y!), y!))))],

  // C = alpha op(A) op(B): dA = alpha dC op(B)^T, dB = alpha op(A)^T dC, each transposed where op transposes
  matmul: ({ inputs: [a, b], attributes: { transA, transB, alpha } }, dc, needs) => {
    const dA = () =>
      transA ? matmul(b!, dc, { transA: transB, transB: true, alpha }) : matmul(dc, b!, { transB: !transB, alpha });
    const dB = () =>
      transB ? matmul(dc, a!, { transA: true, transB: transA, alpha }) : matmul(a!, dc, { transA: !transA, alpha });
    return [needs[0] ? unbroadcast(dA(), a!.shape) : undefined, needs[1] ? unbroadcast(dB(), b!.shape) : undefined];
  },

  // y = x S^T, S = W + s B A: dx = dy S, dW = dy^T x, dA = s B^T dW = s (dy B)^T x, dB = s dW A^T = s dy^T (x A^T)
  lowRankLinear: ({ inputs: [x, , a, b, sum], attributes: { scale: alpha } }, dy, needs) => [
    needs[0] ? matmul(dy, sum!) : undefined,
    needs[1] ? matmul(dy, x!, { transA: true }) : undefined,
    needs[2] ? matmul(matmul(dy, b!), x!, { transA: true, alpha }) : undefined,
    needs[3] ? matmul(dy, linear(x!, a!), { transA: true, alpha }) : undefined,
    undefined,
  ],

  // y = x W^T: dx = dy W
  packedLinear: ({ inputs: [, ...parts], attributes: { format, shape } }, dy) => {
    const [out, width] = shape;
    if (format.kind !== "columns") return [matmul(dy, unpack({ format, shape, parts })), ...parts.map(() => undefined)];
    if (format.gradient === "none") throw shapeError("packedLinear", "a weight with parts for dx", "none");
    // The scales of the inputs are in those of the transposed matrix.
    const plain = { kind: "columns", balanced: false, gradient: "none" } as const;
    const dx =
      format.gradient === "fp32"
        ? matmul(dy, parts.at(-1)!)
        : packedLinear(dy, { format: plain, shape: [width, out], parts: parts.slice(-2) });
    return [dx, ...parts.map(() => undefined)];
  },
  unpack: ({ inputs }) => inputs.map(() => undefined),

  // y = softmax(x): dx = y (dy - sum(y dy))
  softmax: ({ outputs: [y] }, dy) => [mul(y!, sub(dy, reduceSum(mul(y!, dy), [-1])))],
  // n = x r, r = 1/rms, y = n w: dx = r (w dy - n mean(n w dy)), dw = sum(n dy)
  rmsNorm: ({ op, inputs: [x, weight], outputs: [, inverseRms] }, dy, needs, dys) => {
    refuseSecond(op, dys);
    const n = mul(x!, inverseRms!);
    const dn = mul(dy, weight!);
    const dx = () => mul(inverseRms!, sub(dn, mul(n, reduceMean(mul(n, dn), -1))));
    return [needs[0] ? dx() : undefined, needs[1] ? unbroadcast(mul(n, dy), weight!.shape) : undefined];
  },
  // A rotation: its transpose is the rotation by the negative angle.
  rope: ({ inputs: [, positions, cos, sin] }, dy) => [
    rope(dy, positions!, cos!, neg(sin!)),
    undefined,
    undefined,
    undefined,
  ],
  // dlogits = (softmax - onehot(label)) dloss, row by row
  crossEntropy: ({ op, inputs: [, labels], outputs: [, logProbabilities] }, dLoss, _needs, dys) => {
    refuseSecond(op, dys);
    const column = reshape(dLoss, [...dLoss.shape, 1]);
    return [addAtColumn(mul(exp(logProbabilities!), column), labels!, neg(dLoss)), undefined];
  },

  reshape: ({ inputs: [x] }, dy) => [reshape(dy, x!.shape)],
  transpose: ({ attributes: { permutation } }, dy) => [
    transpose(
      dy,
      permutation.map((_, axis) => permutation.indexOf(axis)),
    ),
  ],
  concat: ({ inputs, attributes: { axis } }, dy) => {
    let end = 0;
    return inputs.map((x) => {
      const start = end;
      end += sizeOf([x.shape[axis]!]);
      return end > start ? slice(dy, axis, start, end) : undefined;
    });
  },
  // Zeros before and after.
  slice: ({ inputs: [x], attributes: { axis, start, end } }, dy) => {
    const length = sizeOf([x!.shape[axis]!]);
    const zeros = (count: number) => (count > 0 ? [expand(scalar(0, dy), dy.shape.with(axis, count))] : []);
    return [concat([...zeros(start), dy, ...zeros(length - end)], axis)];
  },
  split: ({ outputs }, _dy, _needs, dys) => {
    const parts = outputs.map((part, i) => dys[i] ?? zeroGradient(part));
    return [concat(parts, -1), undefined];
  },
  expand: ({ inputs: [x] }, dy) => [unbroadcast(dy, x!.shape)],
  gatherRows: ({ inputs: [table, ids] }, dy) => {
    const [rowCount, width] = table!.shape;
    const count = sizeOf(ids!.shape);
    return [scatterRows(reshape(dy, [count, width!]), reshape(ids!, [count]), sizeOf([rowCount!])), undefined];
  },
  scatterRows: ({ inputs: [, ids] }, dy) => [gatherRows(dy, ids!), undefined],
  // Linear in x and in the values, whose gradient is dy at their places: sum(dy onehot(column)) over each row.
  addAtColumn: ({ inputs: [x, columns, values] }, dy, needs) => {
    const zeros = () => expand(scalar(0, dy), x!.shape);
    const ones = () => expand(scalar(1, dy), values!.shape);
    const dValues = () => reshape(reduceSum(mul(dy, addAtColumn(zeros(), columns!, ones())), [1]), values!.shape);
    return [dy, undefined, needs[2] ? dValues() : undefined];
  },
  reduceSum: ({ inputs: [x] }, dy) => [expand(dy, x!.shape)],
  keepMask: () => [undefined, undefined],
  checkpoint: ({ attributes: { backward } }, dy, needs) => backward(dy, needs),
};

/** Throws where a loss depends on the second output, through which these rules let nothing flow. */
function refuseSecond(op: OpName, [, second]: readonly (Value | undefined)[]): void {
  if (second) throw shapeError(op, "a loss that depends on its first output alone", "one that depends on its second");
}

/** Sums a gradient over the axes along which its value was broadcast. */
function unbroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const lead = gradient.shape.length - shape.length;
  const axes = gradient.shape.flatMap((dim, axis) =>
    axis < lead || (shape[axis - lead] === 1 && dim !== 1) ? [axis] : [],
  );
  return reshape(reduceSum(gradient, axes), shape);
}

/** A gradient of zero, for a value that the loss does not depend on. */
export function zeroGradient(value: Value): Value {
  const zero = constant(value.dtype === "float64" ? Float64Array.of(0) : Float32Array.of(0), []);
  return expand(zero, value.shape);
}
