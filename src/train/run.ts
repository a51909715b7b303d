/** A training run in a folder: one writer, its log, held-out losses, checkpoints, and the finished model at the end. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { lockFolder, removeStaleTemporaries } from "../formats/index.js";
import type { Runtime } from "../runtime/runtime.js";
import { Evaluator } from "./evaluator.js";
import type { Microbatch, Objective } from "./objective.js";
import { RunLog } from "./runLog.js";
import { type StepReport, type TrainerOptions, train } from "./trainer.js";

export interface RunOptions extends Omit<TrainerOptions, "checkpoints" | "onStep"> {
  output: string;
  /** Microbatches of the validation split. */
  heldOut: readonly Microbatch[];
  /** Steps between looks at the held-out loss and at samples; the first look is before the first step. */
  evalEvery: number;
  /** Called at each look: what the model does by now, as lines of the log. */
  samples?(): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Writes the finished model into `output`. */
  finish(): Promise<void>;
  onReport?(report: RunReport): void;
}

/** What a run tells: each step, and each look at held-out data. */
export type RunReport =
  | ({ kind: "step" } & StepReport)
  | { kind: "heldOut"; step: number; metrics: Readonly<Record<string, number>> }
  | { kind: "sample"; step: number; sample: Readonly<Record<string, unknown>> };

/** Runs to the last step (then writes the finished model), or until aborted. Returns whether it is finished. */
export async function runTraining(runtime: Runtime, objective: Objective, options: RunOptions): Promise<boolean> {
  const { output, evalEvery, schedule } = options;
  await mkdir(output, { recursive: true });
  const lock = await lockFolder(output);
  const log = new RunLog(output);
  const evaluator = new Evaluator(runtime, objective, options.heldOut);
  const look = async (step: number) => {
    if (options.heldOut.length > 0) {
      const metrics = await evaluator.evaluate();
      log.record({ step, heldOut: metrics });
      options.onReport?.({ kind: "heldOut", step, metrics });
    }
    for (const sample of (await options.samples?.()) ?? []) {
      log.record({ step, sample });
      options.onReport?.({ kind: "sample", step, sample });
    }
  };
  try {
    await removeStaleTemporaries(output);
    const onStep = async (report: StepReport) => {
      log.step(report);
      options.onReport?.({ kind: "step", ...report });
      if (report.step % evalEvery === 0 || report.step === schedule.totalSteps) await look(report.step);
    };
    const last = await train(runtime, objective, { ...options, checkpoints: join(output, "checkpoints"), onStep });
    const finished = last >= schedule.totalSteps;
    if (finished) await options.finish();
    return finished;
  } finally {
    await evaluator.release();
    await log.close();
    await lock.release();
  }
}
