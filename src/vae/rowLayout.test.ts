import { expect, it } from "vitest";
import { MASKED } from "../model/attention.js";
import { poolBias, rowLayout, slotPlaces } from "./rowLayout.js";

it("places slots in the middle of equal parts of a text", () => {
  // (j + 1/2) T / k - 1/2
  expect(slotPlaces(4, 16)).toEqual([1.5, 5.5, 9.5, 13.5]);
  expect(slotPlaces(4, 4)).toEqual([0, 1, 2, 3]);
  expect(slotPlaces(4, 2)).toEqual([-0.25, 0.25, 0.75, 1.25]);
});

it.each([
  // The original: z at 0, prefix, text; a dropped prefix leaves its positions empty.
  [
    "decoder",
    { slots: 1, before: 5, gap: 0, length: 9 },
    { slotsAt: 0, slots: [0], before: [1, 2, 3, 4, 5], first: 6 },
  ],
  ["decoder", { slots: 1, before: 0, gap: 64, length: 9 }, { slotsAt: 0, slots: [0], before: [], first: 65 }],
  ["decoder", { slots: 1, before: 1, gap: 16, length: 9 }, { slotsAt: 0, slots: [0], before: [16], first: 17 }],
  ["router", { slots: 1, before: 3, gap: 0, length: 9 }, { slotsAt: 3, slots: [3], before: [0, 1, 2], first: 4 }],
  // Slots stand where their text stands.
  ["decoder", { slots: 2, before: 2, gap: 0, length: 8 }, { slotsAt: 0, slots: [4.5, 8.5], before: [1, 2], first: 3 }],
  ["router", { slots: 2, before: 2, gap: 0, length: 8 }, { slotsAt: 2, slots: [4.5, 8.5], before: [0, 1], first: 3 }],
] as const)("%s %j", (writer, sizes, layout) => {
  expect(rowLayout(writer, sizes)).toEqual(layout);
});

it("pools each slot around its place, by the tokens that are seen, and not at all in padding", () => {
  // T = 4 and k = 2: places 0.5 and 2.5, width 2; the first token is padding.
  const bias = poolBias(2, [0, 1, 1, 1, 1], 6);
  const slot = (c: number) => [0, 1, 2, 3].map((t) => -(((t - c) / 2) ** 2) / 2);
  expect([...bias]).toEqual([MASKED, ...slot(0.5), MASKED, MASKED, ...slot(2.5), MASKED].map(Math.fround));
});

it("pools a whole text alike with one slot, as the original", () => {
  expect([...poolBias(1, [1, 1, 0])]).toEqual([0, 0, Math.fround(MASKED)]);
});
