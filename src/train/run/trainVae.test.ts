/** Noise of another scale than 1 in training: the finished head is in the units where the posterior is N(mean, s^2). */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runtime, tinyBase, tinyRows, tinyRun, tinyTokenizer, tinyVaeRun } from "../../../test/train/tiny.js";
import { type Checkpoint, readVae } from "../../checkpoint/vae.js";
import { prepare } from "../../data/index.js";
import type { VaeAdapters } from "../../engine/adapters.js";
import { type Encoding, Engine, type Score } from "../../engine/engine.js";
import { Rng } from "../../rng.js";
import { noiseScale } from "../objectives/overlapSchedules.js";
import { openRows } from "./runData.js";
import type { RunReport } from "./runTraining.js";
import { type TrainVaeOptions, trainVae } from "./trainVae.js";

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
async function written(name: string, changes: Partial<TrainVaeOptions>): Promise<Checkpoint> {
  const output = join(folder, name);
  const still = { lr: 0, weightDecay: 0, steps: 1, warmup: 0 };
  await trainVae(runtime, { ...tinyVaeRun(tinyRun(output, rows, tokenizer)), ...still, ...changes });
  return readVae(output, base);
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

it("writes down the usual losses: means over held-out spans, each from its own latent", async () => {
  const vae = await written("usual", {});
  const engine = new Engine({ runtime, base, vae, form: "unmerged" });
  const held = await openRows(rows, "validation", { columns: vae.span, minTokens: vae.span });
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

it("a look says what the loss is with the z of other rows", async () => {
  const reports: RunReport[] = [];
  await written("looked at", { evalEvery: 1, onReport: (report) => reports.push(report) });
  const look = reports.find((report) => report.kind === "heldOut")!;
  expect(look.metrics).toMatchObject({ rec: expect.any(Number), shuffled: expect.any(Number) });
  expect(look.metrics.shuffled).not.toBe(look.metrics.rec);
});

it("rises in a straight line from its start to its scale", () => {
  const noise = { scale: 1, start: 0.1, rampSteps: 10 };
  expect([1, 5, 10, 11].map((step) => Number(noiseScale(noise, step).toFixed(6)))).toEqual([0.19, 0.55, 1, 1]);
  expect(noiseScale({ scale: 1, start: 1, rampSteps: 1 }, 1)).toBe(1);
});

it("several slots, sentences and a ramp of the noise make a folder that encodes and writes", async () => {
  const sentences = join(folder, "sentences");
  const short = ["It ran. It sat.", "A fox! An owl?", "We sat. We ran."];
  const records = short.map((text, i) => JSON.stringify({ text, split: i === 0 ? "validation" : "train" }));
  await writeFile(join(folder, "short.jsonl"), records.join("\n"));
  await prepare({ inputs: [join(folder, "short.jsonl")], tokenizer, output: sentences, length: 64, sentences: true });
  const vae = await written("slots", {
    slots: 2,
    noiseStart: 0.1,
    noiseRampSteps: 4,
    shortTexts: { preprocessed: sentences, share: 1 },
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
