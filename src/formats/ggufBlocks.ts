/**
 * GGML's element types and their blocks to fp32 (ggml-quants.c, dequantize_row_*). Every product and every sum is rounded
 * to float, as there, so that values are equal to the bit.
 */
import { float16ToNumber, widenBFloat16, widenFloat16 } from "./halfFloats.js";
import { viewElements } from "./tensors.js";

/** Writes the values of the block at `at` to `out` from `to` on. */
type BlockReader = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

export interface GgmlType {
  readonly name: string;
  /** Elements per block. */
  readonly blockLength: number;
  /** Bytes per block. */
  readonly blockBytes: number;
}

/** By the number in the file (ggml.h, enum ggml_type): name, elements and bytes per block. Types that are not read are listed too, since sizes are checked. */
export const GGML_TYPES: ReadonlyMap<number, GgmlType> = new Map(
  (
    [
      [0, "F32", 1, 4],
      [1, "F16", 1, 2],
      [2, "Q4_0", 32, 18],
      [3, "Q4_1", 32, 20],
      [6, "Q5_0", 32, 22],
      [7, "Q5_1", 32, 24],
      [8, "Q8_0", 32, 34],
      [9, "Q8_1", 32, 36],
      [10, "Q2_K", 256, 84],
      [11, "Q3_K", 256, 110],
      [12, "Q4_K", 256, 144],
      [13, "Q5_K", 256, 176],
      [14, "Q6_K", 256, 210],
      [15, "Q8_K", 256, 292],
      [16, "IQ2_XXS", 256, 66],
      [17, "IQ2_XS", 256, 74],
      [18, "IQ3_XXS", 256, 98],
      [19, "IQ1_S", 256, 50],
      [20, "IQ4_NL", 32, 18],
      [21, "IQ3_S", 256, 110],
      [22, "IQ2_S", 256, 82],
      [23, "IQ4_XS", 256, 136],
      [24, "I8", 1, 1],
      [25, "I16", 1, 2],
      [26, "I32", 1, 4],
      [27, "I64", 1, 8],
      [28, "F64", 1, 8],
      [29, "IQ1_M", 256, 56],
      [30, "BF16", 1, 2],
      [34, "TQ1_0", 256, 54],
      [35, "TQ2_0", 256, 66],
      [39, "MXFP4", 32, 17],
    ] as const
  ).map(([id, name, blockLength, blockBytes]) => [id, { name, blockLength, blockBytes }]),
);

/** Names of the types that `dequantize` knows. */
export function readableTypes(): string[] {
  return ["F32", "F16", "BF16", ...Object.keys(READERS)];
}

/** Whole blocks of `type` as fp32. */
export function dequantize(type: GgmlType, bytes: Uint8Array): Float32Array {
  if (type.name === "F32") return viewElements(bytes, "F32") as Float32Array;
  if (type.name === "F16") return widenFloat16(viewElements(bytes, "F16") as Uint16Array);
  if (type.name === "BF16") return widenBFloat16(viewElements(bytes, "BF16") as Uint16Array);
  const read = READERS[type.name as keyof typeof READERS];
  const blocks = bytes.length / type.blockBytes;
  const out = new Float32Array(blocks * type.blockLength);
  for (let i = 0; i < blocks; i++) read(bytes, i * type.blockBytes, out, i * type.blockLength);
  return out;
}

/** The F16 value at byte `at`. */
function half(bytes: Uint8Array, at: number): number {
  return float16ToNumber(bytes[at]! | (bytes[at + 1]! << 8));
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/** Storing into a Float32Array rounds, so a lone product needs no Math.fround. */
const { fround } = Math;

/** x = d q */
const readQ8: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = d * signed(bytes[at + 2 + i]!);
};

/** x = d (q - 8); the low nibbles are the first half. */
const readQ4Symmetric: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 2 + i]!;
    out[to + i] = d * ((q & 15) - 8);
    out[to + 16 + i] = d * ((q >> 4) - 8);
  }
};

/** x = d q + m */
const readQ4Affine: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const m = half(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 4 + i]!;
    out[to + i] = fround(d * (q & 15)) + m;
    out[to + 16 + i] = fround(d * (q >> 4)) + m;
  }
};

/** The fifth bits of a Q5_0 or Q5_1 block, element i's at bit i. */
function fifthBits(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** x = d (q - 16) */
const readQ5Symmetric: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const high = fifthBits(bytes, at + 2);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 6 + i]!;
    out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
    out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
  }
};

/** x = d q + m */
const readQ5Affine: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const m = half(bytes, at + 2);
  const high = fifthBits(bytes, at + 4);
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + 8 + i]!;
    out[to + i] = fround(d * ((q & 15) | (((high >>> i) & 1) << 4))) + m;
    out[to + 16 + i] = fround(d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4))) + m;
  }
};

/** The six-bit scale and minimum of part `j` of a Q4_K or Q5_K block (get_scale_min_k4), packed in 12 bytes. */
function scaleAndMin(bytes: Uint8Array, at: number, j: number): [number, number] {
  if (j < 4) return [bytes[at + j]! & 63, bytes[at + j + 4]! & 63];
  const both = bytes[at + j + 4]!;
  return [(both & 15) | ((bytes[at + j - 4]! >> 6) << 4), (both >> 4) | ((bytes[at + j]! >> 6) << 4)];
}

/** x = (d s) q - (dmin m), for 8 parts of 32; `highBit` gives Q5_K's fifth bit. */
function readKParts(
  bytes: Uint8Array,
  at: number,
  out: Float32Array,
  to: number,
  quantsAt: number,
  highBit: (part: number, i: number) => number,
): void {
  const d = half(bytes, at);
  const dmin = half(bytes, at + 2);
  for (let part = 0; part < 8; part++) {
    const [s, m] = scaleAndMin(bytes, at + 4, part);
    const scale = fround(d * s);
    const min = fround(dmin * m);
    const shift = 4 * (part & 1);
    for (let i = 0; i < 32; i++) {
      const q = ((bytes[quantsAt + 32 * (part >> 1) + i]! >> shift) & 15) | highBit(part, i);
      out[to + 32 * part + i] = fround(scale * q) - min;
    }
  }
}

const readQ4K: BlockReader = (bytes, at, out, to) => readKParts(bytes, at, out, to, at + 16, () => 0);

const readQ5K: BlockReader = (bytes, at, out, to) =>
  readKParts(bytes, at, out, to, at + 48, (part, i) => ((bytes[at + 16 + i]! >> part) & 1) << 4);

/** x = (d s) (q - 32): four low bits, two high bits, a scale every 16. */
const readQ6K: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const side = i >> 7;
    const row = (i >> 5) & 3;
    const low = bytes[at + 64 * side + 32 * (row & 1) + (i & 31)]!;
    const high = bytes[at + 128 + 32 * side + (i & 31)]!;
    const q = ((row < 2 ? low : low >> 4) & 15) | (((high >> (2 * row)) & 3) << 4);
    out[to + i] = fround(d * signed(bytes[at + 192 + (i >> 4)]!)) * (q - 32);
  }
};

/** x = (d s) q - (dmin m): two bits each, a scale s and a minimum m of four bits every 16. */
const readQ2K: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at + 80);
  const dmin = half(bytes, at + 82);
  for (let i = 0; i < 256; i++) {
    const both = bytes[at + (i >> 4)]!;
    const q = lowTwoBits(bytes, at + 16, i);
    out[to + i] = fround(fround(d * (both & 15)) * q) - fround(dmin * (both >> 4));
  }
};

/** x = (d (s - 32)) q: two low bits, a high bit that stands for -4 where it is 0, a scale s of six bits every 16. */
const readQ3K: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at + 108);
  for (let i = 0; i < 256; i++) {
    const part = i >> 4;
    const low = (bytes[at + 96 + (part & 7)]! >> (4 * (part >> 3))) & 15;
    const high = (bytes[at + 104 + (part & 3)]! >> (2 * (part >> 2))) & 3;
    const isHigh = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
    const q = lowTwoBits(bytes, at + 32, i) - (isHigh ? 0 : 4);
    out[to + i] = fround(d * ((low | (high << 4)) - 32)) * q;
  }
};

/** Element i's two bits in Q2_K and Q3_K: 32 bytes hold those of 128 elements. */
function lowTwoBits(bytes: Uint8Array, start: number, i: number): number {
  return (bytes[start + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
}

/** The values of IQ4_NL and IQ4_XS (ggml-common.h, kvalues_iq4nl). */
const IQ4_CODE = Int8Array.of(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);

/** 32 values from the 16 bytes at `at`, each the code's times `scale`; the low nibbles are the first half. */
function readIq4(bytes: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const q = bytes[at + i]!;
    out[to + i] = scale * IQ4_CODE[q & 15]!;
    out[to + 16 + i] = scale * IQ4_CODE[q >> 4]!;
  }
}

const readIq4Nl: BlockReader = (bytes, at, out, to) => readIq4(bytes, at + 2, half(bytes, at), out, to);

/** x = (d (s - 32)) code[q], for 8 parts of 32, each with a scale s of six bits. */
const readIq4Xs: BlockReader = (bytes, at, out, to) => {
  const d = half(bytes, at);
  const highBits = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let part = 0; part < 8; part++) {
    const low = (bytes[at + 4 + (part >> 1)]! >> (4 * (part & 1))) & 15;
    const s = low | (((highBits >> (2 * part)) & 3) << 4);
    readIq4(bytes, at + 8 + 16 * part, fround(d * (s - 32)), out, to + 32 * part);
  }
};

const READERS = {
  Q8_0: readQ8,
  Q4_0: readQ4Symmetric,
  Q4_1: readQ4Affine,
  Q5_0: readQ5Symmetric,
  Q5_1: readQ5Affine,
  Q2_K: readQ2K,
  Q3_K: readQ3K,
  Q4_K: readQ4K,
  Q5_K: readQ5K,
  Q6_K: readQ6K,
  IQ4_NL: readIq4Nl,
  IQ4_XS: readIq4Xs,
};
