import { expect, it } from "vitest";
import { markDifferences } from "./wordMarks.js";

it("marks nothing in equal texts", () => {
  expect(markDifferences("The fox ran.", "The fox ran.", false)).toEqual({
    before: "The fox ran.",
    after: "The fox ran.",
    same: true,
  });
});

it("marks the words that were lost and those that came", () => {
  expect(markDifferences("The old fox ran home.", "The fox walked home.", false)).toEqual({
    before: "The [old] fox [ran] home.",
    after: "The fox [walked] home.",
    same: false,
  });
});

it("marks by colour on a terminal", () => {
  expect(markDifferences("a b", "a c", true).after).toBe("a \x1b[32mc\x1b[0m");
});
