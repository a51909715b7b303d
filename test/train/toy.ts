/** The smallest thing that can be trained: w [8] drawn to noisy points, so that a test of the trainer takes no model. */
import { input, mul, sub, sumAll } from "../../src/graph/index.js";
import { Rng } from "../../src/rng.js";
import { float32 } from "../../src/runtime/runtime.js";
import { FlatTensors } from "../../src/train/loop/flatTensors.js";
import type { Objective } from "../../src/train/loop/objective.js";
import type { TrainerOptions } from "../../src/train/loop/trainer.js";

const WIDTH = 8;

/** loss = scale * sum (w - x)^2, x = 1 + noise of (step, index). `spoil` may put any number in place of the scale. */
export function toyObjective(spoil: (step: number, index: number) => number = () => 1): Objective {
  const rng = Rng.fromSeed("toy");
  const parameters = new FlatTensors(new Map([["w", [2, WIDTH / 2]]]));
  const graph = () => {
    const w = input("w", [2, WIDTH / 2]);
    const apart = sub(w, input("x", [2, WIDTH / 2]));
    return { loss: mul(sumAll(mul(apart, apart)), input("scale", [])), metrics: {}, parameters: new Map([["w", w]]) };
  };
  return {
    parameters,
    frozen: {},
    async microbatch(step, index) {
      const x = rng
        .fork(step, index)
        .normals(WIDTH)
        .map((value) => 1 + 0.1 * value);
      const feeds = { x: float32(x, 2, WIDTH / 2), scale: float32(Float32Array.of(spoil(step, index))) };
      return { shapeKey: "toy", graph, feeds, weight: 1, tokens: WIDTH };
    },
  };
}

/** Steps of 0.01 without decay, a checkpoint at every second one. */
export function toyOptions(checkpoints: string, totalSteps: number): TrainerOptions {
  return {
    schedule: { lr: 0.01, warmup: 0, decay: "constant", totalSteps },
    betas: [0.9, 0.99],
    eps: 1e-8,
    weightDecay: 0,
    accumulation: 2,
    saveEvery: 2,
    checkpoints,
    resume: false,
    facts: { kind: "toy" },
  };
}

/** A state as a run saves it, whose values tell the step. */
export function stateOf(step: number) {
  const shapes = new Map([["w", [4, 8]]]);
  const arrays = { parameters: new FlatTensors(shapes), mean: new FlatTensors(shapes) };
  arrays.parameters.data.fill(step);
  arrays.mean.data.fill(-step);
  return { arrays, facts: { kind: "test", step } };
}
