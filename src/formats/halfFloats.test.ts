import fc from "fast-check";
import { expect, it } from "vitest";
import { float16ToNumber, narrowBFloat16, narrowFloat16, widenBFloat16, widenFloat16 } from "./halfFloats.js";

const every = Uint16Array.from({ length: 65536 }, (_, half) => half);
const isNaN16 = (half: number) => (half & 0x7c00) === 0x7c00 && (half & 0x3ff) !== 0;

it("knows the halves of IEEE 754", () => {
  const table: [number, number][] = [
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x8000, -0],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x3555, 0.333251953125],
  ];
  for (const [half, value] of table) expect(float16ToNumber(half)).toBe(value);
});

it("widens and narrows every half and every bfloat16 back to itself", () => {
  const back = narrowFloat16(widenFloat16(every));
  for (const half of every) expect(back[half] === half || isNaN16(half), String(half)).toBe(true);
  const backB = narrowBFloat16(widenBFloat16(every));
  for (const half of every) expect(backB[half]! | 0x40).toBe(half | 0x40);
});

it("narrows to the nearest, ties to even", () => {
  const finite = Array.from(every).filter((half) => (half & 0x7fff) < 0x7c00);
  const property = fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
    const got = float16ToNumber(narrowFloat16(Float32Array.of(value))[0]!);
    const error = Math.abs(got - value);
    const half = narrowFloat16(Float32Array.of(value))[0]!;
    for (const other of [half - 1, half + 1].filter((h) => finite.includes(h & 0xffff))) {
      const distance = Math.abs(float16ToNumber(other & 0xffff) - value);
      expect(distance > error || (distance === error && (half & 1) === 0)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 300 });
  expect([...narrowFloat16(Float32Array.of(65520, 65519, 2 ** -25, 2 ** -25 * 1.001, Number.NaN))]).toEqual([
    0x7c00, 0x7bff, 0, 1, 0x7e00,
  ]);
  expect([...narrowBFloat16(Float32Array.of(1, 1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.4e38))]).toEqual([
    0x3f80, 0x3f80, 0x3f82, 0x7f80,
  ]);
});
