import { expect, it } from "vitest";
import { shaded } from "./shade.js";

const WORDS = ["The", " little", " fox", "."];
const stream = () => ({ push: (id: number) => WORDS[id]!, end: () => "" });
const text = (weights: number[]) => ({
  text: WORDS.join(""),
  ids: WORDS.map((_, i) => i),
  mean: new Float32Array(1),
  poolWeights: Float32Array.from(weights),
  slotWeights: [],
  longerThanSpan: false,
});

it("brackets tokens clearly above the mean, and no space", () => {
  expect(shaded(text([0.1, 0.5, 0.3, 0.1]), stream(), false)).toBe("The [little] fox.");
  expect(shaded(text([0.25, 0.25, 0.25, 0.25]), stream(), false)).toBe("The little fox.");
});

it("shades from the least weight to the largest", () => {
  const shades = Array.from(
    shaded(text([0.2, 0.3, 0.26, 0.26]), stream(), true).matchAll(/38;5;(\d+)m/g),
    ([, x]) => x,
  );
  expect(shades).toEqual(["236", "231", "246", "246"]);
  expect(shaded(text([0.25, 0.25, 0.25, 0.25]), stream(), true)).toContain("\x1b[38;5;231mThe");
});
