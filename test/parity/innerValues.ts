/** Values inside a graph, so that a test can ask for them beside its outputs. */
import { topologicalOrder, type Value } from "../../src/graph/index.js";

/** What the norm of a weight ("model.norm.weight") reads and gives. */
export function normOf(outputs: Readonly<Record<string, Value>>, weight: string): { before: Value; after: Value } {
  const node = topologicalOrder(Object.values(outputs)).find(
    ({ op, inputs }) => op === "rmsNorm" && nameOf(inputs[1]!) === weight,
  )!;
  return { before: node.inputs[0]!, after: node.outputs[0]! };
}

/** The logits of a loss. */
export function logitsOf(loss: Value): Value {
  return topologicalOrder([loss]).find(({ op }) => op === "crossEntropy")!.inputs[0]!;
}

function nameOf({ node }: Value): string | undefined {
  return node.op === "input" ? (node.attributes as { name: string }).name : undefined;
}
