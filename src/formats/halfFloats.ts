/** IEEE half (F16) and bfloat16 (BF16) to fp32, exactly and with NaN payloads, and back, rounded to nearest even. */

let float16Table: Uint32Array<ArrayBuffer> | undefined;
let float16Values: Float32Array | undefined;

/** Table: the fp32 bits of every half. */
function float16Bits(): Uint32Array<ArrayBuffer> {
  return (float16Table ??= Uint32Array.from({ length: 65536 }, (_, half) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 31;
    const mantissa = half & 0x3ff;
    if (exponent === 31) return sign | 0x7f800000 | (mantissa << 13);
    if (exponent > 0) return sign | ((exponent + 112) << 23) | (mantissa << 13);
    if (mantissa === 0) return sign;
    // Subnormal: mantissa * 2^-24, whose leading bit becomes the hidden one.
    const shift = Math.clz32(mantissa) - 21;
    return sign | ((113 - shift) << 23) | (((mantissa << shift) & 0x3ff) << 13);
  }));
}

/** One half to a number. */
export function float16ToNumber(half: number): number {
  float16Values ??= new Float32Array(float16Bits().buffer);
  return float16Values[half]!;
}

/** F16 bits to fp32. */
export function widenFloat16(halves: Uint16Array): Float32Array {
  const table = float16Bits();
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = table[halves[i]!]!;
  return new Float32Array(bits.buffer);
}

/** BF16 bits to fp32: the upper half of the word. */
export function widenBFloat16(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
  return new Float32Array(bits.buffer);
}

/** fp32 to F16 bits, rounded to nearest even; beyond 65504 infinity. */
export function narrowFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, halfOf);
}

function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00 | ((magnitude >> 13) & 0x3ff);
  const exponent = magnitude >>> 23;
  if (exponent >= 113) {
    // The carry of rounding runs into the exponent, as it should; past 65504 it gives infinity.
    const rounded = (magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    return sign | Math.min(rounded, 0x7c00);
  }
  if (exponent < 102) return sign;
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const shift = 126 - exponent;
  const floor = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return sign | (floor + (rest > half || (rest === half && floor & 1) ? 1 : 0));
}

/** fp32 to BF16 bits, rounded to nearest even. */
export function narrowBFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return Uint16Array.from(bits, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}
