/** How much memory the values of a graph take while it runs: sizes and lifetimes, in the order in which they are computed. */
import { sizeOf, topologicalOrder, type Value } from "../../graph/index.js";

const BYTES = { float32: 4, float64: 8, int64: 8, int32: 4, int8: 1, uint8: 1, bool: 1 } as const;

/** Ops whose result is the memory of their input: which one. */
const VIEWS: Readonly<Record<string, number>> = { reshape: 0, checkpoint: 1 };

/**
 * Most bytes that lie in values between inputs and outputs at any time. An op that computes element by element takes over the
 * memory of an input that nobody needs any more, as ONNX Runtime does; what a kernel packs for itself is not counted.
 */
export function activationBytes(outputs: readonly Value[]): number {
  // The runtime walks back from the last output (outputOrder.ts).
  const order = topologicalOrder([...outputs].reverse());
  const uses = new Map<Value, number>();
  for (const { inputs } of order) for (const value of inputs) count(uses, memoryOf(value), 1);
  for (const value of outputs) count(uses, memoryOf(value), Number.POSITIVE_INFINITY);
  const returned = new Set(outputs.map(memoryOf));
  // What has a size that only a feed tells is a table of positions, and small.
  const isCounted = (value: Value) => !returned.has(value) && value.shape.every((dim) => typeof dim === "number");
  const bytesOf = (value: Value) => (isCounted(value) ? sizeOf(value.shape) * BYTES[value.dtype] : 0);
  const isLeaf = ({ op }: Value["node"]) => op === "input" || op === "constant";
  let [now, most] = [0, 0];
  for (const node of order) {
    if (isLeaf(node)) continue;
    const made = node.op in VIEWS ? [] : node.outputs.filter((value) => uses.has(value));
    const freed: Value[] = [];
    for (const value of node.inputs.map(memoryOf))
      if (count(uses, value, -1) === 0 && !isLeaf(value.node)) freed.push(value);
    const bytesMade = made.reduce((sum, value) => sum + bytesOf(value), 0);
    const bytesFreed = freed.reduce((sum, value) => sum + bytesOf(value), 0);
    const reused = freed.some((value) => made.length === 1 && bytesOf(value) === bytesMade) && IN_PLACE.has(node.op);
    most = Math.max(most, now + (reused ? 0 : bytesMade));
    now += bytesMade - bytesFreed;
  }
  return most;
}

const IN_PLACE = new Set([
  "add",
  "sub",
  "mul",
  "div",
  "neg",
  "exp",
  "log",
  "sqrt",
  "sigmoid",
  "silu",
  "maximum",
  "softmax",
]);

/** The value whose memory it is. */
function memoryOf(value: Value): Value {
  let owner = value;
  while (owner.node.op in VIEWS) owner = owner.node.inputs[VIEWS[owner.node.op]!]!;
  return owner;
}

function count(uses: Map<Value, number>, value: Value, by: number): number {
  const sum = (uses.get(value) ?? 0) + by;
  uses.set(value, sum);
  return sum;
}
