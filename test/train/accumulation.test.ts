/** Four microbatches of a row are one of four rows, padded ones among them: the same loss, gradients and weights, to rounding. */
import { expect, it } from "vitest";
import type { ShardRow } from "../../src/data/index.js";
import { Rng } from "../../src/rng.js";
import { Adam } from "../../src/train/loop/adam.js";
import { Evaluator } from "../../src/train/loop/evaluator.js";
import { GradientRunner } from "../../src/train/loop/gradientRunner.js";
import type { Microbatch, Objective } from "../../src/train/loop/objective.js";
import { trainStep } from "../../src/train/loop/trainer.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { baseObjective } from "../../src/train/objectives/baseObjective.js";
import { overlapExample } from "../../src/train/objectives/overlapExamples.js";
import { overlapMicrobatch, overlapObjective } from "../../src/train/objectives/overlapObjective.js";
import { routerExample, routerMicrobatch, routerObjective } from "../../src/train/objectives/routerObjective.js";
import { RowOrder } from "../../src/train/objectives/rowOrder.js";
import { keptFirst, type VaeExample } from "../../src/train/objectives/vaeFeeds.js";
import type { VaeShape } from "../../src/vae/loss.js";
import { runtime, tinyBase } from "./tiny.js";

const ROWS = 4;
const SPAN = 8;
const Z_DIM = 8;
const VOCABULARY = 40;
const base = tinyBase(VOCABULARY);
const { config } = base;
const rng = Rng.fromSeed("accumulation");

/** Rows of `length` tokens, of which these many are no padding. */
function paddedRows(length: number, seen: readonly number[]): ShardRow[] {
  const ids = rng.fork("rows", length);
  return seen.map((count) => ({
    inputIds: Int32Array.from({ length }, () => ids.integer(VOCABULARY)),
    attentionMask: new Int32Array(length).fill(1, 0, count),
  }));
}

const lora = { rank: 2, alpha: 2, targets: ["q_proj", "v_proj", "down_proj"] };
const shape: VaeShape = { config, zDim: Z_DIM, encoder: lora, writer: lora };
const frozen = { ...base.weights.tensors, ...ropeFeeds(config, 40) };

/** Gives examples as one microbatch or as one each; each keeps its own noise. */
function divided(
  examples: readonly VaeExample[],
  accumulation: number,
  microbatch: (examples: readonly VaeExample[], eps: Float32Array) => Microbatch,
): Objective["microbatch"] {
  const sorted = keptFirst(examples);
  const eps = rng.fork("eps").normals(ROWS * Z_DIM);
  const count = ROWS / accumulation;
  return async (_, index) => {
    const [begin, end] = [index * count, (index + 1) * count];
    return microbatch(sorted.slice(begin, end), eps.slice(begin * Z_DIM, end * Z_DIM));
  };
}

/** Adapters are zero at first, where half of the gradients are, too. */
function spread(objective: Objective): Objective {
  const values = rng.fork("spread").normals(objective.parameters.data.length);
  for (let i = 0; i < values.length; i++) objective.parameters.data[i]! += 0.1 * values[i]!;
  return objective;
}

const unused = new RowOrder({ rowCount: 0, row: () => Promise.reject(new Error("no rows")) }, 1, 1, rng);

const OBJECTIVES: Record<string, (accumulation: number) => Objective> = {
  base(accumulation) {
    const rows = paddedRows(16, [16, 16, 9, 3]);
    const source = { rowCount: ROWS, row: async (index: number) => rows[index]! };
    const batchSize = ROWS / accumulation;
    const order = new RowOrder(source, batchSize, accumulation, rng.fork("order"));
    return baseObjective({ config, rows: order, contextLength: 15, batchSize, rng });
  },
  vae(accumulation) {
    const rows = paddedRows(2 * SPAN, [16, 14, 11, 9]);
    const examples = rows.map((row, i) => overlapExample(row, SPAN, { drop: i % 2 === 0 }));
    const schedule = { klWeight: 0.1, klRampSteps: 1, noise: { scale: 1, start: 1, rampSteps: 1 } };
    const options = { shape, frozen, rows: unused, span: SPAN, gap: SPAN, edgeWeights: true, rng, ...schedule };
    const cuts = { dropPrefix: 0.5, shiftedSpans: false, encodeLast: false, maskedPrefix: false, shortSpans: 0 };
    const microbatch = divided(examples, accumulation, (some, eps) =>
      overlapMicrobatch({ ...options, noiseScale: 1 }, some, eps, 0.1),
    );
    return spread({ ...overlapObjective({ ...options, ...cuts }), microbatch });
  },
  router(accumulation) {
    const rows = paddedRows(3 * SPAN, [24, 20, 15, 10]);
    const examples = rows.map((row, i) => routerExample(row, SPAN, SPAN, i % 2 === 0));
    const { parameters: vae } = OBJECTIVES.vae!(1);
    const fixed = { ...frozen, ...vae.tensors };
    const options = {
      shape,
      frozen: fixed,
      rows: unused,
      contextLength: 3 * SPAN,
      span: SPAN,
      indexStep: 1,
      noiseScale: 1,
      rng,
    };
    const microbatch = divided(examples, accumulation, (some, eps) => routerMicrobatch(options, some, eps));
    return spread({ ...routerObjective(options), microbatch });
  },
};

/** Euclidean distance over the length of the second. */
function relativeError(a: Float32Array, b: Float32Array): number {
  const squares = (values: (i: number) => number) => b.reduce((sum, _, i) => sum + values(i) ** 2, 0);
  return Math.sqrt(squares((i) => a[i]! - b[i]!) / squares((i) => b[i]!));
}

/** Two steps; eps of Adam is large, so that it does not blow up the rounding of gradients that are almost zero. */
async function twoSteps(objective: Objective, accumulation: number) {
  const options = {
    ...{ accumulation, clipNorm: 1, betas: [0.9, 0.99] as const, eps: 1e-3, weightDecay: 0 },
    schedule: { lr: 1e-2, warmup: 0, decay: "constant" as const, totalSteps: 2 },
  };
  const adam = new Adam(objective.parameters, options);
  const runner = new GradientRunner(runtime, objective);
  try {
    const first = await trainStep(runner, adam, options, 1);
    const gradient = runner.gradients.data.map((value) => value * runner.meanFactor);
    await trainStep(runner, adam, options, 2);
    return { ...first, gradient, weights: objective.parameters.data };
  } finally {
    await runner.release();
  }
}

it.each(Object.entries(OBJECTIVES))("in training a %s", async (_, objective) => {
  const four = await twoSteps(objective(ROWS), ROWS);
  const one = await twoSteps(objective(1), 1);
  expect(Object.keys(four.metrics)).toEqual(Object.keys(one.metrics));
  for (const [name, value] of Object.entries(one.metrics)) expect(four.metrics[name]! / value, name).toBeCloseTo(1, 5);
  expect(four.gradientNorm / one.gradientNorm).toBeCloseTo(1, 5);
  expect(relativeError(four.gradient, one.gradient)).toBeLessThan(1e-5);
  expect(relativeError(four.weights, one.weights)).toBeLessThan(1e-6);
});

it.each(Object.entries(OBJECTIVES))("in a look at a %s", async (_, objective) => {
  const look = async (accumulation: number) => {
    const divided = objective(accumulation);
    const evaluator = new Evaluator(runtime, divided);
    const indices = Array.from({ length: accumulation }, (_, index) => index);
    const microbatches = await Promise.all(indices.map((index) => divided.microbatch(1, index)));
    return evaluator.evaluate(microbatches).finally(() => evaluator.release());
  };
  const [four, one] = [await look(ROWS), await look(1)];
  for (const [name, value] of Object.entries(one)) expect(four[name]! / value, name).toBeCloseTo(1, 5);
});
