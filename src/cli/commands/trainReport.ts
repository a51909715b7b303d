/** What `bigvae train` prints: progress while it runs, its end, and the plan of --dry-run. */
import { EXIT_CODES } from "../../errors.js";
import type { RunControl, RunPlan, RunReport } from "../../train/index.js";
import { duration, type Progress, progress } from "../progress.js";
import { printJson, reportWritten, warn } from "../shared.js";

export interface ReportFlags {
  output: string;
  json: boolean;
  quiet: boolean;
}

/** Runs with a bar, and prints where the model lies. An aborted run, which can be resumed, ends with its own exit code. */
export async function reportRun(
  flags: ReportFlags,
  run: (onReport: (report: RunReport) => void) => Promise<boolean>,
): Promise<void> {
  const bar = progress(flags.quiet);
  try {
    const finished = await run((report) => show(flags, bar, report));
    if (!finished) process.exitCode = EXIT_CODES.aborted;
    const sentence = finished ? "finished" : "stopped; go on with --resume";
    reportWritten(flags, { output: flags.output, finished }, `${flags.output}: ${sentence}`);
  } finally {
    bar.stop();
  }
}

/** Steps move the bar, evaluations print a line. */
function show(flags: { quiet: boolean }, bar: Progress, report: RunReport): void {
  const named = (values: Readonly<Record<string, number>>) =>
    Object.entries(values)
      .map(([name, value]) => `${name} ${value.toFixed(4)}`)
      .join(" ");
  switch (report.kind) {
    case "step": {
      const { step, totalSteps, metrics, lr, tokens, seconds, applied } = report;
      const note = `${named(metrics)} lr ${lr.toExponential(1)} ${Math.round(tokens / seconds)} tokens/s`;
      bar.update(step, totalSteps, applied ? note : `${note} (not finite, not applied)`);
      break;
    }
    case "heldOut":
      bar.print(`step ${report.step}, held out: ${named(report.metrics)}`);
      break;
    case "sample":
      bar.print(`step ${report.step}: ${JSON.stringify(report.sample)}`);
      break;
    case "earlyStop":
      bar.print(`step ${report.step}: the parameters of step ${report.best} are kept, the best on held-out rows`);
      break;
    case "warning":
      warn(flags, report.text);
  }
}

/** A control that prints the warnings of a run that is only planned. */
export function showWarnings(flags: { quiet: boolean }): RunControl {
  return {
    onReport(report) {
      if (report.kind === "warning") warn(flags, report.text);
    },
  };
}

/** The plan of --dry-run: lines, or one JSON object. */
export function printPlan(plan: RunPlan, json: boolean): void {
  if (json) printJson(plan);
  else process.stdout.write(`${planLines(plan).join("\n")}\n`);
}

function planLines(plan: RunPlan): string[] {
  const count = (value: number) => Math.round(value).toLocaleString("en-US");
  const megabytes = (bytes: number) => `${count(bytes / 1e6)} MB`;
  const { total, ...parts } = plan.memoryBytes;
  const named = Object.entries(parts).map(([name, bytes]) => `${name} ${megabytes(bytes)}`);
  return [
    `rows        ${count(plan.rows)} of ${plan.tokensPerRow} tokens, ${Number(plan.rowsPerStep.toFixed(1))} in a step`,
    `steps       ${count(plan.steps)}: ${count(plan.tokens)} tokens, ${plan.epochs.toFixed(2)} epochs`,
    `parameters  ${count(plan.trainableParameters)} trained, ${count(plan.frozenParameters)} frozen`,
    `memory      about ${megabytes(total)} (${named.join(", ")}); free ${megabytes(plan.availableBytes)}`,
    plan.seconds === undefined
      ? "time        not measured: the memory is not there; lower --batch-size or add --gradient-checkpointing"
      : `time        ${plan.secondsPerStep!.toFixed(2)} s a step, about ${duration(plan.seconds)} in all`,
  ];
}
