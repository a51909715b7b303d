import { describe, expect, it } from "vitest";
import { type LearningRateSchedule, learningRate } from "./learningRate.js";

const rates = (schedule: LearningRateSchedule, ...steps: number[]) =>
  steps.map((step) => learningRate(schedule, step) / schedule.lr);
const close = (got: number[], expected: number[]) =>
  expect(got.map((value) => value.toFixed(12))).toEqual(expected.map((value) => value.toFixed(12)));

describe("warm-up", () => {
  it("rises in a straight line from 0 to the peak at its last step, and stays there", () => {
    const schedule = { lr: 0.4, warmup: 4, decay: "constant" as const, totalSteps: 100 };
    close(rates(schedule, 1, 2, 3, 4, 5, 100), [0.25, 0.5, 0.75, 1, 1, 1]);
  });

  it("is the same before a cosine", () => {
    const schedule = { lr: 2e-3, warmup: 4, decay: "cosine" as const, totalSteps: 12 };
    close(rates(schedule, 1, 2, 3, 4), [0.25, 0.5, 0.75, 1]);
  });

  it("may be none", () => close(rates({ lr: 0.1, warmup: 0, decay: "constant", totalSteps: 3 }, 1, 2, 3), [1, 1, 1]));
});

describe("cosine", () => {
  it("falls from the peak to a tenth of it, halfway at half of the way", () => {
    const schedule = { lr: 2e-3, warmup: 4, decay: "cosine" as const, totalSteps: 12 };
    const quarter = 0.45 * Math.SQRT1_2;
    close(rates(schedule, 4, 6, 8, 10, 12), [1, 0.55 + quarter, 0.55, 0.55 - quarter, 0.1]);
  });

  it("stays at a tenth where a run goes on behind its end", () =>
    close(rates({ lr: 1, warmup: 0, decay: "cosine", totalSteps: 4 }, 4, 5, 9), [0.1, 0.1, 0.1]));
});
