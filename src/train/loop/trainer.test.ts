/** One step: the mean of the gradients of its microbatches, clipped, at the rate of the schedule. */
import { describe, expect, it } from "vitest";
import { runtime } from "../../../test/train/tiny.js";
import { input, mul, sumAll } from "../../graph/index.js";
import { float32 } from "../../runtime/runtime.js";
import { Adam } from "./adam.js";
import { FlatTensors } from "./flatTensors.js";
import { GradientRunner } from "./gradientRunner.js";
import type { Objective } from "./objective.js";
import { type TrainerOptions, trainStep } from "./trainer.js";

/** A microbatch of the loss w . x, whose gradient is x, and how much it counts. */
interface Dot {
  x: readonly [number, number];
  weight: number;
}

/** w = (1, 2). */
function dots(microbatches: readonly Dot[]): Objective {
  const parameters = new FlatTensors(new Map([["w", [2]]]));
  parameters.set("w", [1, 2]);
  const graph = () => {
    const w = input("w", [2]);
    return { loss: sumAll(mul(w, input("x", [2]))), metrics: {}, parameters: new Map([["w", w]]) };
  };
  const microbatch = async (_: number, index: number) => {
    const { x, weight } = microbatches[index]!;
    return { shapeKey: "dot", graph, feeds: { x: float32(Float32Array.from(x), 2) }, weight, tokens: 10 };
  };
  return { parameters, frozen: {}, microbatch };
}

/** What the first step of Adam takes note of is a tenth of the gradient that it is given. */
async function stepOf(microbatches: readonly Dot[], change: Partial<TrainerOptions> = {}) {
  const objective = dots(microbatches);
  const adam = new Adam(objective.parameters, { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0 });
  const runner = new GradientRunner(runtime, objective);
  const schedule = { lr: 0.5, warmup: 5, decay: "constant" as const, totalSteps: 9 };
  const options = { accumulation: microbatches.length, schedule, ...change };
  const report = await trainStep(runner, adam, options, 1).finally(() => runner.release());
  const rounded = (values: Float32Array, factor: number) =>
    Array.from(values, (value) => Number((factor * value).toFixed(5)));
  return { report, gradient: rounded(adam.mean.data, 10), w: rounded(objective.parameters.data, 1) };
}

describe("the gradients of a step", () => {
  it("are the mean of its microbatches, each as much as it counts", async () => {
    const { report, gradient } = await stepOf([
      { x: [4, 0], weight: 1 },
      { x: [0, 4], weight: 3 },
    ]);
    expect(gradient).toEqual([1, 3]);
    expect(report.gradientNorm).toBeCloseTo(Math.sqrt(10), 5);
    expect(report.metrics.loss).toBeCloseTo((1 * 4 + 3 * 8) / 4, 5);
    expect(report.tokens).toBe(20);
  });

  it("know nothing of a microbatch that counts nothing, be it the first", async () => {
    const dot = { x: [3, -1], weight: 2 } as const;
    const nothing = { x: [9, 9], weight: 0 } as const;
    for (const microbatches of [[dot], [dot, nothing], [nothing, dot]])
      expect((await stepOf(microbatches)).gradient).toEqual([3, -1]);
  });
});

describe("clipping", () => {
  it("shortens a gradient to the maximum norm and keeps its direction; the norm that is told is the one before", async () => {
    const { report, gradient } = await stepOf([{ x: [3, 4], weight: 1 }], { clipNorm: 1 });
    expect(gradient).toEqual([0.6, 0.8]);
    expect(report.gradientNorm).toBeCloseTo(5, 5);
  });

  it("is of the mean of all microbatches, not of each", async () => {
    const two = [
      { x: [6, 0], weight: 1 },
      { x: [0, 8], weight: 1 },
    ] as const;
    expect((await stepOf(two, { clipNorm: 2.5 })).gradient).toEqual([1.5, 2]);
  });

  it.each([undefined, 5, 10])("leaves a gradient of norm 5 alone at %s", async (clipNorm) => {
    expect((await stepOf([{ x: [3, 4], weight: 1 }], { clipNorm })).gradient).toEqual([3, 4]);
  });
});

it("a step has the rate of the schedule", async () => {
  const { report, w } = await stepOf([{ x: [3, -4], weight: 1 }]);
  expect(report.lr).toBeCloseTo(0.1, 9);
  expect(w).toEqual([0.9, 2.1]);
});

it("a step that is not finite changes nothing", async () => {
  const { report, gradient, w } = await stepOf([{ x: [Number.POSITIVE_INFINITY, 0], weight: 1 }]);
  expect([report.applied, gradient, w]).toEqual([false, [0, 0], [1, 2]]);
});
