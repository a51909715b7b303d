/** Reverse-mode differentiation: one backward walk over the graph, a rule per op (gradientRules). */
import { gradientRules, zeroGradient } from "./gradientRules.js";
import { add, scalar } from "./ops/elementwise.js";
import { formatShape, shapeError } from "./shape.js";
import { type Node, type OpName, topologicalOrder, type Value } from "./value.js";

/**
 * Gradients of the scalar `loss` (shape []) with respect to each of `wrt`, of the same shapes.
 * Only nodes between `wrt` and `loss` get a backward part. Shapes must be fixed.
 */
export function gradients(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.shape.length > 0) throw shapeError("gradients", "a loss of shape []", formatShape(loss.shape));
  return pullback(loss, scalar(1, loss), wrt).map((gradient, i) => gradient ?? zeroGradient(wrt[i]!));
}

/** Gradients with respect to `wrt` where that of y is `dy`; undefined where y does not depend on it. None flows beyond `from`. */
export function pullback(y: Value, dy: Value, wrt: readonly Value[], from?: Value): (Value | undefined)[] {
  const order = topologicalOrder([y], from);
  const wanted = new Set(wrt);
  const depends = new Set<Node>();
  for (const node of order) {
    if (node.outputs.some((value) => wanted.has(value)) || node.inputs.some((value) => depends.has(value.node)))
      depends.add(node);
  }
  const gradientOf = new Map<Value, Value>([[y, dy]]);
  for (const node of order.reverse()) {
    if (!depends.has(node) || !node.outputs.some((value) => gradientOf.has(value))) continue;
    const dys = node.outputs.map((value) => gradientOf.get(value));
    const needs = node.inputs.map((value) => depends.has(value.node));
    for (const [i, gradient] of applyRule(node, dys, needs).entries()) {
      if (!gradient || !needs[i]) continue;
      const value = node.inputs[i]!;
      const sum = gradientOf.get(value);
      gradientOf.set(value, sum ? add(sum, gradient) : gradient);
    }
  }
  return wrt.map((value) => gradientOf.get(value));
}

function applyRule<K extends OpName>(
  node: Node<K>,
  dys: readonly (Value | undefined)[],
  needs: readonly boolean[],
): (Value | undefined)[] {
  return gradientRules[node.op](node, dys[0] ?? zeroGradient(node.outputs[0]!), needs, dys);
}
