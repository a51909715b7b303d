/** Noise of another scale than 1 in training: the finished head is in the units where the posterior is N(mean, s^2). */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { VaeAdapters } from "../../src/engine/adapters.js";
import { openAdapters } from "../../src/host/modelFiles.js";
import type { RunReport } from "../../src/train/run.js";
import { type TrainVaeOptions, trainVae } from "../../src/train/runVae.js";
import { runtime, tinyBase, tinyRows, tinyRun, tinyTokenizer, tinyVaeRun } from "./tiny.js";

const tokenizer = tinyTokenizer();
const base = tinyBase(tokenizer.vocabSize);
let folder: string;
let rows: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-noise-"));
  rows = await tinyRows(folder, tokenizer);
});
afterAll(() => rm(folder, { recursive: true }));

/** One step that changes nothing: what is written is what the run began with. */
async function written(name: string, changes: Partial<TrainVaeOptions>): Promise<VaeAdapters> {
  const output = join(folder, name);
  const still = { lr: 0, weightDecay: 0, steps: 1, warmup: 0 };
  await trainVae(runtime, { ...tinyVaeRun(tinyRun(output, rows, tokenizer)), ...still, ...changes });
  return openAdapters(output, base);
}

const headOf = ({ head }: VaeAdapters, name: string) => Array.from(head[`vae.${name}`]!.data as Float32Array);

it("scales the finished z by its inverse, and w_d the other way", async () => {
  const plain = await written("plain", { noiseScale: 1 });
  const half = await written("half", { noiseScale: 0.5 });
  expect(headOf(half, "w_e.weight")).toEqual(headOf(plain, "w_e.weight").map((value) => 2 * value));
  expect(headOf(half, "w_d.weight")).toEqual(headOf(plain, "w_d.weight").map((value) => value / 2));
  expect(headOf(half, "f.weight")).toEqual(headOf(plain, "f.weight"));
});

it("goes on from a finished folder and leaves it as it was", async () => {
  const startFrom = await written("first", { noiseScale: 0.5 });
  const again = await written("second", { noiseScale: 0.25, startFrom });
  for (const name of ["f.weight", "w_e.weight", "w_e.bias", "w_d.weight", "w_d.bias"])
    expect(headOf(again, name)).toEqual(headOf(startFrom, name));
});

it("leaves the head alone where there is none", async () => {
  const [plain, none] = [await written("unit", { noiseScale: 1 }), await written("none", { noiseScale: 0 })];
  expect(headOf(none, "w_e.weight")).toEqual(headOf(plain, "w_e.weight"));
});

it("a look says what the loss is with the z of other rows", async () => {
  const reports: RunReport[] = [];
  await written("looked at", { evalEvery: 1, onReport: (report) => reports.push(report) });
  const look = reports.find((report) => report.kind === "heldOut")!;
  expect(look.metrics).toMatchObject({ rec: expect.any(Number), shuffled: expect.any(Number) });
  expect(look.metrics.shuffled).not.toBe(look.metrics.rec);
});
