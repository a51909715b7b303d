/** Shapes of graph values. A dimension is a number, or a name that stands for a size known only when the graph runs. */
import { BigVaeError } from "../errors.js";

/** A size, or the name of one that is known only when the graph runs: 64, "B", "B*T". */
export type Dim = number | string;
/** Sizes, outermost first; [] is a scalar. */
export type Shape = readonly Dim[];

/** `[B, 64, 768]`, as it stands in error messages. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, i) => dim === b[i]);
}

/** Number of elements. Throws when a dimension is only known at run time. */
export function sizeOf(shape: Shape): number {
  return staticShape(shape).reduce((size, dim) => size * dim, 1);
}

/** The shape as numbers. Throws when a dimension is only known at run time. */
function staticShape(shape: Shape): number[] {
  return shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new BigVaeError("internal", {
      subject: "shape",
      expected: "fixed dimensions",
      got: formatShape(shape),
      remedy: `give ${dim} a number`,
    });
  });
}

/** The shape of an elementwise result, by NumPy's rule: trailing dimensions match or one of them is 1. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const left = a[a.length - rank + i] ?? 1;
    const right = b[b.length - rank + i] ?? 1;
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw shapeError(op, "shapes that broadcast", `${formatShape(a)} and ${formatShape(b)}`);
  });
}

/** Axis counted from the end when negative. */
export function resolveAxis(op: string, axis: number, rank: number): number {
  const resolved = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && resolved >= 0 && resolved < rank) return resolved;
  throw shapeError(op, `an axis of a rank-${rank} value`, `${axis}`);
}

/** A mistake in how a graph is built: names the op, what was expected and what was given. */
export function shapeError(op: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("internal", { subject: op, expected, got, remedy: "correct what it is given" });
}
