/** `--dry-run`: how much a run would read, hold and take, from its graph and from two steps of it. Nothing is written. */
import type { Runtime } from "../../runtime/runtime.js";
import { Adam } from "../loop/adam.js";
import { GradientRunner } from "../loop/gradientRunner.js";
import { elements, type MemoryPlan, planMemory, someMicrobatches } from "../loop/memoryPlan.js";
import type { Microbatch } from "../loop/objective.js";
import { type TrainerOptions, trainStep } from "../loop/trainer.js";
import type { PreparedRun } from "./runTraining.js";

/** What a run would take. */
export interface RunPlan {
  kind: string;
  /** Rows of the training split, and the tokens of each. */
  rows: number;
  tokensPerRow: number;
  rowsPerStep: number;
  steps: number;
  /** Tokens read in all, and passes over the data that they are. */
  tokens: number;
  epochs: number;
  trainableParameters: number;
  frozenParameters: number;
  memoryBytes: MemoryPlan;
  /** Undefined where the memory is not there. */
  secondsPerStep?: number;
  seconds?: number;
}

export interface PlanOptions {
  /** Free memory in bytes: a run that needs more is not tried. */
  availableBytes: number;
}

interface PlannedOptions extends Pick<TrainerOptions, "accumulation" | "clipNorm" | "betas" | "eps" | "weightDecay"> {
  rowCount: number;
  columns: number;
  batchSize: number;
}

/** Plans a run; measures its speed where the memory is there. */
export async function planRun(
  runtime: Runtime,
  run: PreparedRun,
  options: PlannedOptions,
  { availableBytes }: PlanOptions,
): Promise<RunPlan> {
  const { rowCount, columns, batchSize, accumulation } = options;
  const { totalSteps } = run.schedule;
  const rowsPerStep = batchSize * accumulation;
  const { middle, shapes } = await someMicrobatches(run.objective);
  const memoryBytes = planMemory(run.objective, shapes, accumulation, availableBytes);
  const measured = memoryBytes.total <= availableBytes ? await secondsOfStep(runtime, run, middle, options) : undefined;
  return {
    kind: `${run.facts.kind}`,
    rows: rowCount,
    tokensPerRow: columns,
    rowsPerStep,
    steps: totalSteps,
    tokens: totalSteps * rowsPerStep * columns,
    epochs: (totalSteps * rowsPerStep) / rowCount,
    trainableParameters: run.objective.parameters.data.length,
    frozenParameters: elements(run.objective.frozen),
    memoryBytes,
    ...(measured === undefined ? {} : { secondsPerStep: measured, seconds: measured * totalSteps }),
  };
}

/** The second of two steps of the same microbatch: the first one makes the session. */
async function secondsOfStep(
  runtime: Runtime,
  run: PreparedRun,
  microbatch: Microbatch,
  options: PlannedOptions,
): Promise<number> {
  const adam = new Adam(run.objective.parameters, options);
  const runner = new GradientRunner(runtime, { ...run.objective, microbatch: async () => microbatch });
  try {
    const planned = { ...options, schedule: run.schedule };
    await trainStep(runner, adam, planned, 1);
    return (await trainStep(runner, adam, planned, 2)).seconds;
  } finally {
    await runner.release();
  }
}
