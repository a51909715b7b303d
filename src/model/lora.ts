/**
 * Low-rank adapters (Hu et al. 2021):   x ──┬── W [out, in] ────────────────────┐
 *                                           └── A [r, in] ── B [out, r] ── * s ─┴─ + ── y,   s = alpha / r
 */
import {
  add,
  constant,
  type DType,
  input,
  linear,
  lowRankLinear,
  matmul,
  type PackedFormat,
  packedLinear,
  packedParts,
  type Shape,
  split,
  type Value,
} from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { linearShapes, stackName } from "./weights.js";

/** Linear layers without bias that read the same x: their paths ("layers.0.mlp.up_proj") and x [.., in] -> [.., out] of each. */
export type Linear = (paths: readonly string[], x: Value) => Value[];

/** A graph input for a weight, made once however often it is asked for. */
export type Parameter = (name: string, shape: Shape, dtype?: DType) => Value;

export function makeParameter(): Parameter {
  const made = new Map<string, Value>();
  return (name, shape, dtype) => {
    let value = made.get(name);
    if (!value) made.set(name, (value = input(name, shape, dtype)));
    return value;
  };
}

/** The weights of the base as graph inputs. */
export interface Frozen {
  config: ModelConfig;
  parameter: Parameter;
  /** The format in which a matrix is packed, by its name on disk or that of a stack; undefined where it is dense. */
  packing?: (name: string) => PackedFormat | undefined;
}

/** x [.., in] @ W transposed -> [.., out], W [out, in] the frozen matrix of that name on disk. */
export function frozenLinear(
  { parameter, packing }: Pick<Frozen, "parameter" | "packing">,
  name: string,
  shape: readonly [number, number],
  x: Value,
): Value {
  const format = packing?.(name);
  if (!format) return linear(x, parameter(name, shape));
  const parts = Object.entries(packedParts(format, shape)).map(([part, { dtype, shape }]) =>
    parameter(`${name}.${part}`, shape, dtype),
  );
  return packedLinear(x, { format, shape, parts });
}

/** The base's own linear layers: one product where they are packed as a stack. */
export function baseLinear(frozen: Frozen): Linear {
  const shapes = linearShapes(frozen.config);
  return (paths, x) => {
    const stack = stackName(paths);
    if (!frozen.packing?.(stack))
      return paths.map((path) => frozenLinear(frozen, `model.${path}.weight`, shapes.get(path)!, x));
    const outs = paths.map((path) => shapes.get(path)![0]);
    const together = outs.reduce((sum, out) => sum + out, 0);
    const y = frozenLinear(frozen, stack, [together, shapes.get(paths[0]!)![1]], x);
    return paths.length === 1 ? [y] : split(y, outs, constant(BigInt64Array.from(outs, BigInt), [outs.length]));
  };
}

/** An adapter as the graph sees it. */
export interface LoraShape {
  rank: number;
  alpha: number;
  /** Names of the linear layers of a block that it adapts; all seven in BigVAE. */
  targets: readonly string[];
}

/** A linear layer W with its adapter: y = x W^T + scale (x A^T) B^T. */
export interface AdaptedLayer {
  path: string;
  /** x W^T, where it is asked for. */
  base: () => Value;
  /** W [out, in] where it is dense. */
  weight?: Value;
  a: Value;
  b: Value;
  scale: number;
}

/** The way that x takes through a layer with its adapter; all give the same y. */
export type LoraForm = (layer: AdaptedLayer, x: Value) => Value;

/** Linear layers with an adapter; the base is untouched. */
export function loraLinear(frozen: Frozen, adapter: string, lora: LoraShape, form: LoraForm = unmerged): Linear {
  const { config, parameter, packing } = frozen;
  const base = baseLinear(frozen);
  const weights = linearShapes(config);
  const shapes = loraShapes(config, adapter, lora);
  return (paths, x) => {
    let products: Value[] | undefined;
    const isPacked = packing?.(stackName(paths)) !== undefined;
    return paths.map((path, i) => {
      const matrix = (letter: "A" | "B") => {
        const name = loraName(adapter, path, letter);
        return parameter(name, shapes.get(name)!);
      };
      const product = () => (products ??= base(paths, x))[i]!;
      if (!shapes.has(loraName(adapter, path, "A"))) return product();
      const name = `model.${path}.weight`;
      const weight = isPacked || packing?.(name) ? {} : { weight: parameter(name, weights.get(path)!) };
      const layer = { path, base: product, ...weight };
      return form({ ...layer, a: matrix("A"), b: matrix("B"), scale: lora.alpha / lora.rank }, x);
    });
  };
}

/** As drawn above. `read` is what the adapter reads in place of x (dropout). */
export function unmerged({ base, a, b, scale }: AdaptedLayer, x: Value, read = x): Value {
  return add(base(), linear(linear(read, a), b, scale));
}

/** The adapter is added to a dense weight where x [M, in] has so many rows that this is less work; otherwise it stays beside it. */
export function mergedWherePays(layer: AdaptedLayer, x: Value): Value {
  const { weight, a, b, scale } = layer;
  if (!weight) return unmerged(layer, x);
  const [out, width] = weight.shape as [number, number];
  const rows = x.shape[0] as number;
  return rows * (out + width) > SUM_PAYS * out * width ? lowRankLinear(x, weight, a, b, scale) : unmerged(layer, x);
}

/** Products of rank r that are saved, over the one that makes B A: measured to pay from here on (docs/log.md). */
const SUM_PAYS = 2.5;

/** The name of an adapter's matrix in our graphs: "encoder.layers.0.mlp.up_proj.lora_A". */
export function loraName(adapter: string, path: string, matrix: "A" | "B"): string {
  return `${adapter}.${path}.lora_${matrix}`;
}

/** Names and shapes of all matrices of an adapter: A [r, in], B [out, r]. */
export function loraShapes(config: ModelConfig, adapter: string, lora: LoraShape): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const [path, [out, width]] of linearShapes(config)) {
    if (!lora.targets.some((target) => path.endsWith(`.${target}`))) continue;
    shapes.set(loraName(adapter, path, "A"), [lora.rank, width]);
    shapes.set(loraName(adapter, path, "B"), [out, lora.rank]);
  }
  return shapes;
}

/** W + alpha/r B A: the linear layer with its adapter merged in. weight [out, in], a [r, in], b [out, r]. */
export function mergedWeight(weight: Value, a: Value, b: Value, { rank, alpha }: LoraShape): Value {
  return add(weight, matmul(b, a, { alpha: alpha / rank }));
}
