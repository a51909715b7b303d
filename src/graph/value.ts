/** The graph itself: immutable nodes that point at their inputs. There is no builder object; a graph is what its outputs reach. */
import type { PackedFormat } from "./packedFormat.js";
import { formatShape, type Shape, shapeError } from "./shape.js";

/** Element types. A bool takes a byte; bytes are the packed values of weights. */
export type DType = "float32" | "float64" | "int64" | "int32" | "int8" | "uint8" | "bool";
export type ConstantData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** Every op and its attributes. The tables of lowering and of gradients have one row for each. */
export interface OpAttributes {
  input: { name: string };
  constant: { data: ConstantData };
  add: object;
  sub: object;
  mul: object;
  div: object;
  neg: object;
  exp: object;
  log: object;
  sqrt: object;
  sigmoid: object;
  silu: object;
  maximum: object;
  /** 1 where a > b, else 0. */
  greater: object;
  /** alpha * op(a) @ op(b), where op transposes the last two axes if asked; leading axes broadcast. */
  matmul: { transA: boolean; transB: boolean; alpha: number };
  /** Inputs: x [M, in], weight [out, in], a [r, in], b [out, r], and weight + scale b a, by which x is multiplied. */
  lowRankLinear: { scale: number };
  /** Inputs: x [.., in] and the parts of a packed weight [out, in], in the order of its format. */
  packedLinear: { format: PackedFormat; shape: readonly [number, number] };
  /** Inputs: the parts of a packed weight. Output: its values [out, in]. */
  unpack: { format: PackedFormat; shape: readonly [number, number] };
  /** Over the last axis. */
  softmax: object;
  /** Outputs: normalised [.., D], and 1/rms [.., 1]. */
  rmsNorm: { eps: number };
  /** Inputs: x [B, H, T, Dh], positions [B, T], cos [P, Dh/2], sin [P, Dh/2]. */
  rope: object;
  /** Inputs: logits [M, V], labels [M]. Outputs: loss [M], log-probabilities [M, V]. */
  crossEntropy: object;
  reshape: object;
  transpose: { permutation: readonly number[] };
  concat: { axis: number };
  slice: { axis: number; start: number; end: number };
  /** Inputs: x, sizes [parts] (int64). Parts of the last axis, as long as the sizes fed at run time say. */
  split: object;
  expand: object;
  /** Rows of a table [V, D] at ids [..]. */
  gatherRows: object;
  /** Sums rows [.., D] into a table [V, D] of zeros at ids [..]. */
  scatterRows: { rowCount: number };
  /** Inputs: x [M, V], columns [M], values [M]. Adds values[m] to x[m, columns[m]]. */
  addAtColumn: object;
  reduceSum: { axes: readonly number[] };
  /** Inputs: row keys [M], column keys [N] (int32). Output [M, N]: 0 with probability dropRate, else 1 / (1 - dropRate). */
  keepMask: { dropRate: number };
  /** Inputs: x, y, and what else y was made of. Output: y, differentiated by computing it again from x. */
  checkpoint: { backward: Backward };
}

/** From the gradient of an output to those of the inputs that need one. */
type Backward = (dy: Value, needs: readonly boolean[]) => (Value | undefined)[];

/** What a node computes. */
export type OpName = keyof OpAttributes;

export interface Node<K extends OpName = OpName> {
  readonly op: K;
  readonly inputs: readonly Value[];
  readonly attributes: OpAttributes[K];
  readonly outputs: readonly Value[];
}

/** One result of a node. */
export interface Value {
  /** What computes it; its inputs lead to the rest of the graph. */
  readonly node: Node;
  /** Which output of the node. */
  readonly index: number;
  /** Known when the value is made, but for the sizes that have names. */
  readonly shape: Shape;
  /** One for all elements; ops do not convert. */
  readonly dtype: DType;
}

/** Makes a node with the given outputs; the op functions call this after they have checked the shapes. */
export function makeNode<K extends OpName>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
  ...outputs: readonly { shape: Shape; dtype: DType }[]
): Value[] {
  const node: { -readonly [P in keyof Node<K>]: Node<K>[P] } = { op, inputs, attributes, outputs: [] };
  const values = outputs.map(({ shape, dtype }, index) => ({ node: node as Node, index, shape, dtype }));
  node.outputs = values;
  return values;
}

/** Makes a node with one output. */
export function makeValue<K extends OpName>(
  op: K,
  inputs: readonly Value[],
  attributes: OpAttributes[K],
  shape: Shape,
  dtype: DType,
): Value {
  return makeNode(op, inputs, attributes, { shape, dtype })[0]!;
}

/** `int64 [B, T]`, as it stands in error messages. */
export function formatValue({ dtype, shape }: Value): string {
  return `${dtype} ${formatShape(shape)}`;
}

/** Throws unless every value has the same floating-point type, which is returned. */
export function commonFloat(op: string, ...values: readonly Value[]): DType {
  const dtype = values[0]!.dtype;
  const fits = (dtype === "float32" || dtype === "float64") && values.every((value) => value.dtype === dtype);
  if (!fits) throw shapeError(op, "values of one floating-point type", values.map((value) => value.dtype).join(", "));
  return dtype;
}

/** Nodes that `outputs` reach, inputs before users, in an order that depends on the graph alone. What is before `from` is left out. */
export function topologicalOrder(outputs: readonly Value[], from?: Value): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, "open" | "done">();
  const stack = outputs.map((value) => value.node).reverse();
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!;
    if (state.get(node) === "done") {
      stack.pop();
    } else if (state.get(node) === "open") {
      state.set(node, "done");
      order.push(node);
      stack.pop();
    } else {
      state.set(node, "open");
      if (node === from?.node) continue;
      for (const input of [...node.inputs].reverse()) if (!state.has(input.node)) stack.push(input.node);
    }
  }
  return order;
}
