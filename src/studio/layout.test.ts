import { expect, it } from "vitest";
import { neighbourLayout, principalLayout } from "./layout.js";

const z = (...values: number[]) => Float32Array.from(values);
const sample = [
  { key: z(0, 0, 0), x: 5, y: 5 },
  { key: z(1, 0, 0), x: 7, y: 5 },
  { key: z(0, 1, 0), x: 5, y: 9 },
];

it.each([
  ["principal axes", principalLayout(sample.map(({ key }) => key))],
  ["neighbours", neighbourLayout(sample)],
])("by %s gives the place of a key its key", (_, layout) => {
  for (const { key } of sample) {
    const { x, y } = layout.place(key);
    expect(Array.from(layout.keyAt(x, y, { key, x, y }), (value) => expect.closeTo(value, 5))).toEqual(Array.from(key));
  }
});

it("by neighbours puts a key between those that it lies between", () => {
  const { x, y } = neighbourLayout(sample).place(z(0.5, 0, 0));
  expect(x).toBeGreaterThan(5.5);
  expect(x).toBeLessThan(6.5);
  expect(y).toBeLessThan(7);
});
