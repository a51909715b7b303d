/** Checkpoints under bit flips, failing disks, and writers that died in the middle. */
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { failing } from "../../../test/failingDisk.js";
import { stateOf } from "../../../test/train/toy.js";
import { Rng } from "../../rng.js";
import { newestCheckpoint, newestStep, readArrays, removeUnfinished, saveCheckpoint } from "./checkpoint.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-checkpoint-"));
});
afterEach(() => rm(folder, { recursive: true }));

const save = (step: number, options?: Parameters<typeof saveCheckpoint>[3]) =>
  saveCheckpoint(folder, step, stateOf(step), options);
const name = (step: number) => `step-${`${step}`.padStart(8, "0")}`;
const pathOf = (step: number, file = "") => join(folder, name(step), file);

/** The step that a run would go on from, with the warnings that it gives; the arrays must be that step's. */
async function resumed(): Promise<{ step: unknown; warnings: string[] }> {
  const warnings: string[] = [];
  const found = await newestCheckpoint(folder, (line) => warnings.push(line));
  if (!found) return { step: undefined, warnings };
  const { arrays } = stateOf(0);
  await readArrays(found, arrays);
  const step = found.facts.step as number;
  expect(new Set(arrays.parameters.data)).toEqual(new Set([step]));
  expect(new Set(arrays.mean.data)).toEqual(new Set([-step]));
  return { step, warnings };
}

async function flipBit(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  await writeFile(path, bytes);
}

describe("saveCheckpoint", () => {
  it("keeps the newest two", async () => {
    for (const step of [1, 2, 3, 4]) await save(step);
    expect((await readdir(folder)).sort()).toEqual([name(3), name(4)]);
    expect(await resumed()).toEqual({ step: 4, warnings: [] });
  });

  it.each(["ENOSPC", "EIO", "EMFILE", "EROFS"])("leaves the old one whatever call fails: %s", async (code) => {
    await save(1);
    const count = failing(-1, code);
    await save(2, { ops: count });
    await rm(pathOf(2), { recursive: true });
    expect(count.calls).toBeGreaterThan(15);
    for (let n = 0; n < count.calls; n++) {
      const failed = save(2, { ops: failing(n, code) });
      await expect(failed).rejects.toMatchObject({ kind: "disk", exitCode: 7 });
      const why = code === "ENOSPC" ? "\\d+ bytes of free space, got \\d+" : "[a-z -]+, got [a-z -]+";
      await expect(failed).rejects.toThrow(
        new RegExp(`${pathOf(2)}[^:]*: expected ${why} \\(${code}\\); .+ and run again`),
      );
      expect(await readdir(folder)).toEqual([name(1)]);
      expect(await resumed()).toEqual({ step: 1, warnings: [] });
    }
  });

  it("names the path where the folder cannot be made", async () => {
    await writeFile(join(folder, "file"), "");
    const failed = saveCheckpoint(join(folder, "file"), 1, stateOf(1));
    await expect(failed).rejects.toMatchObject({ kind: "disk" });
    await expect(failed).rejects.toThrow(/file\/step-00000001: expected .* \(ENOTDIR\); /);
  });
});

describe("a damaged checkpoint", () => {
  const files = ["manifest.json", "parameters.safetensors", "mean.safetensors"];

  it.each(files)("is passed over for the one before it, with a warning: any bit of %s", async (file) => {
    for (const step of [1, 2]) await save(step);
    const rng = Rng.fromSeed(file);
    const { length } = await readFile(pathOf(2, file));
    for (let round = 0; round < 20; round++) {
      const bit = rng.integer(8 * length);
      await flipBit(pathOf(2, file), bit);
      const warning = `checkpoint ${pathOf(2)} is damaged (${file}); an older one is used`;
      const { step, warnings } = await resumed();
      // White space of the manifest bears no meaning.
      if (step !== 2) expect({ step, warnings }).toEqual({ step: 1, warnings: [warning] });
      else expect(file).toBe("manifest.json");
      await flipBit(pathOf(2, file), bit);
    }
    expect(await resumed()).toEqual({ step: 2, warnings: [] });
  });

  it("is not what rotation keeps: the sound one stays until another is written", async () => {
    for (const step of [1, 2, 3]) await save(step, { keep: 3 });
    await flipBit(pathOf(2, "mean.safetensors"), 40);
    await flipBit(pathOf(3, "mean.safetensors"), 40);
    expect((await resumed()).step).toBe(1);
    await save(2);
    expect((await readdir(folder)).sort()).toEqual([name(1), name(2)]);
    expect(await resumed()).toEqual({ step: 2, warnings: [] });
  });

  it("ends the run where there is no other", async () => {
    await save(1);
    await flipBit(pathOf(1, "mean.safetensors"), 40);
    await expect(resumed()).rejects.toMatchObject({ kind: "format" });
    await expect(resumed()).rejects.toThrow(/expected a sound checkpoint in .*, got 1 that are damaged; start/);
  });
});

describe("a writer that died", () => {
  /** Every state of a folder with `file` removed or cut, in the order in which a removal goes. */
  const order = ["manifest.json", "mean.safetensors", "parameters.safetensors"];

  it("while it removed the oldest leaves the newest two, and the rest goes at the next start", async () => {
    for (const step of [1, 2, 3]) await save(step, { keep: 3 });
    const whole = join(folder, "whole");
    await cp(pathOf(1), whole, { recursive: true });
    for (let removed = 1; removed <= order.length; removed++) {
      await cp(whole, pathOf(1), { recursive: true });
      for (const file of order.slice(0, removed)) await rm(pathOf(1, file));
      expect(await resumed()).toEqual({ step: 3, warnings: [] });
      await removeUnfinished(folder);
      expect((await readdir(folder)).filter((entry) => entry.startsWith("step"))).toEqual([name(2), name(3)]);
    }
  });

  it("while it wrote leaves the one before, and the rest goes at the next start", async () => {
    await save(1);
    await save(2);
    for (const file of order) {
      await rm(pathOf(2, file));
      await writeFile(pathOf(2, `${file}.99999999-0.tmp`), "half");
      expect(await resumed()).toEqual({ step: 1, warnings: [] });
    }
    expect(await newestStep(folder)).toBe(1);
    await removeUnfinished(folder);
    expect(await readdir(folder)).toEqual([name(1)]);
  });
});
