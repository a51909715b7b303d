/** Ops that move values without computing: reshape, transpose, concat, slice, expand, and rows of a table. */
import { broadcastShapes, type Dim, formatShape, resolveAxis, type Shape, sameShape, shapeError } from "../shape.js";
import { commonFloat, makeNode, makeValue, type Value } from "../value.js";

/** The same elements in another shape. Dimensions named at run time must keep their product: each name stands once on both sides. */
export function reshape(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  const [from, to] = [splitDims(x.shape), splitDims(shape)];
  if (from.size !== to.size || from.names !== to.names) {
    throw shapeError("reshape", `as many elements as ${formatShape(x.shape)}`, formatShape(shape));
  }
  return makeValue("reshape", [x], {}, shape, x.dtype);
}

/** Product of the fixed dimensions, and the names of the others: "B*T" counts as B and T. */
function splitDims(shape: Shape): { size: number; names: string } {
  const names = shape.filter((dim) => typeof dim === "string").flatMap((dim) => dim.split("*"));
  const factors = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const fixed = shape.filter((dim) => typeof dim === "number");
  return {
    size: [...fixed, ...factors].reduce((size, dim) => size * dim, 1),
    names: names
      .filter((name) => !/^\d+$/.test(name))
      .sort()
      .join("*"),
  };
}

/** The product of two dimensions, by name where one is only known at run time: `timesDim("B", "T")` is `"B*T"`. */
export function timesDim(a: Dim, b: Dim): Dim {
  if (typeof a === "number" && typeof b === "number") return a * b;
  if (a === 1) return b;
  if (b === 1) return a;
  return `${a}*${b}`;
}

/** Axis i of the result is axis permutation[i] of x. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  const isPermutation = [...permutation].sort((a, b) => a - b).every((axis, i) => axis === i);
  if (permutation.length !== x.shape.length || !isPermutation) {
    throw shapeError("transpose", `a permutation of ${x.shape.length} axes`, formatShape(permutation));
  }
  return makeValue(
    "transpose",
    [x],
    { permutation },
    permutation.map((axis) => x.shape[axis]!),
    x.dtype,
  );
}

/** Values side by side along `axis`; all other dimensions agree. */
export function concat(values: readonly Value[], axis: number): Value {
  const first = values[0]!;
  if (values.length === 1) return first;
  const at = resolveAxis("concat", axis, first.shape.length);
  for (const value of values) {
    const fits =
      value.shape.length === first.shape.length && value.shape.every((dim, i) => i === at || dim === first.shape[i]);
    if (!fits || value.dtype !== first.dtype) {
      throw shapeError("concat", `${formatShape(first.shape)} but for axis ${at}`, formatShape(value.shape));
    }
  }
  const dims = values.map((value) => value.shape[at]!);
  const total = dims.every((dim) => typeof dim === "number") ? dims.reduce((sum, dim) => sum + dim, 0) : dims.join("+");
  return makeValue("concat", values, { axis: at }, first.shape.with(at, total), first.dtype);
}

/** Elements start..end-1 of `axis`. */
export function slice(x: Value, axis: number, start: number, end: number): Value {
  const at = resolveAxis("slice", axis, x.shape.length);
  const length = x.shape[at]!;
  if (start < 0 || end <= start || (typeof length === "number" && end > length)) {
    throw shapeError("slice", `a range within axis ${at} of ${formatShape(x.shape)}`, `${start}..${end}`);
  }
  if (start === 0 && end === length) return x;
  return makeValue("slice", [x], { axis: at, start, end }, x.shape.with(at, end - start), x.dtype);
}

/** x cut along its last axis into parts of the given lengths, which `sizes` (int64, one for each) repeats at run time. */
export function split(x: Value, lengths: readonly Dim[], sizes: Value): Value[] {
  if (sizes.dtype !== "int64" || !sameShape(sizes.shape, [lengths.length])) {
    throw shapeError("split", `int64 sizes of shape [${lengths.length}]`, `${sizes.dtype} ${formatShape(sizes.shape)}`);
  }
  const outputs = lengths.map((length) => ({ shape: x.shape.with(-1, length), dtype: x.dtype }));
  return makeNode("split", [x, sizes], {}, ...outputs);
}

/** x repeated along dimensions of size 1 (or missing in front) to reach `shape`. */
export function expand(x: Value, shape: Shape): Value {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("expand", x.shape, shape), shape)) {
    throw shapeError("expand", `a shape that ${formatShape(x.shape)} broadcasts to`, formatShape(shape));
  }
  return makeValue("expand", [x], {}, shape, x.dtype);
}

/** Rows of table [V, D] at ids [..] (int64) -> [.., D]. */
export function gatherRows(table: Value, ids: Value): Value {
  if (table.shape.length !== 2 || ids.dtype !== "int64") {
    throw shapeError("gatherRows", "a table [V, D] and ids of int64", `${formatShape(table.shape)} and ${ids.dtype}`);
  }
  return makeValue("gatherRows", [table, ids], {}, [...ids.shape, table.shape[1]!], table.dtype);
}

/** Zeros [rowCount, D] with rows [M, D] added at ids [M] (int64); the gradient of `gatherRows`. */
export function scatterRows(rows: Value, ids: Value, rowCount: number): Value {
  const flat = rows.shape.length === 2 && ids.shape.length === 1 && rows.shape[0] === ids.shape[0];
  if (!flat)
    throw shapeError(
      "scatterRows",
      "rows [M, D] and ids [M]",
      `${formatShape(rows.shape)} and ${formatShape(ids.shape)}`,
    );
  return makeValue(
    "scatterRows",
    [rows, ids],
    { rowCount },
    [rowCount, rows.shape[1]!],
    commonFloat("scatterRows", rows),
  );
}

/** x [M, V] with values [M] added at columns [M] (int64). */
export function addAtColumn(x: Value, columns: Value, values: Value): Value {
  const rows = x.shape[0];
  if (x.shape.length !== 2 || columns.shape[0] !== rows || values.shape[0] !== rows) {
    const got = [x, columns, values].map((value) => formatShape(value.shape)).join(", ");
    throw shapeError("addAtColumn", "[M, V], [M] and [M]", got);
  }
  return makeValue("addAtColumn", [x, columns, values], {}, x.shape, commonFloat("addAtColumn", x, values));
}
