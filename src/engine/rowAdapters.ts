/**
 * Adapters of rows: each row of a batch may read by another one. Outputs of k adapters of rank r, mixed by weights, are those of one adapter of rank k r:
 * sum_i w_i s_i B_i A_i x = [B_1 .. B_k] diag(w_1 s_1 .. w_k s_k) [A_1; ..; A_k] x.
 */
import type { ModelConfig } from "../model/config.js";
import { loraName } from "../model/lora.js";
import { linearShapes } from "../model/weights.js";
import { float32, type HostTensors } from "../runtime/runtime.js";
import type { Adapter } from "./adapters.js";

/** Adapters of one role whose outputs are mixed at every layer. */
export interface AdapterMix {
  /** Equal for mixes of the same adapters by the same weights, and for no others. */
  readonly key: string;
  readonly parts: readonly { readonly adapter: Adapter; readonly weight: number }[];
}

/** Bytes of the matrices that rows of different adapters are laid out in at most; those of one row where that has more. */
export const ROW_ADAPTER_BYTES = 64e6;

/** Whether rows that read by these mixes stay within that: those of one mix are fed it once. */
export function fitTogether(config: ModelConfig, mixes: readonly AdapterMix[]): boolean {
  if (mixes.every(({ key }) => key === mixes[0]!.key)) return true;
  const values = Array.from(linearShapes(config).values()).reduce((sum, [out, width]) => sum + out + width, 0);
  return mixes.length * 4 * largestRank(mixes) * values <= ROW_ADAPTER_BYTES;
}

/** The matrices of a layer for the rows that there is room for: A [rows, R, in] and B [rows, out, R]. */
interface Layer {
  a: Float32Array;
  b: Float32Array;
}

/** What the trunk is fed for the adapters of its rows. Rows that stay where they are are not copied again. */
export class RowAdapters {
  readonly #shapes: ReadonlyMap<string, readonly [number, number]>;
  /** Which mix lies in each row that there is room for. */
  #held: (AdapterMix | undefined)[] = [];
  #layers = new Map<string, Layer>();
  /** R, that of the largest mix. */
  #rank = 0;

  constructor(config: ModelConfig) {
    this.#shapes = linearShapes(config);
  }

  /**
   * Inputs of the trunk (engine/trunkGraph) for rows that read by these mixes. Where all are one, it is fed once: a single adapter without a copy.
   */
  feeds(mixes: readonly AdapterMix[]): HostTensors {
    const [first] = mixes as [AdapterMix];
    const rows = mixes.every(({ key }) => key === first.key) ? [first] : mixes;
    const [only] = first.parts;
    if (rows.length === 1 && first.parts.length === 1) return adapterFeeds(this.#shapes, only!.adapter, only!.weight);
    this.#hold(rows);
    const rank = this.#rank;
    const scales = new Float32Array(rows.length * rank);
    for (const [row, { parts }] of rows.entries()) setScales(scales.subarray(row * rank, (row + 1) * rank), parts);
    const feeds: Record<string, HostTensors[string]> = { [SCALE]: float32(scales, rows.length, 1, rank) };
    for (const [path, [out, width]] of this.#shapes) {
      const { a, b } = this.#layers.get(path)!;
      feeds[fed(path, "A")] = float32(a.subarray(0, rows.length * rank * width), rows.length, rank, width);
      feeds[fed(path, "B")] = float32(b.subarray(0, rows.length * out * rank), rows.length, out, rank);
    }
    return feeds;
  }

  /** Brings each mix into its row. */
  #hold(rows: readonly AdapterMix[]): void {
    const rank = largestRank(rows);
    if (rank !== this.#rank || rows.length > this.#held.length) this.#makeRoom(rows.length, rank);
    for (const [row, mix] of rows.entries()) {
      if (this.#held[row]?.key === mix.key) continue;
      for (const [path, shape] of this.#shapes) copyParts(this.#layers.get(path)!, row, rank, path, shape, mix.parts);
      this.#held[row] = mix;
    }
  }

  #makeRoom(rows: number, rank: number): void {
    this.#rank = rank;
    this.#held = new Array<undefined>(rows).fill(undefined);
    for (const [path, [out, width]] of this.#shapes)
      this.#layers.set(path, {
        a: new Float32Array(rows * rank * width),
        b: new Float32Array(rows * out * rank),
      });
  }
}

/** The name of the scales in the trunk's graph. */
const SCALE = "lora.scale";
const fed = (path: string, matrix: "A" | "B") => loraName("lora", path, matrix);

/** What the trunk is fed where all rows read by one adapter: zeros of rank 1 for a layer that it does not adapt, or for the base alone. */
export function adapterFeeds(
  shapes: ReadonlyMap<string, readonly [number, number]>,
  adapter: Adapter | undefined,
  weight = 1,
): HostTensors {
  const { rank, alpha } = adapter?.shape ?? { rank: 1, alpha: 1 };
  const scales = new Float32Array(rank).fill((weight * alpha) / rank);
  const feeds: Record<string, HostTensors[string]> = { [SCALE]: float32(scales, 1, 1, rank) };
  for (const [path, [out, width]] of shapes) {
    const { a, b } = adapter ? matricesOf(adapter, path) : {};
    feeds[fed(path, "A")] = float32(a ?? new Float32Array(rank * width), 1, rank, width);
    feeds[fed(path, "B")] = float32(b ?? new Float32Array(out * rank), 1, out, rank);
  }
  return feeds;
}

/** A [r, in] and B [out, r] of a layer; none where the adapter leaves it alone. */
function matricesOf({ role, tensors }: Adapter, path: string): { a?: Float32Array; b?: Float32Array } {
  const [a, b] = [tensors[loraName(role, path, "A")], tensors[loraName(role, path, "B")]];
  return a && b ? { a: a.data as Float32Array, b: b.data as Float32Array } : {};
}

function largestRank(mixes: readonly AdapterMix[]): number {
  return Math.max(...mixes.map(({ parts }) => rankOf(parts)));
}

/** The rank of a mix: the sum of those of its parts. */
function rankOf(parts: AdapterMix["parts"]): number {
  return parts.reduce((sum, { adapter }) => sum + adapter.shape.rank, 0);
}

/** The factor of each rank of a row; that of ranks beyond its own stays 0, so that what lies there does not count. */
function setScales(scales: Float32Array, parts: AdapterMix["parts"]): void {
  let at = 0;
  for (const { adapter, weight } of parts) {
    const { rank, alpha } = adapter.shape;
    scales.fill((weight * alpha) / rank, at, (at += rank));
  }
}

/** Puts the matrices of a layer into a row: A below one another, B side by side. */
function copyParts(
  { a, b }: Layer,
  row: number,
  rank: number,
  path: string,
  [out, width]: readonly [number, number],
  parts: AdapterMix["parts"],
): void {
  let at = 0;
  for (const { adapter } of parts) {
    const own = adapter.shape.rank;
    const from = matricesOf(adapter, path);
    const start = (row * rank + at) * width;
    if (from.a) a.set(from.a, start);
    else a.fill(0, start, start + own * width);
    for (let o = 0; o < out; o++) {
      const to = (row * out + o) * rank + at;
      if (from.b) for (let r = 0; r < own; r++) b[to + r] = from.b[o * own + r]!;
      else b.fill(0, to, to + own);
    }
    at += own;
  }
}
