/** The loop: what is done about steps that are not finite, full disks, a second writer, and the best held-out loss. */
import { appendFile, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventSteps } from "../../../test/train/eventFile.js";
import { toyObjective, toyOptions } from "../../../test/train/toy.js";
import { lockFolder, nodeFileOps } from "../../formats/index.js";
import { onnxNodeRuntime } from "../../runtime/onnxNode.js";
import type { Objective } from "../loop/objective.js";
import type { RunReport } from "./reports.js";
import { type RunSettings, runTraining } from "./runTraining.js";

const runtime = onnxNodeRuntime({ threads: 1 });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-trainer-"));
});
afterEach(() => rm(folder, { recursive: true }));

interface Toy {
  objective?: Objective;
  steps?: number;
  /** The losses of evaluations, in order; the parameters as a model are written into `finished`. */
  heldOut?: Objective;
  change?: Partial<RunSettings>;
}

async function runToy({ objective = toyObjective(), steps = 10, heldOut, change = {} }: Toy) {
  const { schedule, facts, ...options } = toyOptions("", steps);
  const finished: { step: number; w: number[] }[] = [];
  const reports: RunReport[] = [];
  const run = {
    objective,
    schedule,
    facts,
    heldOut: heldOut ? [await heldOut.microbatch(1, 0)] : [],
    async finish(step: number) {
      finished.push({ step, w: Array.from(objective.parameters.data) });
    },
  };
  const done = runTraining(runtime, run, {
    ...options,
    output: folder,
    evalEvery: 1,
    onReport: (report) => void reports.push(report),
    ...change,
  });
  return { done, finished, reports, w: objective.parameters.data };
}

const lines = async () =>
  (await readFile(join(folder, "log.jsonl"), "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
const checkpoints = async () => (await readdir(join(folder, "checkpoints"))).sort();

describe("a step that is not finite", () => {
  it.each([
    ["loss", Number.NaN],
    ["gradient", Number.POSITIVE_INFINITY],
  ])("is not applied, and is logged as null: %s", async (_what, value) => {
    // Of two microbatches one is enough.
    const objective = toyObjective((step, index) => (step === 4 && index === 1 ? value : 1));
    const before: number[][] = [];
    const onReport = () => void before.push(Array.from(objective.parameters.data));
    expect(await (await runToy({ objective, change: { onReport } })).done).toBe(true);
    expect(before[3]).toEqual(before[2]);
    expect(before[4]).not.toEqual(before[3]);
    const logged = await lines();
    expect(logged.filter(({ applied }) => applied === false).map(({ step }) => step)).toEqual([4]);
    expect(logged[3]).toMatchObject({ loss: null, gradientNorm: null });
    expect(logged[4]!.loss).toBeTypeOf("number");
  });

  it("leaves the state before them where the run stops between checkpoints, and says so where there is none", async () => {
    const late = toyObjective((step) => (step >= 6 ? Number.NaN : 1));
    const first = await runToy({ objective: late, change: { saveEvery: 100 } });
    await expect(first.done).rejects.toThrow(/the last good state is in .*checkpoints; go on from it with `resume`/);
    expect(await checkpoints()).toEqual(["step-00000005"]);
    await rm(join(folder, "checkpoints"), { recursive: true });
    const never = await runToy({ objective: toyObjective(() => Number.NaN) });
    await expect(never.done).rejects.toThrow(/no step was applied; look at the model and the data/);
  });

  it("stops the run when it is the third in a row, with the last good checkpoint kept", async () => {
    const objective = toyObjective((step) => (step === 3 || step >= 6 ? Number.NaN : 1));
    const { done, finished, w } = await runToy({ objective });
    await expect(done).rejects.toMatchObject({ kind: "diverged", exitCode: 3 });
    await expect(done).rejects.toThrow(
      /expected a finite loss, got 3 steps in a row that were not, the last at step 8/,
    );
    expect(finished).toEqual([]);
    expect((await lines()).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(w.every(Number.isFinite)).toBe(true);
    // What the message advises.
    const again = await runToy({ objective: toyObjective(), change: { resume: true, clipNorm: 1 } });
    expect(await again.done).toBe(true);
    expect(again.finished[0]!.step).toBe(10);
  });
});

describe("a disk that refuses", () => {
  it("stops the run with the old checkpoint intact, naming path and bytes", async () => {
    let creations = 0;
    const full = async (path: string) => {
      // Four files a checkpoint: the third of the second one.
      if (++creations === 7) throw Object.assign(new Error("full"), { code: "ENOSPC" });
      return nodeFileOps.create(path);
    };
    const { done } = await runToy({ change: { fileOps: { ...nodeFileOps, create: full } } });
    await expect(done).rejects.toMatchObject({ kind: "disk", exitCode: 7 });
    await expect(done).rejects.toThrow(
      /checkpoints\/step-00000004\/square.safetensors: expected \d+ bytes of free space, got \d+ \(ENOSPC\); free some space/,
    );
    expect(await checkpoints()).toEqual(["step-00000002"]);
    const again = await runToy({ change: { resume: true } });
    expect(await again.done).toBe(true);
    expect((await lines()).filter(({ resumed }) => resumed).map(({ step }) => step)).toEqual([2]);
  });
});

describe("a second writer", () => {
  it("is refused with the PID of the first, and leaves the folder as it is", async () => {
    const lock = await lockFolder(folder);
    const { done } = await runToy({});
    await expect(done).rejects.toMatchObject({ kind: "locked", exitCode: 8 });
    await expect(done).rejects.toThrow(`process ${process.pid}`);
    expect(await readdir(folder)).toEqual([".lock"]);
    await lock.release();
    expect(await (await runToy({})).done).toBe(true);
  });
});

describe("log.jsonl", () => {
  it("loses the line that a dead writer left half, and no other", async () => {
    await (await runToy({ steps: 2 })).done;
    await appendFile(join(folder, "log.jsonl"), '{"time":"2026-01');
    await (await runToy({ steps: 4, change: { resume: true } })).done;
    expect((await lines()).map(({ step }) => step)).toEqual([1, 2, 2, 3, 4]);
  });

  /** Steps and evaluations by kind of line. */
  const logged = async () => {
    const all = await lines();
    return {
      steps: all.filter((line) => "loss" in line).map(({ step }) => step),
      evaluations: all.filter((line) => "heldOut" in line).map(({ step }) => step),
    };
  };
  const events = async () => {
    const steps: number[] = [];
    for (const name of (await readdir(folder)).filter((file) => file.startsWith("events")))
      steps.push(...eventSteps(await readFile(join(folder, name))));
    return steps.sort((a, b) => a - b);
  };

  it("has each step and each evaluation once, though a killed run had logged beyond its checkpoint", async () => {
    const evaluated = { heldOut: toyObjective(), change: { evalEvery: 1 } };
    await (await runToy({ steps: 5, ...evaluated })).done;
    // As a kill leaves it before the last save: step 5 and its evaluation are logged, and saved is step 4.
    await rm(join(folder, "checkpoints", "step-00000005"), { recursive: true });
    await (await runToy({ steps: 6, heldOut: evaluated.heldOut, change: { evalEvery: 1, resume: true } })).done;
    const each = [1, 2, 3, 4, 5, 6];
    expect(await logged()).toEqual({ steps: each, evaluations: each });
    // The version record of each session has no step; a step and its evaluation are two events.
    expect((await events()).filter((step) => step > 0)).toEqual(each.flatMap((step) => [step, step]));
  });

  it("begins anew where nothing was saved", async () => {
    await (await runToy({ steps: 1 })).done;
    await rm(join(folder, "checkpoints"), { recursive: true });
    await (await runToy({ steps: 2, change: { resume: true } })).done;
    expect(await logged()).toMatchObject({ steps: [1, 2] });
    expect((await events()).filter((step) => step > 0)).toEqual([1, 2]);
  });
});

describe("early stop", () => {
  /** The held-out loss falls while w comes nearer to `at`, and rises when it has passed it: 0.01 a step. */
  const heldAt = (at: number): Objective => {
    const toy = toyObjective();
    return {
      ...toy,
      async microbatch(step, index) {
        const microbatch = await toy.microbatch(step, index);
        const x = microbatch.feeds.x!;
        return { ...microbatch, feeds: { ...microbatch.feeds, x: { ...x, data: new Float32Array(8).fill(at) } } };
      },
    };
  };

  it("ends after n evaluations without a lower loss, and keeps the best", async () => {
    const { done, finished, reports } = await runToy({ steps: 50, heldOut: heldAt(0.1), change: { earlyStop: 3 } });
    expect(await done).toBe(true);
    const losses = reports.flatMap((report) => (report.kind === "heldOut" ? [report.metrics.loss!] : []));
    const best = 1 + losses.indexOf(Math.min(...losses));
    expect(losses.length).toBe(best + 3);
    expect(best).toBeLessThan(20);
    expect(finished[0]!.step).toBe(best);
    const error = finished[0]!.w.reduce((sum, value) => sum + (value - Math.fround(0.1)) ** 2, 0);
    expect(error).toBeCloseTo(losses[best - 1]!, 6);
    expect(await readdir(join(folder, "best"))).toEqual([`step-${`${best}`.padStart(8, "0")}`]);
  });

  it("stops at the same step when the run was stopped and went on", async () => {
    const early = { steps: 50, heldOut: heldAt(0.1) };
    // The best step is among them: its evaluation is made up for.
    for (let at = 1; at <= 12; at++) {
      const controller = new AbortController();
      const onReport = (report: RunReport) => {
        if (report.kind === "step" && report.step === at) controller.abort();
      };
      const change = { earlyStop: 3, resume: true, signal: controller.signal, onReport };
      expect(await (await runToy({ ...early, change })).done).toBe(false);
    }
    const { done, finished } = await runToy({ ...early, change: { earlyStop: 3, resume: true } });
    expect(await done).toBe(true);
    const last = Math.max(...(await lines()).map(({ step }) => step as number));
    const stepOfBest = finished[0]!.step;
    await rm(folder, { recursive: true });
    const straight = await runToy({ ...early, change: { earlyStop: 3 } });
    expect(await straight.done).toBe(true);
    expect(straight.finished).toEqual(finished);
    expect(straight.finished[0]!.step).toBe(stepOfBest);
    expect(Math.max(...(await lines()).map(({ step }) => step as number))).toBe(last);
  });

  it("needs validation rows", async () => {
    const { done } = await runToy({ change: { earlyStop: 3 } });
    await expect(done).rejects.toMatchObject({ kind: "usage" });
    await expect(done).rejects.toThrow("`earlyStop`: expected validation rows to evaluate on, got none");
  });
});
