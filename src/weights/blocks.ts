/** Weights in blocks of 4 or 8 bits along the inputs, as MatMulNBits reads them. */
import type { PackedFormat } from "../graph/index.js";
import type { HostTensors } from "../runtime/runtime.js";

export type BlocksFormat = Extract<PackedFormat, { kind: "blocks" }>;

/** Rows of large models, which bear rounding better. */
const WIDE = 2048;

/**
 * Symmetric blocks for rows of `width` values, of 128 values where that divides the width, or 64 in 4 bits where a model is small: the kernel is half as fast again
 * as with 32, and a scale takes 16 bytes there.
 */
export function blocksFormat(bits: 4 | 8, width: number): BlocksFormat {
  const most = bits === 8 || width >= WIDE ? 128 : 64;
  const block = [128, 64, 32].find((size) => size <= most && width % size === 0) ?? 32;
  return { kind: "blocks", bits, block };
}

/**
 * Rounds rows of `width` values to symmetric blocks, and writes them to `to` from row `begin` on. 8 bits: q from -127 to 127, scale = max |x| / 127. 4 bits: q from -8 to 7, the value of largest size at -8,
 * as llama.cpp's Q4_0. A row that ends within a block is filled up with zeros.
 */
export function quantizeBlocks(
  values: Float32Array,
  width: number,
  { bits, block }: BlocksFormat,
  to: { values: Uint8Array; scales: Float32Array },
  begin = 0,
): void {
  const blocks = Math.ceil(width / block);
  const blockBytes = (block * bits) / 8;
  const round = bits === 8 ? roundToBytes : roundToNibbles;
  for (let row = 0; row < values.length / width; row++) {
    for (let b = 0; b < blocks; b++) {
      const from = row * width + b * block;
      const count = Math.min(block, width - b * block);
      const at = (begin + row) * blocks + b;
      const bytes = to.values.subarray(at * blockBytes, (at + 1) * blockBytes);
      // Zero is stored as the middle.
      bytes.fill(bits === 8 ? 128 : 0x88);
      to.scales[at] = round(values, from, count, largestOf(values, from, count), bytes);
    }
  }
}

/** The value of largest size, with its sign. */
function largestOf(values: Float32Array, from: number, count: number): number {
  let largest = 0;
  let size = 0;
  for (let i = from; i < from + count; i++) {
    const value = values[i]!;
    const own = value < 0 ? -value : value;
    if (own > size) {
      size = own;
      largest = value;
    }
  }
  return largest;
}

/** Returns the scale. */
function roundToBytes(values: Float32Array, from: number, count: number, largest: number, bytes: Uint8Array): number {
  const scale = Math.fround(Math.abs(largest) / 127);
  const inverse = scale > 0 ? 1 / scale : 0;
  for (let i = 0; i < count; i++) bytes[i] = Math.min(255, Math.floor(values[from + i]! * inverse + 128.5));
  return scale;
}

/** Returns the scale. The first value of a pair is in the low half of its byte. */
function roundToNibbles(values: Float32Array, from: number, count: number, largest: number, bytes: Uint8Array): number {
  const scale = Math.fround(largest / -8);
  const inverse = scale !== 0 ? 1 / scale : 0;
  const nibble = (i: number) => (i < count ? Math.min(15, Math.floor(values[from + i]! * inverse + 8.5)) : 8);
  for (let i = 0; i < count; i += 2) bytes[i >> 1] = nibble(i) | (nibble(i + 1) << 4);
  return scale;
}

/** Rows begin..end-1 of a matrix [out, in] in fp32. */
export function dequantizeBlocks(
  { values, scales }: HostTensors,
  [, width]: readonly [number, number],
  { bits, block }: BlocksFormat,
  begin: number,
  end: number,
): Float32Array {
  const blocks = Math.ceil(width / block);
  const bytes = values!.data as Uint8Array;
  const out = new Float32Array((end - begin) * width);
  const zero = 1 << (bits - 1);
  for (let row = begin; row < end; row++) {
    for (let i = 0; i < width; i++) {
      const b = (i / block) | 0;
      const at = row * blocks * block + i;
      const q = bits === 8 ? bytes[at]! : nibbleAt(bytes, at);
      out[(row - begin) * width + i] = (q - zero) * (scales!.data as Float32Array)[row * blocks + b]!;
    }
  }
  return out;
}

function nibbleAt(bytes: Uint8Array, i: number): number {
  return (bytes[i >> 1]! >> (4 * (i & 1))) & 15;
}
