/** The order of a graph's outputs, on which the memory of a run depends. */
import { topologicalOrder, type Value } from "../../graph/index.js";

/**
 * Outputs whose chain of nodes is longest come first. ONNX Runtime walks back from the last output: so it computes the
 * gradients of the last layer, forgets what they needed, and goes on to the layer before it.
 */
export function deepestFirst(outputs: Readonly<Record<string, Value>>): Record<string, Value> {
  const depths = new Map<Value["node"], number>();
  for (const node of topologicalOrder(Object.values(outputs)))
    depths.set(node, 1 + node.inputs.reduce((depth, value) => Math.max(depth, depths.get(value.node)!), 0));
  const depthOf = (value: Value) => depths.get(value.node)!;
  return Object.fromEntries(Object.entries(outputs).sort(([, a], [, b]) => depthOf(b) - depthOf(a)));
}
