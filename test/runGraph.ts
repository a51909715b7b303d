/** Runs small graphs for tests. */
import type { OnnxOptions, Value } from "../src/graph/index.js";
import type { Rng } from "../src/rng.js";
import { onnxNodeRuntime } from "../src/runtime/onnxNode.js";
import type { HostTensor, HostTensors } from "../src/runtime/runtime.js";

const runtime = onnxNodeRuntime({ threads: 1 });

/** A result with its values as plain numbers. */
export interface Result {
  dtype: HostTensor["dtype"];
  shape: readonly number[];
  data: number[];
}

/** A function that computes the named outputs from feeds. */
export async function openGraph(outputs: Readonly<Record<string, Value>>, options?: OnnxOptions) {
  const session = await runtime.createSession(outputs, options);
  return async (feeds: HostTensors): Promise<Record<string, Result>> => {
    const results = Object.entries(await session.run(feeds));
    return Object.fromEntries(
      results.map(([name, { dtype, shape, data }]) => [
        name,
        { dtype, shape, data: Array.from<number | bigint, number>(data, Number) },
      ]),
    );
  };
}

/** The named outputs for one set of feeds. */
export async function runGraph(
  outputs: Readonly<Record<string, Value>>,
  feeds: HostTensors = {},
  options?: OnnxOptions,
): Promise<Record<string, Result>> {
  return (await openGraph(outputs, options))(feeds);
}

/** One value as plain numbers. */
export async function valuesOf(value: Value, feeds: HostTensors = {}, options?: OnnxOptions): Promise<number[]> {
  return (await runGraph({ y: value }, feeds, options)).y!.data;
}

export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((size, dim) => size * dim, 1);
}

/** Uniform numbers in [low, high) of a shape. */
export function uniforms(rng: Rng, shape: readonly number[], low = -1, high = 1): number[] {
  return Array.from({ length: sizeOfShape(shape) }, () => low + (high - low) * rng.uniform());
}

/** A host tensor of single or double precision. */
export function tensor(
  dtype: "float32" | "float64",
  values: readonly number[],
  shape: readonly number[],
): HostTensor & { data: Float32Array | Float64Array } {
  return { dtype, shape, data: dtype === "float32" ? Float32Array.from(values) : Float64Array.from(values) };
}
