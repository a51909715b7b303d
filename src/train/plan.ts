/** `--dry-run`: how much a run would read, hold and take, from its graph and from two steps of it. Nothing is written. */
import { topologicalOrder } from "../graph/index.js";
import type { HostTensors, Runtime } from "../runtime/runtime.js";
import { Adam } from "./adam.js";
import { GradientRunner, lossAndGradients } from "./gradientRunner.js";
import { activationBytes } from "./memoryEstimate.js";
import type { Microbatch, Objective } from "./objective.js";
import type { PreparedRun } from "./run.js";
import { type TrainerOptions, trainStep } from "./trainer.js";

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

export interface MemoryPlan {
  /** Frozen and trained weights. */
  weights: number;
  /** Of the trained weights, twice where microbatches are added up. */
  gradients: number;
  /** Mean and square of Adam. */
  optimizer: number;
  /** What lies between the layers while a microbatch runs. */
  activations: number;
  /** Node, ONNX Runtime and this library. */
  process: number;
  total: number;
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

/** Measured: peak memory of six graphs, within 13 % with these. */
const PROCESS_BYTES = 145e6;
/** What a session holds for each node of its graph. */
const NODE_BYTES = 7e3;

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
  const { middle, largest } = await someMicrobatches(run.objective);
  const memoryBytes = await planMemory(run, largest, accumulation);
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

/** Steps whose microbatches are looked at: lengths are drawn, and memory is what the longest takes. */
const PLANNED_STEPS = 32;

/** The middle one and the largest of some microbatches, by the tokens and masks that are fed. */
async function someMicrobatches(objective: Objective): Promise<{ middle: Microbatch; largest: Microbatch }> {
  const sized: { microbatch: Microbatch; size: number }[] = [];
  for (let step = 1; step <= PLANNED_STEPS; step++) {
    const microbatch = await objective.microbatch(step, 0);
    sized.push({ microbatch, size: elements(microbatch.feeds) });
  }
  sized.sort((a, b) => a.size - b.size);
  return { middle: sized[PLANNED_STEPS / 2]!.microbatch, largest: sized.at(-1)!.microbatch };
}

async function planMemory(
  { objective }: PreparedRun,
  { graph }: Microbatch,
  accumulation: number,
): Promise<MemoryPlan> {
  const trained = objective.parameters.data.byteLength;
  const outputs = Object.values(lossAndGradients(graph()));
  const parts = {
    weights: 4 * elements(objective.frozen) + trained,
    gradients: trained * (accumulation > 1 ? 2 : 1),
    optimizer: 2 * trained,
    activations: activationBytes(outputs),
    process: PROCESS_BYTES + NODE_BYTES * topologicalOrder(outputs).length,
  };
  return { ...parts, total: Object.values(parts).reduce((sum, bytes) => sum + bytes, 0) };
}

function elements(tensors: HostTensors): number {
  return Object.values(tensors).reduce((sum, { data }) => sum + data.length, 0);
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
