/** A run that is stopped and goes on ends where a straight one does, to the bit: losses, weights, Adam, noise, order of rows. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVae } from "../../src/checkpoint/vae.js";
import { Rng } from "../../src/rng.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import type { RunOptions, RunReport } from "../../src/train/run/runTraining.js";
import { trainBase } from "../../src/train/run/trainBase.js";
import { trainRouter } from "../../src/train/run/trainRouter.js";
import { trainVae } from "../../src/train/run/trainVae.js";
import { runtime, tinyBase, tinyBaseRun, tinyRouterRun, tinyRows, tinyRun, tinyTokenizer, tinyVaeRun } from "./tiny.js";

/** 12 at every commit; BIGVAE_STEPS=200 for a night. */
const STEPS = Number(process.env.BIGVAE_STEPS ?? 12);
const tokenizer = tinyTokenizer();
let folder: string;
let rows: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-resume-"));
  rows = await tinyRows(folder, tokenizer);
});
afterAll(() => rm(folder, { recursive: true }));

type Change = Partial<RunOptions> & { steps?: number; epochs?: number };
type Run = (output: string, change: Change) => Promise<boolean>;

const runs: Record<string, Run> = {
  base: (output, change) => trainBase(runtime, { ...tinyBaseRun(tinyRun(output, rows, tokenizer)), ...change }),
  vae: (output, change) => trainVae(runtime, { ...tinyVaeRun(tinyRun(output, rows, tokenizer)), ...change }),
  "vae with dropout, free bits and learned variance": (output, change) =>
    trainVae(runtime, {
      ...tinyVaeRun(tinyRun(output, rows, tokenizer)),
      dropout: 0.1,
      freeBits: 0.05,
      learnedVariance: true,
      ...change,
    }),
  router: async (output, change) => {
    const base = tinyBase(tokenizer.vocabSize);
    const start = join(folder, "start");
    if (!(await readdir(start).catch(() => undefined)))
      await trainVae(runtime, { ...tinyVaeRun(tinyRun(start, rows, tokenizer)), steps: 1 });
    const vae = await readVae(start, base);
    return trainRouter(runtime, { ...tinyRouterRun(tinyRun(output, rows, tokenizer), vae), dropout: 0.1, ...change });
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
    expect(await run(straightFolder, { steps: STEPS, onReport: straight.onReport })).toBe(true);
    const expected = await filesOf(straightFolder);
    expect(Object.keys(expected).filter((file) => file.includes("checkpoints")).length).toBe(4);
    const stops = Rng.fromSeed(name)
      .permutation(STEPS - 1)
      .slice(0, 3);
    const output = join(folder, `${name} stopped`);
    const { losses, onReport } = recorder();
    for (const at of [...stops].sort((a, b) => a - b).map((step) => step + 1)) {
      expect(await run(output, { steps: STEPS, resume: true, ...stopAfter(at, onReport) })).toBe(false);
    }
    expect(await run(output, { steps: STEPS, resume: true, onReport })).toBe(true);
    expect([...losses]).toEqual([...straight.losses]);
    expect(losses.size).toBe(STEPS);
    expect(await filesOf(output)).toEqual(expected);
  });
});

describe("an aborted run", () => {
  it("ends within one step, saves, and says that it is not finished", async () => {
    const output = join(folder, "aborted");
    const { losses, onReport } = recorder();
    expect(await runs.base!(output, { steps: 1000, ...stopAfter(3, onReport) })).toBe(false);
    expect([...losses.keys()]).toEqual([1, 2, 3]);
    expect(await readdir(join(output, "checkpoints"))).toEqual(["step-00000003"]);
  });

  it("is heard in the middle of a look, which is made up for", async () => {
    const output = join(folder, "aborted in a look");
    const controller = new AbortController();
    let runsOfGraphs = 0;
    const counting: Runtime = {
      createSession: async (model) => {
        const session = await runtime.createSession(model);
        const run: typeof session.run = (...args) => {
          if (++runsOfGraphs === 6) controller.abort();
          return session.run(...args);
        };
        return { run, release: () => session.release() };
      },
    };
    const options = { ...tinyVaeRun(tinyRun(output, rows, tokenizer)), steps: 2, evalEvery: 1 };
    // Two microbatches of the first step, then eight of the look: the abort comes in its fourth.
    expect(await trainVae(counting, { ...options, signal: controller.signal })).toBe(false);
    expect(runsOfGraphs).toBe(6);
    const looks: number[] = [];
    const onReport = (report: RunReport) => void (report.kind === "heldOut" && looks.push(report.step));
    expect(await trainVae(runtime, { ...options, resume: true, onReport })).toBe(true);
    expect(looks).toEqual([1, 2]);
  });

  it("does nothing where it is aborted before it starts, and does not write its checkpoint anew", async () => {
    const output = join(folder, "aborted");
    const manifest = join(output, "checkpoints", "step-00000003", "manifest.json");
    const before = await readFile(manifest);
    const options = { steps: 1000, resume: true, signal: AbortSignal.abort() };
    const { losses, onReport } = recorder();
    expect(await runs.base!(output, { ...options, onReport })).toBe(false);
    expect(losses.size).toBe(0);
    expect(await readFile(manifest)).toEqual(before);
  });
});

describe("a run that does not fit the memory", () => {
  it("is refused with need and have, and leaves no folder", async () => {
    const output = join(folder, "too large");
    await expect(runs.vae!(output, { memoryBytes: 1e6 })).rejects.toThrow(
      /expected \d+ MB of free memory beside the weights, got 1 MB; lower `batchSize`/,
    );
    expect(await readdir(folder)).not.toContain("too large");
  });

  it("and one that just does keeps few sessions, and comes to the same end", async () => {
    const [wide, narrow] = [recorder(), recorder()];
    await runs.vae!(join(folder, "wide"), { steps: 6, onReport: wide.onReport });
    await runs.vae!(join(folder, "narrow"), { steps: 6, memoryBytes: 200e6, onReport: narrow.onReport });
    expect([...narrow.losses]).toEqual([...wide.losses]);
  });
});

describe("a resumed run", () => {
  it("is refused with other options than it was started with, naming the first", async () => {
    const options = { ...tinyBaseRun(tinyRun(join(folder, "aborted"), rows, tokenizer)), steps: 1000, resume: true };
    const other = trainBase(runtime, { ...options, batchSize: 4, accumulation: 1 });
    await expect(other).rejects.toMatchObject({ kind: "mismatch" });
    await expect(other).rejects.toThrow("`resume`: expected batchSize 2 as the run was started, got 4");
  });

  it("is refused with other rows than it was started with", async () => {
    const output = join(folder, "other rows");
    await runs.base!(output, { steps: 1 });
    const other = await tinyRows(await mkdtemp(join(folder, "other")), tokenizer, 6);
    const options = { ...tinyBaseRun(tinyRun(output, other, tokenizer)), steps: 2, resume: true };
    await expect(trainBase(runtime, options)).rejects.toThrow(
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
    const run = async (place: string, steps: number) =>
      trainBase(runtime, { ...tinyBaseRun(tinyRun(output, place, tokenizer)), steps, resume: true });
    expect(await run(await foreign("here", false), 1)).toBe(true);
    expect(await run(await foreign("there", false), 2)).toBe(true);
    await expect(run(await foreign("others", true), 3)).rejects.toThrow(/expected at `preprocessed`/);
  });

  it("of a router is refused with another VAE than it was started with", async () => {
    const output = join(folder, "router of one");
    await runs.router!(output, { steps: 1 });
    const vae = await readVae(join(folder, "start"), tinyBase(tokenizer.vocabSize));
    (vae.head["vae.w_e.bias"]!.data as Float32Array)[0]! += 1;
    const options = { ...tinyRouterRun(tinyRun(output, rows, tokenizer), vae), dropout: 0.1, steps: 2, resume: true };
    await expect(trainRouter(runtime, options)).rejects.toThrow(
      /expected at `startFrom` what the run was started with/,
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
    const options = { steps: 4, resume: true, lr: 1e-3 };
    expect(await runs.base!(join(folder, "aborted"), options as Change)).toBe(true);
  });
});
