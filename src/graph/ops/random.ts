/** Randomness that a graph makes from keys fed to it, so that the same keys give the same numbers on every machine. */
import { formatShape, shapeError } from "../shape.js";
import { type DType, formatValue, makeValue, type Value } from "../value.js";

/**
 * What dropout multiplies by: 0 with probability `dropRate`, else 1 / (1 - dropRate). A hash of row key [M] + column key [N]
 * (int32, uniform over all 32 bits) decides -> [M, N].
 */
export function keepMask(rows: Value, columns: Value, dropRate: number, dtype: DType = "float32"): Value {
  const fits = [rows, columns].every((keys) => keys.dtype === "int32" && keys.shape.length === 1);
  if (!fits) throw shapeError("keepMask", "int32 keys [M] and [N]", `${formatValue(rows)} and ${formatValue(columns)}`);
  if (!(dropRate > 0 && dropRate < 1)) throw shapeError("keepMask", "a rate between 0 and 1", `${dropRate}`);
  const shape = [rows.shape[0]!, columns.shape[0]!];
  if (dtype !== "float32" && dtype !== "float64") throw shapeError("keepMask", "a float type", formatShape(shape));
  return makeValue("keepMask", [rows, columns], { dropRate }, shape, dtype);
}
