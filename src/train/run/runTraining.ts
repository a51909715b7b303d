/** A training run in a folder: one writer, its log, held-out losses, checkpoints, and the finished model at the end. */
import { join } from "node:path";
import { BigVaeError } from "../../errors.js";
import { makeFolder } from "../../formats/fileOps.js";
import { lockFolder, removeStaleTemporaries } from "../../formats/index.js";
import type { Runtime } from "../../runtime/runtime.js";
import { newestStep, removeUnfinished } from "../loop/checkpoint.js";
import { EarlyStop } from "../loop/earlyStop.js";
import { Evaluator } from "../loop/evaluator.js";
import { roomForSessions } from "../loop/memoryPlan.js";
import type { Metrics, Microbatch, Objective } from "../loop/objective.js";
import { type StepReport, type TrainerOptions, train } from "../loop/trainer.js";
import { checkFacts } from "./facts.js";
import type { RunReport } from "./reports.js";
import { type RunFile, writeRunFile } from "./runFile.js";
import { RunLog } from "./runLog.js";

/** How a run goes, whatever it trains. */
export interface RunSettings
  extends Omit<
    TrainerOptions,
    "checkpoints" | "facts" | "checkFacts" | "schedule" | "onStep" | "onStart" | "onWarning" | "isOver"
  > {
  output: string;
  /** Evaluation interval in steps. */
  evalEvery: number;
  /** Evaluations without a lower held-out loss that end the run; the best parameters are kept then. Never by default. */
  earlyStop?: number;
  /** Kept as run.json, so that the folder is enough to resume the run. */
  runFile?: RunFile;
  /** Free memory: a run that needs more is refused, and what is left over is for sessions of more shapes. */
  memoryBytes?: number;
  onReport?(report: RunReport): void;
}

/** What is trained on what, and what comes of it. */
export interface PreparedRun extends Pick<TrainerOptions, "facts" | "schedule"> {
  objective: Objective;
  /** Microbatches of the validation split. */
  heldOut: readonly Microbatch[];
  /** The same, each row with the z of another one: where z is used, their loss is the higher one. */
  shuffled?: readonly Microbatch[];
  /** Called at each evaluation: what the model does by now, as lines of the log. */
  samples?(signal?: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Options that were left to the machine, as it chose: a resumed run keeps to them. */
  settled?: Readonly<Record<string, unknown>>;
  /** Writes the finished model into the output folder. */
  finish(step: number, signal?: AbortSignal): Promise<void>;
}

/**
 * Runs to the last step (then writes the finished model), or until aborted. Returns whether it is finished.
 * @throws BigVaeError: "usage" for a folder that holds a run already, "mismatch" for other options than it was started with,
 * "format" where all its checkpoints are damaged, "memory" where it does not fit, "locked", "disk", "diverged".
 */
export async function runTraining(runtime: Runtime, run: PreparedRun, options: RunSettings): Promise<boolean> {
  const { output } = options;
  const sessionBytes = await roomForSessions(run.objective, options);
  await makeFolder(output);
  const lock = await lockFolder(output);
  try {
    await openFolder(options);
    const log = await RunLog.open(output);
    const evaluator = new Evaluator(runtime, run.objective, sessionBytes);
    try {
      return await new RunInFolder(runtime, run, { ...options, sessionBytes }, log, evaluator).toTheEnd();
    } finally {
      await evaluator.release();
      await log.close();
    }
  } finally {
    await lock.release();
  }
}

/** Where the checkpoints of a run lie. */
function checkpointFolder(output: string): string {
  return join(output, "checkpoints");
}

/** Folders in which a finished model is written. */
const WRITTEN = ["", "encoder", "decoder", "router"];

/** Refuses a folder that another run has begun, and clears away what a dead writer left. */
async function openFolder({ output, resume }: RunSettings): Promise<void> {
  const begun = await newestStep(checkpointFolder(output));
  if (begun !== undefined && !resume) {
    throw new BigVaeError("usage", {
      subject: `\`output\` ${output}`,
      expected: "a folder without a run",
      got: `one that has come to step ${begun}`,
      remedy: "add `resume` to go on with it, or name another `output`",
    });
  }
  for (const part of WRITTEN) await removeStaleTemporaries(join(output, part));
  for (const part of [checkpointFolder(output), join(output, "best")]) await removeUnfinished(part);
}

/** Whether the work came to its end; false where it was aborted. Any other error stays one, whatever the signal says. */
async function completed(work: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return false;
    throw error;
  }
}

class RunInFolder {
  constructor(
    readonly runtime: Runtime,
    readonly run: PreparedRun,
    readonly options: RunSettings,
    readonly log: RunLog,
    readonly evaluator: Evaluator,
  ) {}

  async toTheEnd(): Promise<boolean> {
    const { run, options } = this;
    const { objective, schedule, facts } = run;
    const early = await this.#earlyStop();
    const last = await train(this.runtime, objective, {
      ...options,
      facts,
      checkFacts: (saved) => checkFacts(saved, facts),
      schedule,
      checkpoints: checkpointFolder(options.output),
      onStep: (report) => this.#step(report, early),
      onStart: (step) => this.#started(step, early),
      onWarning: (text) => this.#warn(text),
      isOver: (step) => early?.isOver(step) ?? false,
    });
    const stopped = early?.isOver(last) ?? false;
    if (last < schedule.totalSteps && !stopped) return false;
    const best = await early?.restore();
    if (best !== undefined) {
      await this.log.record({ step: last, best });
      options.onReport?.({ kind: "earlyStop", step: last, best });
    }
    return completed(run.finish(best ?? last, options.signal), options.signal);
  }

  async #earlyStop(): Promise<EarlyStop | undefined> {
    const { output, earlyStop: patience, evalEvery, resume } = this.options;
    if (patience === undefined) return undefined;
    if (this.run.heldOut.length === 0) {
      throw new BigVaeError("usage", {
        subject: "`earlyStop`",
        expected: "validation rows to evaluate on",
        got: "none",
        remedy: "prepare more text, or leave out `earlyStop`",
      });
    }
    const { parameters } = this.run.objective;
    return EarlyStop.open({ output, parameters, patience, evalEvery }, resume, (text) => this.#warn(text));
  }

  /** Keeps the options, which fit by now, and brings the log to where the run goes on. An evaluation that was stopped is made up for. */
  async #started(step: number, early: EarlyStop | undefined): Promise<void> {
    const { output, runFile } = this.options;
    const { totalSteps } = this.run.schedule;
    if (step > totalSteps)
      throw new BigVaeError("usage", {
        subject: "`steps`",
        expected: `at least ${step}, which the run has done`,
        got: totalSteps,
        remedy: "give more, or start another run with another `output`",
      });
    if (runFile) await writeRunFile(output, runFile);
    await this.log.cutAfter(step);
    if (step === 0) return;
    await this.log.record({ step, resumed: true });
    if (this.#isEvaluated(step) && this.log.lastEvaluation !== step) await this.#evaluate(step, early);
  }

  async #step(report: StepReport, early: EarlyStop | undefined): Promise<void> {
    await this.log.step(report);
    this.options.onReport?.({ kind: "step", ...report });
    if (report.applied && this.#isEvaluated(report.step)) await this.#evaluate(report.step, early);
  }

  #isEvaluated(step: number): boolean {
    return step % this.options.evalEvery === 0 || step === this.run.schedule.totalSteps;
  }

  #evaluate(step: number, early: EarlyStop | undefined): Promise<boolean> {
    return completed(this.#evaluateAll(step, early), this.options.signal);
  }

  async #evaluateAll(step: number, early: EarlyStop | undefined): Promise<void> {
    const { signal, onReport } = this.options;
    if (this.run.heldOut.length > 0) {
      const metrics = await this.#heldOutMetrics();
      await this.log.evaluation(step, metrics);
      onReport?.({ kind: "heldOut", step, metrics });
      await early?.evaluated(step, metrics.loss);
    }
    for (const sample of (await this.run.samples?.(signal)) ?? []) {
      await this.log.record({ step, sample });
      onReport?.({ kind: "sample", step, sample });
    }
  }

  /** Of the microbatches with the z of other rows, only the cross entropy is of interest. */
  async #heldOutMetrics(): Promise<Metrics> {
    const { heldOut, shuffled } = this.run;
    const metrics = await this.evaluator.evaluate(heldOut, this.options.signal);
    if (!shuffled) return metrics;
    const { loss, rec = loss } = await this.evaluator.evaluate(shuffled, this.options.signal);
    return { ...metrics, shuffled: rec };
  }

  #warn(text: string): void {
    this.options.onReport?.({ kind: "warning", text });
  }
}
