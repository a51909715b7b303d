/** Ops that move values without computing: reshape, transpose, concat, slice, expand, and rows of a table. */
import { broadcastShapes, type Dim, formatShape, resolveAxis, type Shape, sameShape, shapeError } from "../shape.js";
import { commonFloat, formatValue, makeNode, makeValue, type Value } from "../value.js";

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
  const [first] = values;
  if (!first) throw shapeError("concat", "at least one value", "none");
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
    throw shapeError("split", `int64 sizes of shape [${lengths.length}]`, formatValue(sizes));
  }
  const width = x.shape.at(-1);
  const isFixed = lengths.every((length) => typeof length === "number") && typeof width === "number";
  if (isFixed && lengths.reduce((sum, length) => sum + length, 0) !== width) {
    throw shapeError("split", `lengths that sum to ${width}`, formatShape(lengths));
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
  const fits = ids.dtype === "int64" && rows.shape.length === 2 && sameShape(ids.shape, rows.shape.slice(0, 1));
  if (!fits) {
    const got = `${formatShape(rows.shape)} and ${formatValue(ids)}`;
    throw shapeError("scatterRows", "rows [M, D] and int64 ids [M]", got);
  }
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
  const column = x.shape.slice(0, 1);
  const fits = x.shape.length === 2 && sameShape(columns.shape, column) && sameShape(values.shape, column);
  if (!fits || columns.dtype !== "int64") {
    const got = `${formatShape(x.shape)}, ${formatValue(columns)} and ${formatShape(values.shape)}`;
    throw shapeError("addAtColumn", "[M, V], int64 [M] and [M]", got);
  }
  return makeValue("addAtColumn", [x, columns, values], {}, x.shape, commonFloat("addAtColumn", x, values));
}
