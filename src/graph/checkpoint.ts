/** Gradient checkpointing (Chen et al. 2016): a part of the graph is computed again in the backward pass, not kept for it. */
import { pullback } from "./gradient.js";
import { add, input, mul } from "./ops/elementwise.js";
import { reduceSum } from "./ops/reduce.js";
import { makeValue, topologicalOrder, type Value } from "./value.js";

/**
 * fn(x), of which the backward pass keeps x alone. Beside x, fn may use graph inputs and constants (weights, masks).
 *
 * The second forward pass starts from x + 0 * sum(dy): it cannot begin before dy is there, and the runtime does not see that
 * it equals the first one, which it would otherwise merge with it. A dy that is not finite makes the gradients NaN.
 */
export function checkpoint(x: Value, fn: (x: Value) => Value): Value {
  const y = fn(x);
  const captured = inputsOf(fn(input("checkpoint", x.shape, x.dtype))).filter((value) => value !== x);
  const backward = (dy: Value, needs: readonly boolean[]) => {
    const sources = captured.filter((_, i) => needs[i + 2]);
    const again = add(
      x,
      mul(
        reduceSum(
          dy,
          dy.shape.map((_, axis) => axis),
        ),
        0,
      ),
    );
    const [dx, ...rest] = pullback(fn(again), dy, [again, ...sources], again);
    const gradientOf = new Map(sources.map((value, i) => [value, rest[i]]));
    return [dx, undefined, ...captured.map((value) => gradientOf.get(value))];
  };
  return makeValue("checkpoint", [x, y, ...captured], { backward }, y.shape, y.dtype);
}

/** The graph inputs that y is made of, but for the placeholder. */
function inputsOf(y: Value): Value[] {
  return topologicalOrder([y])
    .filter(({ op, attributes }) => op === "input" && (attributes as { name: string }).name !== "checkpoint")
    .flatMap(({ outputs }) => outputs);
}
