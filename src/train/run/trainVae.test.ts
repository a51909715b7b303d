/** What `train vae` writes: the head in the units where the posterior is N(mean, s^2), whatever the scale of the noise; several slots. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtime, tinyBase, tinyTokenizer, tinyVaeRun, writeTinyData } from "../../../test/train/tiny.js";
import { type Checkpoint, readVae } from "../../checkpoint/vae.js";
import { prepare } from "../../data/index.js";
import type { VaeAdapters } from "../../engine/adapters.js";
import { type Encoding, Engine, type Score } from "../../engine/engine.js";
import { Rng } from "../../rng.js";
import type { RunReport } from "./reports.js";
import { openRows } from "./runData.js";
import { readRunFile } from "./runFile.js";
import type { RunControl } from "./start.js";
import { planVae, type TrainVaeOptions, trainVae } from "./trainVae.js";

const tokenizer = tinyTokenizer();
const base = tinyBase(tokenizer.vocabSize);
let folder: string;
let sentences: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-vae-"));
  await writeTinyData(folder);
  sentences = join(folder, "sentences");
  const short = ["It ran. It sat.", "A fox! An owl?", "We sat. We ran."];
  const records = short.map((text, i) => JSON.stringify({ text, split: i === 0 ? "validation" : "train" }));
  await writeFile(join(folder, "short.jsonl"), records.join("\n"));
  await prepare({ inputs: [join(folder, "short.jsonl")], tokenizer, output: sentences, length: 64, sentences: true });
});
afterAll(() => rm(folder, { recursive: true }));

/** One step whose rate is too small to change anything: what is written is what the run began with. */
async function written(name: string, changes: Partial<TrainVaeOptions>, control?: RunControl): Promise<Checkpoint> {
  const output = join(folder, name);
  const still = { lr: Number.MIN_VALUE, weightDecay: 0, steps: 1, warmup: 0 };
  expect(await trainVae({ ...tinyVaeRun(folder, output), ...still, ...changes, output }, control)).toBe(true);
  return readVae(output, base);
}

const headOf = ({ head }: VaeAdapters, name: string) => Array.from(head[`vae.${name}`]!.data as Float32Array);

it("scales the finished z by its inverse, and w_d the other way", async () => {
  const plain = await written("plain", { latentNoise: 1 });
  const half = await written("half", { latentNoise: 0.5 });
  expect(headOf(half, "w_e.weight")).toEqual(headOf(plain, "w_e.weight").map((value) => 2 * value));
  expect(headOf(half, "w_d.weight")).toEqual(headOf(plain, "w_d.weight").map((value) => value / 2));
  expect(headOf(half, "f.weight")).toEqual(headOf(plain, "f.weight"));
});

it("keeps to what `compute` auto became, however it would be chosen when the run is resumed", async () => {
  await written("auto", { compute: "auto" });
  const { flags } = (await readRunFile(join(folder, "auto")))!;
  expect(["fp32", "int8"]).toContain(flags.compute);
});

it("goes on from a finished folder and leaves it as it was", async () => {
  const first = await written("first", { latentNoise: 0.5 });
  const again = await written("second", { latentNoise: 0.25, startFrom: join(folder, "first") });
  for (const name of ["f.weight", "w_e.weight", "w_e.bias", "w_d.weight", "w_d.bias"])
    expect(headOf(again, name)).toEqual(headOf(first, name));
});

it("leaves the head alone where there is none", async () => {
  const [plain, none] = [await written("unit", { latentNoise: 1 }), await written("none", { latentNoise: 0 })];
  expect(headOf(none, "w_e.weight")).toEqual(headOf(plain, "w_e.weight"));
});

it("an evaluation says what the loss is with the z of other rows", async () => {
  const reports: RunReport[] = [];
  await written("evaluated", { evalEvery: 1 }, { onReport: (report) => reports.push(report) });
  const { metrics } = reports.find((report) => report.kind === "heldOut")!;
  expect(metrics).toMatchObject({ rec: expect.any(Number), shuffled: expect.any(Number) });
  expect(metrics.shuffled).not.toBe(metrics.rec);
});

it("keeps rank, alpha, z and gap of the adapters that it starts from, and refuses an option that says otherwise", async () => {
  await written("three", { alpha: 3, gap: 5 });
  const { rank: _, alpha: __, zDim: ___, ...rest } = tinyVaeRun(folder, join(folder, "on"));
  const options = { ...rest, startFrom: join(folder, "three"), steps: 1 };
  expect(await trainVae(options)).toBe(true);
  const on = await readVae(join(folder, "on"), base);
  expect(on).toMatchObject({ zDim: 8, gap: 5, adapters: { decoder: { shape: { rank: 2, alpha: 3 } } } });
  await expect(trainVae({ ...options, output: join(folder, "other"), alpha: 8 })).rejects.toThrow(
    "`alpha`: expected 3, that of the adapters in `startFrom`, got 8; leave it out",
  );
});

it("refuses to end before the step that it has come to", async () => {
  await written("two steps", { steps: 2, saveEvery: 1 });
  const output = join(folder, "two steps");
  await expect(trainVae({ output, steps: 1, resume: true } as TrainVaeOptions)).rejects.toMatchObject({
    kind: "usage",
    detail: { subject: "`steps`", expected: "at least 2, which the run has done", got: 1 },
  });
});

it("writes down the usual losses: means over held-out spans, each from its own latent", async () => {
  const { preprocessed } = tinyVaeRun(folder, "");
  const vae = await written("usual", {});
  const engine = new Engine({ runtime, base, vae, form: "unmerged" });
  const held = await openRows(preprocessed, "validation", { columns: vae.span, minTokens: vae.span });
  const losses: { decoder: number; base: number }[] = [];
  for (let i = 0; i < held.rowCount; i++) {
    const ids = Array.from((await held.row(i)).inputIds);
    const [{ mean: z }] = (await engine.encode([{ ids }])) as [Encoding];
    const loss = async (writer: "decoder" | "base", context: readonly number[]) => {
      const [{ logProbabilities }] = (await engine.score([{ z, target: ids }], writer, context)) as [Score];
      return -logProbabilities.reduce((sum, value) => sum + value, 0) / ids.length;
    };
    losses.push({ decoder: await loss("decoder", []), base: await loss("base", [tokenizer.eosId!]) });
  }
  await Promise.all([held.close(), engine.close()]);
  expect(losses.length).toBeGreaterThan(1);
  const mean = (name: "decoder" | "base") => losses.reduce((sum, loss) => sum + loss[name], 0) / losses.length;
  expect(vae.facts.decoder_loss).toBeCloseTo(mean("decoder"), 4);
  expect(vae.facts.base_loss).toBeCloseTo(mean("base"), 4);
});

it("several slots, sentences and a ramp of the noise make a folder that encodes and writes", async () => {
  const vae = await written("slots", {
    slots: 2,
    noiseStart: 0.1,
    noiseRamp: 4,
    sentences,
    sentenceShare: 1,
    span: 24,
    gap: 0,
    dropPrefix: 1,
    shiftedSpans: true,
    encodeLast: true,
    steps: 3,
    lr: 1e-3,
  });
  expect(vae).toMatchObject({ zDim: 8, slots: 2 });
  const engine = new Engine({ runtime, base, vae, form: "unmerged" });
  const [encoding] = await engine.encode([{ ids: tokenizer.encode("The fox ran.") }]);
  const { mean } = encoding!;
  expect(mean).toHaveLength(9);
  const options = { writer: "decoder" as const, context: [], nTokens: 5, tau: 0 };
  expect((await engine.write([{ z: mean, rngKey: Rng.fromSeed(1).key }], options))[0]).toHaveLength(5);
  await engine.close();
});

describe("the losses of a run", () => {
  const losses = async (name: string, changes: Partial<TrainVaeOptions>) => {
    const all: number[] = [];
    const stop = new AbortController();
    const onReport = (report: RunReport) => {
      if (report.kind === "step") all.push(report.metrics.loss);
      // The second step shows what the first one has changed.
      if (all.length === 2) stop.abort();
    };
    const output = join(folder, `losses ${name}`);
    const options = { ...tinyVaeRun(folder, output), steps: 20, warmup: 0, ...changes, output };
    expect(await trainVae(options, { onReport, signal: stop.signal })).toBe(false);
    expect(all).toHaveLength(2);
    return all;
  };
  let plain: number[];
  beforeAll(async () => {
    plain = await losses("plain", {});
    expect(await losses("again", {})).toEqual(plain);
  });

  it.each<Partial<TrainVaeOptions>>([
    { batchSize: 3 },
    { gradientAccumulationSteps: 1 },
    { lr: 1e-3 },
    { warmup: 2 },
    { lrDecay: "cosine" },
    { weightDecay: 10 },
    { clipNorm: 1e-3 },
    { rank: 3 },
    { alpha: 1 },
    { dropout: 0.5 },
    { latentNoise: 0.5 },
    { span: 9 },
    { zDim: 4 },
    { slots: 2 },
    { gap: 3 },
    { klWeight: 0.5 },
    { klRamp: 2 },
    { freeBits: 1 },
    { learnedVariance: true },
    { dropPrefix: 1 },
    { maskedPrefix: true },
    { shiftedSpans: true },
    { encodeLast: true },
    { shortSpans: 1 },
    { tokenWeights: "uniform" },
    { noiseStart: 0.1, noiseRamp: 3 },
    { seed: 8 },
  ])("are others with %o", async (changes) => {
    const changed = await losses(JSON.stringify(changes), changes);
    expect(changed.every(Number.isFinite)).toBe(true);
    expect(changed).not.toEqual(plain);
  });

  it("are those of the noise and the KL weight that a ramp has come to", async () => {
    const quiet = { freeBits: 0.1 };
    const [fixed] = await losses("fixed", { ...quiet, latentNoise: 0.25, klWeight: 0.1, klRamp: 1 });
    const [noise] = await losses("noise", { ...quiet, latentNoise: 0.5, noiseStart: 0, noiseRamp: 2, klRamp: 1 });
    const [kl] = await losses("kl", { ...quiet, latentNoise: 0.25, klWeight: 0.2, klRamp: 2 });
    expect(noise).toBe(fixed);
    expect(kl! / fixed!).toBeCloseTo(1, 6);
  });
});

it("a plan counts what a run reads: rows but for the microbatches of sentences, and these", async () => {
  const { output: _, ...options } = {
    ...tinyVaeRun(folder, ""),
    sentences,
    sentenceShare: 0.5,
    span: 16,
    steps: 40,
  };
  const [alone, mixed] = [
    await planVae({ ...options, sentences: undefined, sentenceShare: undefined }),
    await planVae(options),
  ];
  const rowsRead = ({ rowsPerStep, steps }: typeof alone) => rowsPerStep * steps;
  expect(rowsRead(alone)).toBe(40 * 4);
  expect(alone).toMatchObject({ tokensPerRow: 32, tokens: 40 * 4 * 32, epochs: (40 * 4) / alone.rows });
  // A binomial of 80 microbatches at 0.5, two rows each, lies within four standard deviations.
  expect(Math.abs(rowsRead(mixed) - 80)).toBeLessThan(2 * 18);
  expect(mixed.epochs).toBeCloseTo(rowsRead(mixed) / mixed.rows, 9);
  // Each microbatch of sentences has texts of 8 padded tokens, as many as are the work of two spans of 16.
  expect(mixed.tokens - rowsRead(mixed) * 32).toBe(((160 - rowsRead(mixed)) / 2) * 3 * 8);
});
