import { expect, it } from "vitest";
import type { PlanStep } from "../sampling/model.js";
import { waypoint } from "../sampling/waypoints.js";
import { Passage } from "./plans.js";

const step = (waypoint: number, isFound = false) =>
  ({ waypoint, isFound, tries: 1, distance: 0.5, tolerance: 0.4, isReached: false }) as PlanStep;

it("a run along a plan is told by the plan's own numbers, whatever a search puts on the way", () => {
  const plan = [1, 2, 3].map((value) => waypoint(Float32Array.of(value)));
  const passage = new Passage(plan);
  // The second waypoint is not reached; one is found on the way to it, and another on the way to that.
  const asked = [step(1), step(2), step(2, true), step(2, true), step(3, true), step(4), step(5)];
  const passed = asked.map((each) => passage.step(each));
  expect(new Set(passed.map(({ waypoint, hash }) => `${waypoint} ${hash}`)).size).toBe(3);
  const numbers = passed.map(({ waypoint, isFound }) => [waypoint, isFound]);
  expect(numbers).toEqual([
    [1, false],
    [2, false],
    [2, true],
    [2, true],
    [2, true],
    [2, false],
    [3, false],
  ]);
});
