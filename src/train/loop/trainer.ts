/** The training loop: microbatches, gradient accumulation, clipping, Adam, non-finite guard, log, checkpoints. */
import { BigVaeError } from "../../errors.js";
import type { FileOps } from "../../formats/index.js";
import type { Runtime } from "../../runtime/runtime.js";
import { Adam, type AdamOptions } from "./adam.js";
import { type Facts, newestCheckpoint, readArrays, type StateArrays, saveCheckpoint } from "./checkpoint.js";
import { GradientRunner, normOf } from "./gradientRunner.js";
import { type LearningRateSchedule, learningRate } from "./learningRate.js";
import type { Metrics, Objective } from "./objective.js";
import { WeightedMean } from "./weightedMean.js";

export interface TrainerOptions extends AdamOptions {
  schedule: LearningRateSchedule;
  /** Microbatches of one step: together they are as one large batch, which MiniHF's mean of means is where all count alike. */
  accumulation: number;
  /** Maximum gradient norm; no clipping by default. */
  clipNorm?: number;
  /** Checkpoint interval in steps. */
  saveEvery: number;
  /** Folder of the checkpoints. */
  checkpoints: string;
  /** Goes on from the newest checkpoint there. */
  resume: boolean;
  /** What is saved beside the step. */
  facts: Facts;
  /** Throws where the facts of the checkpoint are not those of a run that may go on from it. */
  checkFacts?(saved: Facts): void;
  /** Memory that sessions of microbatches may hold; those of more shapes take turns. */
  sessionBytes?: number;
  signal?: AbortSignal;
  /** Calls to the disk when checkpoints are written; Node's own by default. */
  fileOps?: FileOps;
  onStep?(report: StepReport): void | Promise<void>;
  /** Called once, before the first step: with the step of the checkpoint that the run goes on from, or 0. */
  onStart?(step: number): void | Promise<void>;
  /** A damaged checkpoint was passed over. */
  onWarning?(line: string): void;
  /** Asked before each step: true ends the run. */
  isOver?(step: number): boolean;
}

/** What came of a step. */
export interface StepReport {
  /** From 1. */
  step: number;
  /** Steps of the whole run. */
  totalSteps: number;
  /** Mean over the tokens of the step; NaN or infinite where the step was not applied. */
  metrics: Metrics;
  /** Euclidean norm before clipping. */
  gradientNorm: number;
  /** Learning rate of the step. */
  lr: number;
  /** Tokens that bear loss. */
  tokens: number;
  /** Time that it took. */
  seconds: number;
  /** False where loss or gradient was not finite. */
  applied: boolean;
}

/** Three non-finite steps in a row stop a run; none of them was applied, so that the state is that of the step before. */
const MAX_NON_FINITE = 3;

/** Trains until the last step, or until `signal` is aborted (the state is saved then, too). Returns the last step done. */
export async function train(runtime: Runtime, objective: Objective, options: TrainerOptions): Promise<number> {
  const adam = new Adam(objective.parameters, options);
  const runner = new GradientRunner(runtime, objective, options.sessionBytes);
  const arrays = { parameters: objective.parameters, mean: adam.mean, square: adam.square };
  let step = options.resume ? await resumeStep(options, arrays) : 0;
  let saved = step;
  let nonFinite = 0;
  const save = async () => {
    const state = { arrays, facts: { ...options.facts, step } };
    await saveCheckpoint(options.checkpoints, step, state, options.fileOps ? { ops: options.fileOps } : {});
    saved = step;
  };
  const isOver = () => step >= options.schedule.totalSteps || options.signal?.aborted || options.isOver?.(step);
  try {
    await options.onStart?.(step);
    while (!isOver()) {
      const report = await trainStep(runner, adam, options, step + 1);
      step++;
      nonFinite = report.applied ? 0 : nonFinite + 1;
      await options.onStep?.(report);
      if (nonFinite === MAX_NON_FINITE) {
        const diverged = step;
        step -= MAX_NON_FINITE;
        if (step > saved) await save();
        throw divergence(diverged, step > 0 ? options.checkpoints : undefined);
      }
      if (step % options.saveEvery === 0) await save();
    }
    if (step !== saved) await save();
    return step;
  } finally {
    await runner.release();
  }
}

async function resumeStep(options: TrainerOptions, arrays: StateArrays): Promise<number> {
  const found = await newestCheckpoint(options.checkpoints, (line) => options.onWarning?.(line));
  if (!found) return 0;
  options.checkFacts?.(found.facts);
  await readArrays(found, arrays);
  return found.facts.step as number;
}

/** Gradients of all microbatches, their mean, one step of Adam: not applied where it is not finite. */
export async function trainStep(
  runner: GradientRunner,
  adam: Adam,
  options: Pick<TrainerOptions, "accumulation" | "clipNorm" | "schedule">,
  step: number,
): Promise<StepReport> {
  const started = performance.now();
  const mean = new WeightedMean();
  let tokens = 0;
  runner.reset();
  for (let index = 0; index < options.accumulation; index++) {
    const microbatch = await runner.objective.microbatch(step, index);
    mean.add(await runner.run(microbatch), microbatch.weight);
    tokens += microbatch.tokens;
  }
  const { values: metrics } = mean;
  const gradientNorm = normOf(runner.gradients.data) * runner.meanFactor;
  const applied = Number.isFinite(gradientNorm) && Number.isFinite(metrics.loss);
  const lr = learningRate(options.schedule, step);
  if (applied) {
    const clip = Math.min(1, (options.clipNorm ?? Number.POSITIVE_INFINITY) / gradientNorm);
    adam.apply(runner.gradients, step, lr, clip * runner.meanFactor);
  }
  const seconds = (performance.now() - started) / 1000;
  const { totalSteps } = options.schedule;
  return { step, totalSteps, metrics, gradientNorm, lr, tokens, seconds, applied };
}

function divergence(step: number, checkpoints: string | undefined): BigVaeError {
  const advice = checkpoints
    ? `the last good state is in ${checkpoints}; go on from it with \`resume\` and a lower \`lr\` or \`clipNorm\` 1`
    : `no step was applied; look at the model and the data, or start again with a lower \`lr\``;
  return new BigVaeError("diverged", {
    subject: "train",
    expected: "a finite loss",
    got: `${MAX_NON_FINITE} steps in a row that were not, the last at step ${step}`,
    remedy: advice,
  });
}
