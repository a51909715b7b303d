/**
 * The power fails while checkpoints are written and rotated, on a disk that loses and reorders what was not synced: the newest one that
 * is found is the last that was saved, or the one under way, whole; and the run goes on from it to the same end.
 */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Rng } from "../../src/rng.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import { newestCheckpoint, readArrays, removeUnfinished, saveCheckpoint } from "../../src/train/loop/checkpoint.js";
import { train } from "../../src/train/loop/trainer.js";
import { runTraining } from "../../src/train/run/runTraining.js";
import { type Carelessness, LossyDisk, type Remains, restore } from "./lossyDisk.js";
import { stateOf, toyObjective, toyOptions } from "./toy.js";

const STEPS = [1, 2, 3, 4, 5];
/** Crashes drawn after each change: all that was not synced lost, all kept, and some of it. */
const DRAWS = 12;
const PATIENCE = { timeout: 300_000 };
const runtime = onnxNodeRuntime({ threads: 1 });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-crash-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** What a crash may leave, and the newest step whose save had ended by then. */
interface Crash {
  remains: Remains;
  saved: number;
}

/** Draws crashes after every change, each state once for a step. */
function crashes(seed: string) {
  const rng = Rng.fromSeed(seed);
  const drawn = new Map<string, Crash>();
  const progress = { saved: 0, draws: 0 };
  const draw = (disk: LossyDisk) => {
    for (let i = 0; i < DRAWS; i++) {
      const kept = i < 2 ? i : rng.uniform();
      const remains = disk.crash(kept, rng);
      const hash = createHash("sha256").update(`${progress.saved}`);
      for (const [path, content] of remains) hash.update(`${path}\0${content?.length}\0`).update(content ?? "");
      drawn.set(hash.digest("hex"), { remains, saved: progress.saved });
      progress.draws++;
    }
  };
  return { drawn, progress, draw };
}

/** Crashes of a writer that saves every step and keeps two. */
async function saveOn(leaves: Carelessness): Promise<Crash[]> {
  const { drawn, progress, draw } = crashes("saves");
  const root = join(folder, "disk");
  await mkdir(root);
  const disk = new LossyDisk(root, draw, leaves);
  for (const step of STEPS) {
    await saveCheckpoint(join(root, "checkpoints"), step, stateOf(step), { ops: disk });
    progress.saved = step;
    await disk.observe();
    draw(disk);
  }
  expect((await readdir(join(root, "checkpoints"))).length).toBe(2);
  expect(progress.draws).toBeGreaterThan(1000);
  return [...drawn.values()];
}

/** What is wrong with what the crash left; undefined where nothing is. */
async function faultOf({ remains, saved }: Crash): Promise<string | undefined> {
  const target = join(folder, "remains");
  await mkdir(target);
  try {
    await restore(remains, target);
    const warnings: string[] = [];
    const checkpoints = join(target, "checkpoints");
    const found = await newestCheckpoint(checkpoints, (line) => warnings.push(line));
    if (!found) return saved === 0 ? undefined : `nothing is left of step ${saved}`;
    const step = found.facts.step as number;
    if (step !== saved && step !== saved + 1) return `step ${step} is found, ${saved} was saved`;
    if (warnings.length > 0) return warnings.join();
    const { arrays } = stateOf(0);
    await readArrays(found, arrays);
    if (arrays.parameters.data.some((value) => value !== step)) return `step ${step} holds others' parameters`;
    if (arrays.mean.data.some((value) => value !== -step)) return `step ${step} holds others' mean`;
    await removeUnfinished(checkpoints);
    const left = await readdir(target, { recursive: true });
    return left.some((name) => name.endsWith(".tmp")) ? `left behind: ${left}` : undefined;
  } catch (error) {
    return String(error);
  } finally {
    await rm(target, { recursive: true });
  }
}

async function faultsOf(all: readonly Crash[]): Promise<string[]> {
  const faults: string[] = [];
  for (const crash of all) faults.push(...[await faultOf(crash)].filter((fault) => fault !== undefined));
  return faults;
}

describe("a crash while checkpoints are saved and rotated", () => {
  it("leaves the last one that was saved, or the next one whole", PATIENCE, async () => {
    const all = await saveOn({});
    console.info(`${all.length} different states`);
    expect(await faultsOf(all)).toEqual([]);
  });

  it.each([{ file: true }, { folder: true }])(
    "would not, without each fsync: %o left out",
    PATIENCE,
    async (leaves) => {
      const all = await saveOn(leaves);
      expect((await faultsOf(all)).length).toBeGreaterThan(10);
    },
  );
});

describe("a run whose power failed", () => {
  const LAST = 8;

  it("goes on from what is left to the end that a straight run has, to the bit", PATIENCE, async () => {
    const { drawn, progress, draw } = crashes("run");
    const root = join(folder, "disk");
    await mkdir(root);
    const disk = new LossyDisk(root, draw);
    const straight = toyObjective();
    const options = toyOptions(join(root, "checkpoints"), LAST);
    await train(runtime, straight, {
      ...options,
      fileOps: disk,
      onStep: ({ step }) => {
        // A save is done when the step after it is.
        progress.saved = Math.floor((step - 1) / options.saveEvery) * options.saveEvery;
      },
    });
    const rng = Rng.fromSeed("some");
    const all = [...drawn.values()].filter(() => rng.uniform() < 60 / drawn.size);
    expect(new Set(all.map(({ saved }) => saved)).size).toBeGreaterThan(3);
    for (const { remains, saved } of all) {
      const output = join(folder, "run");
      await mkdir(output);
      await restore(remains, output);
      const objective = toyObjective();
      const { schedule, facts, ...rest } = toyOptions("", LAST);
      const steps: number[] = [];
      const run = { objective, schedule, facts, heldOut: [], finish: async () => {} };
      const done = await runTraining(runtime, run, {
        ...rest,
        output,
        evalEvery: 100,
        resume: true,
        onReport: (report) => {
          expect(report.kind).toBe("step");
          if (report.kind === "step") steps.push(report.step);
        },
      });
      expect(done).toBe(true);
      expect(steps[0] ?? LAST + 1).toBeGreaterThan(saved);
      expect(Array.from(objective.parameters.data)).toEqual(Array.from(straight.parameters.data));
      const left = await readdir(output, { recursive: true });
      expect(left.filter((name) => name.endsWith(".tmp") || name.endsWith(".lock"))).toEqual([]);
      await rm(output, { recursive: true });
    }
  });
});
