/** The library of the vector index, loaded when an index is first needed: everything else of a memory works without it. */
import { createRequire } from "node:module";
import type { Index } from "usearch";
import { BigVaeError } from "../../errors.js";
import type { Metric } from "../types.js";

/** A graph of near neighbours (HNSW, Malkov and Yashunin 2016). */
export type Graph = Index;

/** Links of a vertex, and vertices looked at when one is added and when one is searched. */
const SIZES = { connectivity: 16, expansion_add: 48, expansion_search: 64 };

/**
 * How vectors are kept: directions in eight bits, others in sixteen, as their lengths count. What is found is compared again by the
 * records' own fp32.
 */
const KINDS = {
  cosine: { metric: "cos", quantization: "i8" },
  inner: { metric: "ip", quantization: "f16" },
  l2: { metric: "l2sq", quantization: "f16" },
} as const;

/** An empty graph of keys of `width` values. Throws as `library`. */
export function emptyGraph(metric: Metric, width: number): Graph {
  const { Index } = library();
  return new Index({ dimensions: width, ...SIZES, ...KINDS[metric], multi: false } as ConstructorParameters<
    typeof Index
  >[0]);
}

/** Keys as a graph of the metric takes them, one behind the other. */
export function graphVectors(metric: Metric, keys: readonly Float32Array[]): Float32Array | Int8Array {
  const width = keys[0]?.length ?? 0;
  const all = new (metric === "cosine" ? Int8Array : Float32Array)(keys.length * width);
  for (const [i, key] of keys.entries()) {
    if (metric === "cosine") roundDirection(key, all, i * width);
    else all.set(key, i * width);
  }
  return all;
}

/** The direction of a key: its largest value becomes 127. The library's own rounding, by the length, leaves three of the eight bits unused. */
function roundDirection(key: Float32Array, target: Int8Array | Float32Array, at: number): void {
  let largest = 0;
  for (const value of key) largest = Math.max(largest, Math.abs(value));
  const scale = largest === 0 ? 0 : 127 / largest;
  for (let i = 0; i < key.length; i++) target[at + i] = Math.round(key[i]! * scale);
}

let loaded: typeof import("usearch") | undefined;

/**
 * The library. Its ES module does not find its own folder in every process; its CommonJS form does.
 * @throws BigVaeError("unsupported") where it has no build for this machine.
 */
export function library(): typeof import("usearch") {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)("usearch") as typeof import("usearch");
    return loaded;
  } catch (cause) {
    throw new BigVaeError(
      "unsupported",
      {
        subject: "memory: search by latents",
        expected: `usearch with its library for ${process.platform}-${process.arch}`,
        got: cause instanceof Error ? cause.message.split("\n")[0]!.trim() : String(cause),
        remedy: "install usearch, or search with `exact`, which needs no index",
      },
      { cause },
    );
  }
}
