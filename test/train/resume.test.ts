/** A run that is stopped and goes on ends where a straight one does, to the bit: losses, weights, Adam, noise, order of rows. */
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Rng } from "../../src/rng.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { type RunControl, type RunReport, trainBase, trainRouter, trainVae } from "../../src/train/index.js";
import { startRun } from "../../src/train/run/start.js";
import { vaeRun } from "../../src/train/run/trainVae.js";
import { runtime, tinyBaseRun, tinyRouterRun, tinyRows, tinyTokenizer, tinyVaeRun, writeTinyData } from "./tiny.js";

/** 12 at every commit; BIGVAE_STEPS=200 for a night. */
const STEPS = Number(process.env.BIGVAE_STEPS ?? 12);
let folder: string;
let rows: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-resume-"));
  await writeTinyData(folder);
  rows = join(folder, "rows");
});
afterAll(() => rm(folder, { recursive: true }));

type Change = { steps?: number; resume?: boolean; lr?: number; evalEvery?: number };
type Run = (output: string, change: Change, control?: RunControl) => Promise<boolean>;

const runs: Record<string, Run> = {
  base: (output, change, control) => trainBase({ ...tinyBaseRun(folder, output), ...change }, control),
  vae: (output, change, control) => trainVae({ ...tinyVaeRun(folder, output), ...change }, control),
  "vae with dropout, free bits and learned variance": (output, change, control) => {
    const more = { dropout: 0.1, freeBits: 0.05, learnedVariance: true };
    return trainVae({ ...tinyVaeRun(folder, output), ...more, ...change }, control);
  },
  "vae on a base in nf4": (output, change, control) =>
    trainVae({ ...tinyVaeRun(folder, output), quant: "nf4", ...change }, control),
  router: async (output, change, control) => {
    const start = join(folder, "start");
    if (!(await readdir(start).catch(() => undefined))) await trainVae({ ...tinyVaeRun(folder, start), steps: 1 });
    return trainRouter({ ...tinyRouterRun(folder, output, start), dropout: 0.1, ...change }, control);
  },
};

/** Losses by step, from the reports; later ones replace earlier ones. */
function recorder() {
  const losses = new Map<number, number>();
  const onReport = (report: RunReport) => {
    if (report.kind === "step") losses.set(report.step, report.metrics.loss!);
  };
  return { losses, onReport };
}

/** The files of the last checkpoint and of the finished model, as they are on disk. */
async function filesOf(output: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(output, { recursive: true })).sort()) {
    if (!/\.(safetensors|json)$/.test(name)) continue;
    if (/checkpoints/.test(name) && !name.includes(`step-${`${STEPS}`.padStart(8, "0")}`)) continue;
    found[name] = (await readFile(join(output, name))).toString("base64");
  }
  return found;
}

/** Stops a run when step `at` is done. */
function stopAfter(at: number, onReport: (report: RunReport) => void) {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onReport(report: RunReport) {
      onReport(report);
      if (report.kind === "step" && report.step === at) controller.abort();
    },
  };
}

describe.each(Object.entries(runs))("train %s", (name, run) => {
  it(`is the same to the bit after a stop at any step of ${STEPS}`, async () => {
    const straight = recorder();
    const straightFolder = join(folder, `${name} straight`);
    expect(await run(straightFolder, { steps: STEPS }, { onReport: straight.onReport })).toBe(true);
    const expected = await filesOf(straightFolder);
    expect(Object.keys(expected).filter((file) => file.includes("checkpoints")).length).toBe(4);
    const stops = Rng.fromSeed(name)
      .permutation(STEPS - 1)
      .slice(0, 3);
    const output = join(folder, `${name} stopped`);
    const { losses, onReport } = recorder();
    for (const at of [...stops].sort((a, b) => a - b).map((step) => step + 1)) {
      expect(await run(output, { steps: STEPS, resume: true }, stopAfter(at, onReport))).toBe(false);
    }
    expect(await run(output, { steps: STEPS, resume: true }, { onReport })).toBe(true);
    expect([...losses]).toEqual([...straight.losses]);
    expect(losses.size).toBe(STEPS);
    expect(await filesOf(output)).toEqual(expected);
  });
});

describe("an aborted run", () => {
  it("ends within one step, saves, and says that it is not finished", async () => {
    const output = join(folder, "aborted");
    const { losses, onReport } = recorder();
    expect(await runs.base!(output, { steps: 1000 }, stopAfter(3, onReport))).toBe(false);
    expect([...losses.keys()]).toEqual([1, 2, 3]);
    expect(await readdir(join(output, "checkpoints"))).toEqual(["step-00000003"]);
  });

  it("is heard in the middle of an evaluation, which is made up for", async () => {
    const output = join(folder, "aborted in an evaluation");
    const controller = new AbortController();
    let runsOfGraphs = 0;
    const counting: Runtime = {
      device: "cpu",
      createSession: async (outputs, options) => {
        const session = await runtime.createSession(outputs, options);
        const run: typeof session.run = (...args) => {
          if (++runsOfGraphs === 6) controller.abort();
          return session.run(...args);
        };
        return { run, release: () => session.release() };
      },
    };
    const options = { ...tinyVaeRun(folder, output), steps: 2, evalEvery: 1 };
    const machine = { runtime: counting, availableBytes: () => 1e9 };
    // Two microbatches of the first step, then eight of the evaluation: the abort comes in its fourth.
    expect(await startRun(vaeRun, options, { signal: controller.signal }, machine)).toBe(false);
    expect(runsOfGraphs).toBe(6);
    const evaluated: number[] = [];
    const onReport = (report: RunReport) => void (report.kind === "heldOut" && evaluated.push(report.step));
    expect(await trainVae({ ...options, resume: true }, { onReport })).toBe(true);
    expect(evaluated).toEqual([1, 2]);
  });

  it("does nothing where it is aborted before it starts, and does not write its checkpoint anew", async () => {
    const output = join(folder, "aborted");
    const manifest = join(output, "checkpoints", "step-00000003", "manifest.json");
    const before = await readFile(manifest);
    const { losses, onReport } = recorder();
    const control = { signal: AbortSignal.abort(), onReport };
    expect(await runs.base!(output, { steps: 1000, resume: true }, control)).toBe(false);
    expect(losses.size).toBe(0);
    expect(await readFile(manifest)).toEqual(before);
  });
});

describe("a run that does not fit the memory", () => {
  /** Memory enough to open the model, and what is left for the run. */
  const machine = (left: number) => {
    const amounts = [1e9, left];
    return { runtime, availableBytes: () => amounts.shift()! };
  };

  it("is refused with need and have, and leaves no folder", async () => {
    const options = tinyVaeRun(folder, join(folder, "too large"));
    await expect(startRun(vaeRun, options, {}, machine(1e6))).rejects.toThrow(
      /expected \d+ MB of free memory beside the weights, got 1 MB; lower `batchSize`, or add `gradientCheckpointing`/,
    );
    expect(await readdir(folder)).not.toContain("too large");
  });

  it("and one that just does keeps few sessions, and comes to the same end", async () => {
    const [wide, narrow] = [recorder(), recorder()];
    const options = { ...tinyVaeRun(folder, join(folder, "narrow")), steps: 6 };
    await runs.vae!(join(folder, "wide"), { steps: 6 }, { onReport: wide.onReport });
    await startRun(vaeRun, options, { onReport: narrow.onReport }, machine(200e6));
    expect([...narrow.losses]).toEqual([...wide.losses]);
  });
});

describe("a resumed run", () => {
  it("is refused with other options than it was started with, naming the first", async () => {
    const output = join(folder, "other options");
    await runs.base!(output, { steps: 1 });
    const options = { ...tinyBaseRun(folder, output), batchSize: 4, gradientAccumulationSteps: 1, steps: 2 };
    const other = () => trainBase({ ...options, resume: true });
    await expect(other()).rejects.toMatchObject({ kind: "mismatch" });
    await expect(other()).rejects.toThrow("`resume`: expected `batchSize` 2 as the run was started, got 4");
    // The checkpoint knows as well.
    await rm(join(output, "run.json"));
    await expect(other()).rejects.toThrow("`resume`: expected batchSize 2 as the run was started, got 4");
  });

  it("is refused with other rows than it was started with", async () => {
    const output = join(folder, "other rows");
    await runs.base!(output, { steps: 1 });
    const preprocessed = await tinyRows(await mkdtemp(join(folder, "other")), tinyTokenizer(), 6);
    await expect(trainBase({ output, resume: true, preprocessed, steps: 2 })).rejects.toThrow(
      /`resume`: expected at `preprocessed` what the run was started with .* give the place where it lies now/,
    );
  });

  it("goes on with the same rows elsewhere, also with shards of other origin, and refuses others of as many rows", async () => {
    const output = join(folder, "moved rows");
    const foreign = async (name: string, change: boolean) => {
      const target = join(folder, name);
      await cp(rows, target, { recursive: true });
      await rm(join(target, "manifest.json"));
      for (const file of (await readdir(target)).filter((file) => !file.startsWith("train")))
        await rm(join(target, file));
      if (!change) return target;
      const [shard] = await readdir(target);
      const bytes = await readFile(join(target, shard!));
      bytes[bytes.length - 2]! ^= 1;
      await writeFile(join(target, shard!), bytes);
      return target;
    };
    const run = async (preprocessed: string, steps: number) =>
      trainBase({ ...tinyBaseRun(folder, output), preprocessed, steps, resume: true });
    expect(await run(await foreign("here", false), 1)).toBe(true);
    expect(await run(await foreign("there", false), 2)).toBe(true);
    await expect(run(await foreign("others", true), 3)).rejects.toThrow(/expected at `preprocessed`/);
  });

  /** A copy of a folder, whose file has one bit that is another. */
  const flipped = async (from: string, file: string) => {
    const copy = await mkdtemp(join(folder, "flipped"));
    await cp(from, copy, { recursive: true });
    const bytes = await readFile(join(copy, file));
    bytes[bytes.length - 2]! ^= 1;
    await writeFile(join(copy, file), bytes);
    return copy;
  };
  const CONTENTS = /expected at `startFrom` what the run was started with/;

  it("of a router is refused with another VAE than it was started with", async () => {
    const output = join(folder, "router of one");
    await runs.router!(output, { steps: 1 });
    const startFrom = await flipped(join(folder, "start"), "vae.safetensors");
    await expect(trainRouter({ output, resume: true, startFrom, steps: 2 })).rejects.toThrow(CONTENTS);
  });

  it.each(["base", "vae"] as const)(
    "of a %s finds what it was initialized from where it has moved, and refuses another",
    async (kind) => {
      const output = join(folder, `${kind} from another`);
      const start = join(folder, `start of ${kind}`);
      const { hiddenSize, intermediateSize, layers, heads, kvHeads, maxPositions, ...base } = tinyBaseRun(
        folder,
        output,
      );
      if (kind === "base") {
        await cp(join(folder, "base"), start, { recursive: true });
        expect(await trainBase({ ...base, startFrom: start, steps: 1 })).toBe(true);
      } else {
        await trainVae({ ...tinyVaeRun(folder, start), steps: 1 });
        expect(await trainVae({ ...tinyVaeRun(folder, output), startFrom: start, steps: 1 })).toBe(true);
      }
      const train = kind === "base" ? trainBase : trainVae;
      const other = await flipped(start, kind === "base" ? "model.safetensors" : "vae.safetensors");
      await expect(train({ output, resume: true, steps: 2, startFrom: other })).rejects.toThrow(CONTENTS);
      await rename(start, `${start}, moved`);
      await expect(train({ output, resume: true, steps: 2 })).rejects.toThrow(/give its new place with `startFrom`/);
      expect(await train({ output, resume: true, steps: 2, startFrom: `${start}, moved` })).toBe(true);
    },
  );

  it("is refused with a start that it did not have", async () => {
    const output = join(folder, "fresh");
    await runs.vae!(output, { steps: 1 });
    const startFrom = join(folder, "start");
    await expect(trainVae({ output, resume: true, startFrom, steps: 2 })).rejects.toThrow(
      /`resume`: expected `startFrom` left out as the run was started, got .*start; leave it out/,
    );
  });

  it("must be asked for: a folder with a run is refused, with what to do", async () => {
    const again = runs.base!(join(folder, "aborted"), { steps: 1000 });
    await expect(again).rejects.toMatchObject({ kind: "usage" });
    await expect(again).rejects.toThrow(
      /expected a folder without a run, got one that has come to step 3; add `resume`/,
    );
  });

  it("may have another learning rate", async () => {
    expect(await runs.base!(join(folder, "aborted"), { steps: 4, resume: true, lr: 1e-3 })).toBe(true);
  });
});
