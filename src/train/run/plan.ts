/** What a run would read, hold and take, from its graphs and from two steps of it. Nothing is written. */
import type { Runtime } from "../../runtime/runtime.js";
import { Adam } from "../loop/adam.js";
import { GradientRunner } from "../loop/gradientRunner.js";
import { elements, type MemoryPlan, planMemory, someMicrobatches } from "../loop/memoryPlan.js";
import type { Microbatch } from "../loop/objective.js";
import { type TrainerOptions, trainStep } from "../loop/trainer.js";
import type { Reading } from "../objectives/rowOrder.js";
import type { PreparedRun } from "./runTraining.js";

/** What a run would take. */
export interface RunPlan {
  /** base, vae or router. */
  kind: string;
  /** Rows of the training split. */
  rows: number;
  /** Tokens of each row. */
  tokensPerRow: number;
  /** Rows that a step reads; the mean where some microbatches are made of short texts, which read none. */
  rowsPerStep: number;
  /** Steps of the whole run. */
  steps: number;
  /** Tokens of the rows and short texts that are read in all. */
  tokens: number;
  /** Passes over the rows that they are. */
  epochs: number;
  /** Number of trained values. */
  trainableParameters: number;
  /** Number of values that are fed and never changed. */
  frozenParameters: number;
  /** Bytes by what they are needed for. */
  memoryBytes: MemoryPlan;
  /** Free memory in bytes. */
  availableBytes: number;
  /** Measured; undefined where the memory is not there. */
  secondsPerStep?: number;
  /** Of all steps. */
  seconds?: number;
}

/** The data of a run, and what each of its microbatches reads of it. */
export interface PlannedData {
  rowCount: number;
  tokensPerRow: number;
  /** Of microbatch `index` (from 0) of step `step` (from 1). */
  reads(step: number, index: number): Reading;
}

interface PlanSettings extends Pick<TrainerOptions, "accumulation" | "clipNorm" | "betas" | "eps" | "weightDecay"> {
  /** Free memory in bytes: a run that needs more is not tried. */
  availableBytes: number;
}

/** Plans a run; measures its speed where the memory is there. */
export async function planRun(
  runtime: Runtime,
  run: PreparedRun,
  data: PlannedData,
  settings: PlanSettings,
): Promise<RunPlan> {
  const { rowCount, tokensPerRow } = data;
  const { accumulation, availableBytes } = settings;
  const { totalSteps } = run.schedule;
  const read = readInAll(data, totalSteps, accumulation);
  const { middle, shapes } = await someMicrobatches(run.objective);
  const memoryBytes = planMemory(run.objective, shapes, accumulation, availableBytes);
  const measured =
    memoryBytes.total <= availableBytes ? await secondsOfStep(runtime, run, middle, settings) : undefined;
  return {
    kind: `${run.facts.kind}`,
    rows: rowCount,
    tokensPerRow,
    rowsPerStep: read.rows / totalSteps,
    steps: totalSteps,
    tokens: read.tokens,
    epochs: read.rows / rowCount,
    trainableParameters: run.objective.parameters.data.length,
    frozenParameters: elements(run.objective.frozen),
    memoryBytes,
    availableBytes,
    ...(measured === undefined ? {} : { secondsPerStep: measured, seconds: measured * totalSteps }),
  };
}

function readInAll({ reads }: PlannedData, steps: number, accumulation: number): Reading {
  const all = { rows: 0, tokens: 0 };
  for (let step = 1; step <= steps; step++) {
    for (let index = 0; index < accumulation; index++) {
      const { rows, tokens } = reads(step, index);
      all.rows += rows;
      all.tokens += tokens;
    }
  }
  return all;
}

/** The second of two steps of the same microbatch: the first one makes the session. */
async function secondsOfStep(
  runtime: Runtime,
  run: PreparedRun,
  microbatch: Microbatch,
  settings: PlanSettings,
): Promise<number> {
  const adam = new Adam(run.objective.parameters, settings);
  const runner = new GradientRunner(runtime, { ...run.objective, microbatch: async () => microbatch });
  try {
    const planned = { ...settings, schedule: run.schedule };
    await trainStep(runner, adam, planned, 1);
    return (await trainStep(runner, adam, planned, 2)).seconds;
  } finally {
    await runner.release();
  }
}
