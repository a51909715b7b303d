/** What the runs have in common from their options on: settled, opened, and then trained or planned. */
import { checkNames } from "../../host/checkCall.js";
import { openRuntime } from "../../host/device.js";
import { availableBytes } from "../../host/memory.js";
import type { Runtime } from "../../runtime/runtime.js";
import { type SettledRun, settle } from "./options/settle.js";
import type { CommonOptions } from "./options/shared.js";
import type { OptionTable } from "./options/table.js";
import { type PlannedData, planRun, type RunPlan } from "./plan.js";
import type { RunReport } from "./reports.js";
import { type PreparedRun, type RunSettings, runTraining } from "./runTraining.js";

/** What a run is told while it goes, and what it tells. */
export interface RunControl {
  /** Ends the run after the step that is under way. It is saved, and can be resumed. */
  signal?: AbortSignal;
  /** Called with every step, evaluation, sample and warning. */
  onReport?(report: RunReport): void;
}

const CONTROLS = ["signal", "onReport"] as const satisfies (keyof RunControl)[];

/** Where a run computes. */
export interface Machine {
  runtime: Runtime;
  /** Memory that can be taken, in bytes. */
  availableBytes(): number;
}

/** What a run is prepared from. */
export interface RunContext<Options> extends SettledRun<Options> {
  machine: Machine;
  /** Tells of what the run passes over. */
  warn(text: string): void;
}

/** A kind of run: its command, its options and how it is prepared from them. */
export interface RunType<Options extends CommonOptions> {
  command: "base" | "vae" | "router";
  /** The table that `Options` are settled from. */
  table: OptionTable;
  /** Opens what the options name, hands over the run, and closes all of it whatever happens. */
  prepare<Result>(
    context: RunContext<Options>,
    use: (run: PreparedRun, data: PlannedData) => Promise<Result>,
  ): Promise<Result>;
}

/** The options of the trainer that are no options of a run: MiniHF's Adam. */
const ADAM = { betas: [0.9, 0.99], eps: 1e-8 } as const;

/**
 * Trains. Returns whether the run is finished; false where it was aborted, to be resumed.
 * @throws BigVaeError as `settle`, `RunType.prepare` and `runTraining` do.
 */
export async function startRun<Options extends CommonOptions>(
  type: RunType<Options>,
  given: object,
  control: RunControl,
  machine?: Machine,
): Promise<boolean> {
  const context = await contextOf(type, given, control, false, machine);
  return type.prepare(context, (run) => {
    const { runtime, availableBytes } = context.machine;
    const { command, flags } = context.runFile;
    const runFile = { command, flags: { ...flags, ...run.settled } };
    const settings = { ...settingsOf(context.options), runFile, memoryBytes: availableBytes() };
    return runTraining(runtime, run, { ...settings, ...control });
  });
}

/** What training would take; nothing is written. @throws BigVaeError as `startRun` does. */
export async function planOf<Options extends CommonOptions>(
  type: RunType<Options>,
  given: object,
  control: Pick<RunControl, "onReport">,
): Promise<RunPlan> {
  const context = await contextOf(type, given, control, true);
  return type.prepare(context, (run, data) => {
    const { runtime, availableBytes } = context.machine;
    return planRun(runtime, run, data, { ...settingsOf(context.options), availableBytes: availableBytes() });
  });
}

async function contextOf<Options extends CommonOptions>(
  { command, table }: RunType<Options>,
  given: object,
  control: RunControl,
  isPlanned: boolean,
  machine?: Machine,
): Promise<RunContext<Options>> {
  checkNames(isPlanned ? `plan ${command}` : `train ${command}`, control, CONTROLS);
  const { onReport } = control;
  const settled = await settle<Options>({ command, table, isPlanned }, given);
  const { threads, device } = settled.options;
  return {
    ...settled,
    machine: machine ?? { runtime: await openRuntime({ threads, device }), availableBytes },
    warn: (text) => onReport?.({ kind: "warning", text }),
  };
}

function settingsOf(options: CommonOptions): Omit<RunSettings, "runFile" | "memoryBytes"> {
  const { output, resume, evalEvery, saveEvery, earlyStop, clipNorm, weightDecay } = options;
  const accumulation = options.gradientAccumulationSteps;
  return { output, resume, evalEvery, saveEvery, earlyStop, clipNorm, weightDecay, accumulation, ...ADAM };
}
