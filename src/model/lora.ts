/**
 * Low-rank adapters (Hu et al. 2021):   x ──┬── W [out, in] ────────────────────┐
 *                                           └── A [r, in] ── B [out, r] ── * s ─┴─ + ── y,   s = alpha / r
 */
import { add, input, linear, matmul, type Value } from "../graph/index.js";
import type { ModelConfig } from "./config.js";
import { linearShapes } from "./weights.js";

/** A linear layer without bias: its path ("layers.0.mlp.up_proj") and x [.., in] -> [.., out]. */
export type Linear = (path: string, x: Value) => Value;

/** A graph input for a weight, made once however often it is asked for. */
export type Parameter = (name: string, shape: readonly number[]) => Value;

export function makeParameter(): Parameter {
  const made = new Map<string, Value>();
  return (name, shape) => {
    let value = made.get(name);
    if (!value) made.set(name, (value = input(name, shape)));
    return value;
  };
}

/** The base's own linear layers. */
export function baseLinear(config: ModelConfig, parameter: Parameter): Linear {
  const shapes = linearShapes(config);
  return (path, x) => linear(x, parameter(`model.${path}.weight`, shapes.get(path)!));
}

/** An adapter as the graph sees it. */
export interface LoraShape {
  rank: number;
  alpha: number;
  /** Names of the linear layers of a block that it adapts; all seven in BigVAE. */
  targets: readonly string[];
}

/** Linear layers with an adapter beside them; the base is untouched. `dropout` changes what the adapter reads, in training. */
export function loraLinear(
  config: ModelConfig,
  parameter: Parameter,
  adapter: string,
  lora: LoraShape,
  dropout: Linear = (_path, x) => x,
): Linear {
  const base = baseLinear(config, parameter);
  const shapes = loraShapes(config, adapter, lora);
  return (path, x) => {
    const [nameA, nameB] = [loraName(adapter, path, "A"), loraName(adapter, path, "B")];
    if (!shapes.has(nameA)) return base(path, x);
    const a = parameter(nameA, shapes.get(nameA)!);
    const b = parameter(nameB, shapes.get(nameB)!);
    return add(base(path, x), linear(linear(dropout(path, x), a), b, lora.alpha / lora.rank));
  };
}

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
