/** GGUF's blocks whose values a kernel multiplies by as they are: Q4_0 and Q8_0, in the order of the kernel. */
import { type PackedWeight, packedWeight } from "../weights/index.js";
import { float16ToNumber } from "./halfFloats.js";

/** Values per block. */
const BLOCK = 32;

type BlocksFormat = Extract<PackedWeight["format"], { kind: "blocks" }>;

/** The format of a type of blocks; undefined for one that no kernel reads. */
export function packedFormatOf(type: string): BlocksFormat | undefined {
  if (type !== "Q4_0" && type !== "Q8_0") return undefined;
  return { kind: "blocks", bits: type === "Q4_0" ? 4 : 8, block: BLOCK };
}

/** Rows [out, in] of whole blocks as a packed weight with the same values. */
export function packedFromGguf(
  format: BlocksFormat,
  bytes: Uint8Array,
  shape: readonly [number, number],
): PackedWeight {
  const { bits } = format;
  const blockBytes = 2 + (BLOCK * bits) / 8;
  const count = bytes.length / blockBytes;
  const scales = new Float32Array(count);
  const values = new Uint8Array((count * BLOCK * bits) / 8);
  for (let block = 0; block < count; block++) {
    const at = block * blockBytes;
    scales[block] = float16ToNumber(bytes[at]! | (bytes[at + 1]! << 8));
    if (bits === 8) offsetBytes(bytes, at + 2, values, block * BLOCK);
    else pairNibbles(bytes, at + 2, values, (block * BLOCK) / 2);
  }
  return packedWeight(format, shape, { values, scales });
}

/** Signed bytes to bytes around 128. */
function offsetBytes(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let i = 0; i < BLOCK; i++) to[start + i] = from[at + i]! ^ 128;
}

/** GGUF pairs value i with value i + 16 in a byte, the kernel with value i + 1; the first of a pair is in the low half. */
function pairNibbles(from: Uint8Array, at: number, to: Uint8Array, start: number): void {
  for (let i = 0; i < BLOCK / 4; i++) {
    const [a, b] = [from[at + 2 * i]!, from[at + 2 * i + 1]!];
    to[start + i] = (a & 15) | ((b & 15) << 4);
    to[start + BLOCK / 4 + i] = (a >> 4) | (b & 240);
  }
}
