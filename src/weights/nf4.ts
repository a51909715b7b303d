/** 4-bit NormalFloat (Dettmers et al. 2023, QLoRA): equal shares of a normal distribution, in blocks of the flattened matrix. */
import type { PackedFormat } from "../graph/index.js";
import type { HostTensors } from "../runtime/runtime.js";

/** As in QLoRA: blocks of 64. */
export const NF4_FORMAT: Extract<PackedFormat, { kind: "nf4" }> = { kind: "nf4", block: 64 };

/** The 16 values, from -1 to 1 (appendix E of the paper). */
export const NF4_CODE = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Between two neighbours of the code: from here on a value is rounded to the higher one. */
const MIDDLES = Float64Array.from({ length: 15 }, (_, i) => (NF4_CODE[i]! + NF4_CODE[i + 1]!) / 2);

/**
 * Rounds values to the nearest of the code times the largest size of their block, and writes them to `to` from value `start` of the flattened matrix on, which begins
 * a block. The first value of a pair is in the high half of its byte.
 */
export function quantizeNf4(
  values: Float32Array,
  block: number,
  to: { values: Uint8Array; scales: Float32Array },
  start = 0,
): void {
  for (let from = 0; from < values.length; from += block) {
    const end = Math.min(values.length, from + block);
    let largest = 0;
    for (let i = from; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!));
    to.scales[(start + from) / block] = largest;
    const inverse = largest > 0 ? Math.fround(1 / largest) : 0;
    const code = (i: number) => (i < end ? nearest(Math.fround(values[i]! * inverse)) : 0);
    for (let i = from; i < end; i += 2) to.values[(start + i) >> 1] = (code(i) << 4) | code(i + 1);
  }
}

/** Cells that the range from -1 to 1 is cut into; each holds one middle at most. */
const CELLS = 256;

/** Number of the code's value for the lower end of each cell. */
const CODE_OF_CELL = Uint8Array.from({ length: CELLS + 1 }, (_, cell) => {
  const least = (2 * cell) / CELLS - 1;
  return MIDDLES.filter((middle) => middle < least).length;
});

/** Number of the code's value nearest to x, from -1 to 1. */
function nearest(x: number): number {
  const code = CODE_OF_CELL[((x + 1) * (CELLS / 2)) | 0]!;
  return x > MIDDLES[code]! ? code + 1 : code;
}

/** Values begin..end-1 of the flattened matrix in fp32. */
export function dequantizeNf4(
  { values, scales }: HostTensors,
  block: number,
  begin: number,
  end: number,
): Float32Array {
  const bytes = values!.data as Uint8Array;
  const out = new Float32Array(end - begin);
  for (let i = begin; i < end; i++) {
    const q = (bytes[i >> 1]! >> (i % 2 === 0 ? 4 : 0)) & 15;
    out[i - begin] = NF4_CODE[q]! * (scales!.data as Float32Array)[Math.floor(i / block)]!;
  }
  return out;
}
