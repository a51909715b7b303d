/** From a graph to ONNX bytes: one lowering per op, fused kernels in single precision where the device has them, basic ops elsewhere. */

import { type Device, type FileRange, Lowering, type StoredData } from "./lowering.js";
import { lowerPackedLinear, lowerUnpack } from "./lowerPacked.js";
import { DATA_TYPES, encodeModel, type OnnxAttribute, type OnnxValue } from "./protobuf.js";
import { formatShape, type Shape, shapeError } from "./shape.js";
import { type Node, type OpAttributes, type OpName, topologicalOrder, type Value } from "./value.js";

/** A graph ready for a session. */
export interface OnnxModel {
  /** A ModelProto, the stored weights left out. */
  bytes: Uint8Array;
  /** Values fed at each run, by name. */
  inputs: readonly OnnxValue[];
  /** Values returned by each run, by name. */
  outputs: readonly OnnxValue[];
  /** Data of the stored weights, that goes beside the bytes: name -> values. */
  externalData: ReadonlyMap<string, Exclude<StoredData, FileRange>>;
}

/** What is part of the model instead of being fed. */
export interface OnnxOptions {
  /** Inputs that become stored weights, packed once by the session: name -> values. */
  stored?: ReadonlyMap<string, StoredData> | undefined;
  /** Whose kernels are used; default: "cpu". */
  device?: Device;
}

/** The ONNX model that computes the named `outputs` from the inputs that they reach. */
export function toOnnx(
  outputs: Readonly<Record<string, Value>>,
  { stored, device = "cpu" }: OnnxOptions = {},
): OnnxModel {
  const lowering = new Lowering(stored ?? new Map(), device);
  const nodes = topologicalOrder(Object.values(outputs));
  const read = new Set([...Object.values(outputs), ...nodes.flatMap(({ inputs }) => inputs)]);
  const copied = Object.entries(outputs).filter(([name, value]) => !lowering.nameOutput(value, name));
  for (const node of nodes) lower(lowering, node, read);
  for (const [name, value] of copied) lowering.emit("Identity", [lowering.name(value)], [name]);
  const outputInfos = Object.entries(outputs).map(([name, { dtype, shape }]) => {
    if (lowering.inputs.some((input) => input.name === name) || stored?.has(name))
      throw shapeError("toOnnx", "outputs named otherwise than inputs and stored weights", name);
    return { name, dtype, shape };
  });
  const { initializers, inputs, externalData } = lowering;
  const bytes = encodeModel({ nodes: lowering.nodes, initializers, inputs, outputs: outputInfos });
  return { bytes, inputs, outputs: outputInfos, externalData };
}

function lower<K extends OpName>(to: Lowering, node: Node<K>, read: ReadonlySet<Value>): void {
  lowerings[node.op](to, node, read);
}

/** `read`: values that others are computed from, or that are outputs. */
type LoweringRule<K extends OpName> = (to: Lowering, node: Node<K>, read: ReadonlySet<Value>) => void;

/** A rule for an op that is one ONNX node with the same inputs and outputs. */
function direct<K extends OpName>(
  opType: string,
  attributes: (attributes: OpAttributes[K]) => Record<string, OnnxAttribute> = () => ({}),
): LoweringRule<K> {
  return (to, node) => {
    const names = (values: readonly Value[]) => values.map((value) => to.name(value));
    to.emit(opType, names(node.inputs), names(node.outputs), attributes(node.attributes));
  };
}

const lowerings: { readonly [K in OpName]: LoweringRule<K> } = {
  input: (to, { attributes: { name }, outputs: [y] }) => to.input(y!, name),
  constant: (to, { attributes: { data }, outputs: [y] }) => to.constant(y!, data),
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  maximum: direct("Max"),
  greater: (to, { inputs: [a, b], outputs: [y] }) => {
    const bigger = to.emit("Greater", [to.name(a!), to.name(b!)]);
    to.emit("Cast", [bigger], [to.name(y!)], { to: { int: DATA_TYPES[y!.dtype] } });
  },
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  sigmoid: direct("Sigmoid"),
  silu: (to, { inputs: [x], outputs: [y] }) => {
    if (y!.dtype === "float32") {
      to.emit("QuickGelu", [to.name(x!)], [to.name(y!)], { alpha: { float: 1 } }, "com.microsoft");
    } else {
      // ONNX Runtime would fuse x * Sigmoid(x) into a QuickGelu that it has in single precision alone.
      const one = to.number(1);
      to.emit(
        "Div",
        [to.name(x!), to.emit("Add", [one, to.emit("Exp", [to.emit("Neg", [to.name(x!)])])])],
        [to.name(y!)],
      );
    }
  },
  matmul: lowerMatmul,
  lowRankLinear: (to, { inputs: [x, , , , sum], outputs: [y] }) => {
    to.emit("Gemm", [to.name(x!), to.name(sum!)], [to.name(y!)], { transB: { int: 1 } });
  },
  packedLinear: lowerPackedLinear,
  unpack: lowerUnpack,
  softmax: direct("Softmax", () => ({ axis: { int: -1 } })),
  rmsNorm: lowerRmsNorm,
  rope: lowerRope,
  // ONNX's own loss is taken apart into a softmax over a middle axis, which ONNX Runtime transposes twice.
  crossEntropy: (to, { inputs: [logits, labels], outputs: [loss, logProbabilities] }) => {
    const all = to.emit("LogSoftmax", [to.name(logits!)], [to.name(logProbabilities!)], { axis: { int: -1 } });
    const column = to.emit("Reshape", [to.name(labels!), to.integers([-1, 1])]);
    const picked = to.emit("GatherElements", [all, column], undefined, { axis: { int: 1 } });
    to.emit("Neg", [to.emit("Reshape", [picked, to.integers([-1])])], [to.name(loss!)]);
  },
  reshape: (to, { inputs: [x], outputs: [y] }) => {
    // A 0 among fixed dimensions means no elements; among named ones it copies a dimension.
    const allowzero = { int: y!.shape.every((dim) => typeof dim === "number") ? 1 : 0 };
    to.emit("Reshape", [to.name(x!), to.integers(reshapeTarget(x!.shape, y!.shape))], [to.name(y!)], { allowzero });
  },
  transpose: direct("Transpose", ({ permutation }) => ({ perm: { ints: permutation } })),
  concat: direct("Concat", ({ axis }) => ({ axis: { int: axis } })),
  slice: (to, { inputs: [x], attributes: { axis, start, end }, outputs: [y] }) => {
    const bounds = [[start], [end], [axis]].map((values) => to.integers(values));
    to.emit("Slice", [to.name(x!), ...bounds], [to.name(y!)]);
  },
  split: direct("Split", () => ({ axis: { int: -1 } })),
  expand: (to, { inputs: [x], outputs: [y] }) => {
    to.emit("Expand", [to.name(x!), to.integers(fixedDims("expand", y!.shape))], [to.name(y!)]);
  },
  gatherRows: direct("Gather", () => ({ axis: { int: 0 } })),
  // Elementwise scatter is sequential in ONNX Runtime, so that repeated ids always add in the same order.
  scatterRows: (to, { inputs: [rows, ids], attributes: { rowCount }, outputs: [y] }) => {
    const [count, width] = fixedDims("scatterRows", rows!.shape) as [number, number];
    const column = to.emit("Reshape", [to.name(ids!), to.integers([count, 1])]);
    const indices = to.emit("Expand", [column, to.integers([count, width])]);
    const zeros = to.emit("ConstantOfShape", [to.integers([rowCount, width])]);
    const table =
      rows!.dtype === "float32" ? zeros : to.emit("Cast", [zeros], undefined, { to: { int: DATA_TYPES.float64 } });
    to.emit("ScatterElements", [table, indices, to.name(rows!)], [to.name(y!)], scatterAdd(0));
  },
  addAtColumn: (to, { inputs: [x, columns, values], outputs: [y] }) => {
    const asColumn = (value: Value) => to.emit("Reshape", [to.name(value), to.integers([-1, 1])]);
    to.emit("ScatterElements", [to.name(x!), asColumn(columns!), asColumn(values!)], [to.name(y!)], scatterAdd(1));
  },
  reduceSum: (to, { inputs: [x], attributes: { axes }, outputs: [y] }) => {
    to.emit("ReduceSum", [to.name(x!), to.integers(axes)], [to.name(y!)], { keepdims: { int: 1 } });
  },
  keepMask: lowerKeepMask,
  checkpoint: (to, { inputs: [, y], outputs: [same] }) => {
    to.emit("Identity", [to.name(y!)], [to.name(same!)]);
  },
};

function scatterAdd(axis: number): Record<string, OnnxAttribute> {
  return { axis: { int: axis }, reduction: { string: "add" } };
}

function lowerMatmul(
  to: Lowering,
  { inputs: [a, b], attributes: { transA, transB, alpha }, outputs: [y] }: Node<"matmul">,
) {
  const flags = { transA: { int: transA ? 1 : 0 }, transB: { int: transB ? 1 : 0 }, alpha: { float: alpha } };
  if (a!.shape.length === 2 && b!.shape.length === 2) {
    to.emit("Gemm", [to.name(a!), to.name(b!)], [to.name(y!)], flags);
  } else if (y!.dtype === "float32" && to.device === "cpu") {
    to.emit("FusedMatMul", [to.name(a!), to.name(b!)], [to.name(y!)], flags, "com.microsoft");
  } else {
    // The product over no terms is 0, which WebGPU's kernel does not know: it crashes.
    const mayBeEmpty = to.device === "webgpu" && typeof a!.shape.at(transA ? -2 : -1) !== "number";
    const operand = (value: Value, transposed: boolean, summed: number) => {
      const axes = value.shape.map((_, axis) => axis);
      const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      const ready = transposed
        ? to.emit("Transpose", [to.name(value)], undefined, { perm: { ints: swapped } })
        : to.name(value);
      if (!mayBeEmpty) return ready;
      const pads = Array.from({ length: 2 * axes.length }, (_, i) => (i === 2 * axes.length - summed ? 1 : 0));
      return to.emit("Pad", [ready, to.integers(pads)]);
    };
    const operands = [operand(a!, transA, 1), operand(b!, transB, 2)];
    if (alpha === 1) to.emit("MatMul", operands, [to.name(y!)]);
    else
      to.emit("Mul", [to.emit("MatMul", operands), to.number(alpha, y!.dtype as "float32" | "float64")], [to.name(y!)]);
  }
}

function lowerRmsNorm(
  to: Lowering,
  { inputs: [x, weight], attributes: { eps }, outputs: [y, inverseRms] }: Node<"rmsNorm">,
  read: ReadonlySet<Value>,
) {
  const [input, scale] = [to.name(x!), to.name(weight!)];
  const asksForInverse = read.has(inverseRms!);
  // WebGPU's kernel leaves its second output as it was.
  if (y!.dtype === "float32" && !(asksForInverse && to.device === "webgpu")) {
    const outputs = [to.name(y!), ...(asksForInverse ? [to.name(inverseRms!)] : [])];
    const attributes = { axis: { int: -1 }, epsilon: { float: eps } };
    to.emit("SimplifiedLayerNormalization", [input, scale], outputs, attributes);
    return;
  }
  // The fused kernel's second output is single precision even where x is double.
  const meanSquare = to.emit("ReduceMean", [to.emit("Mul", [input, input]), to.integers([-1])]);
  const rms = to.emit("Sqrt", [to.emit("Add", [meanSquare, to.number(eps, y!.dtype as "float32" | "float64")])]);
  const inverse = to.emit("Reciprocal", [rms], [to.name(inverseRms!)]);
  to.emit("Mul", [to.emit("Mul", [input, inverse]), scale], [to.name(y!)]);
}

function lowerRope(to: Lowering, { inputs: [x, positions, cos, sin], outputs: [y] }: Node<"rope">) {
  if (y!.dtype === "float32") {
    const names = [x!, positions!, cos!, sin!].map((value) => to.name(value));
    to.emit("RotaryEmbedding", names, [to.name(y!)], {}, "com.microsoft");
    return;
  }
  const half = (x!.shape[3] as number) / 2;
  const part = (start: number) =>
    to.emit("Slice", [to.name(x!), ...[[start], [start + half], [3]].map((v) => to.integers(v))]);
  const angles = (table: Value) =>
    to.emit("Unsqueeze", [to.emit("Gather", [to.name(table), to.name(positions!)]), to.integers([1])]);
  const [first, second, c, s] = [part(0), part(half), angles(cos!), angles(sin!)];
  const rotated = [
    to.emit("Sub", [to.emit("Mul", [first, c]), to.emit("Mul", [second, s])]),
    to.emit("Add", [to.emit("Mul", [second, c]), to.emit("Mul", [first, s])]),
  ];
  to.emit("Concat", rotated, [to.name(y!)], { axis: { int: 3 } });
}

/**
 * h = x (A x^2 + B) of x = row + column in 32 bits that wrap around, a permutation as A is even and B odd (Rivest 2001):
 * for random keys h is uniform, so that h >= threshold keeps the wanted share.
 */
function lowerKeepMask(
  to: Lowering,
  { inputs: [rows, columns], attributes: { dropRate }, outputs: [y] }: Node<"keepMask">,
) {
  const type = y!.dtype as "float32" | "float64";
  const x = to.emit("Add", [to.emit("Reshape", [to.name(rows!), to.integers([-1, 1])]), to.name(columns!)]);
  const square = to.emit("Mul", [to.emit("Mul", [x, x]), to.number(0x2c1b3c6e, "int32")]);
  const hash = to.emit("Mul", [to.emit("Add", [square, to.number(0x297a2d39, "int32")]), x]);
  const threshold = Math.min(Math.round(dropRate * 2 ** 32) - 2 ** 31, 2 ** 31 - 1);
  const kept = to.emit("GreaterOrEqual", [hash, to.number(threshold, "int32")]);
  to.emit("Where", [kept, to.number(1 / (1 - dropRate), type), to.number(0, type)], [to.name(y!)]);
}

/** ONNX's target of a reshape: 0 copies the dimension of the same place, one -1 is computed. */
function reshapeTarget(from: Shape, to: Shape): number[] {
  const target = to.map((dim, i) => (typeof dim === "number" ? dim : dim === from[i] ? 0 : -1));
  if (target.filter((dim) => dim === -1).length <= 1) return target;
  throw shapeError(
    "reshape",
    "at most one dimension to compute at run time",
    `${formatShape(from)} to ${formatShape(to)}`,
  );
}

function fixedDims(op: string, shape: Shape): number[] {
  if (shape.every((dim) => typeof dim === "number")) return [...(shape as readonly number[])];
  throw shapeError(op, "fixed dimensions", formatShape(shape));
}
