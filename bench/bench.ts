/**
 * Speed on a random model of SmolLM2-135M's shape: npm run bench -- [--what encode,decode,switch,avg,train,serve] [--runs 3] [--threads 2] [--compute fp32|int8] [--quant none|int8|int4|nf4]
 * [--python python3]. Prints a JSON line per job with its roofline (roofline.ts), and beside it what peer.py, which works as the original does, takes for the
 * same; where that Python does not have its packages, why not. Run it more than once on an idle machine and compare medians.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Engine } from "../src/engine/engine.js";
import { inputSizes } from "../src/engine/int8.js";
import { blockLinears } from "../src/model/weights.js";
import { Rng } from "../src/rng.js";
import { onnxNodeRuntime } from "../src/runtime/onnxNode.js";
import { AVG_PRESETS, avg } from "../src/sampling/avg.js";
import type { LatentModel } from "../src/sampling/model.js";
import { Adam } from "../src/train/loop/adam.js";
import { GradientRunner } from "../src/train/loop/gradientRunner.js";
import { ropeFeeds } from "../src/train/objectives/attentionFeeds.js";
import { frozenBase } from "../src/train/objectives/frozenBase.js";
import { overlapObjective } from "../src/train/objectives/overlapObjective.js";
import { RowOrder } from "../src/train/objectives/rowOrder.js";
import { QUANTS } from "../src/weights/index.js";
import { randomAdapters, randomBase, randomPackedBase, SMOLLM2, Z_DIM } from "./model.js";
import { type Kernel, measureRates, passWork, roofline, stepsWork, type Work, withGradient } from "./roofline.js";
import { serveFigures } from "./serve.js";

const { values: flags } = parseArgs({
  options: {
    what: { type: "string", default: "encode,decode,switch,avg,train" },
    runs: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
    form: { type: "string", default: "merged" },
    batch: { type: "string", default: "8" },
    compute: { type: "string", default: "fp32" },
    quant: { type: "string", default: "none" },
    python: { type: "string", default: "python3" },
  },
});

const quant = QUANTS.find((name) => name === flags.quant) ?? "none";
const compute = flags.compute === "int8" ? "int8" : "fp32";
const runtime = onnxNodeRuntime({ threads: Number(flags.threads) });
const rng = Rng.fromSeed(1);
const randomIds = (count: number) => Array.from({ length: count }, () => rng.integer(SMOLLM2.vocabSize));

/** What products in int8 are balanced by. */
const sample = compute === "int8" ? randomIds(128) : undefined;

/** By what products with the base are computed, in the engine and in training. */
const kernel: Kernel = quant === "none" ? (compute === "int8" ? "columns" : "fp32") : quant;
const trainKernel: Kernel = compute === "int8" ? "columns" : "fp32";
const rates = { [kernel]: await measureRates(runtime, kernel) };
if (flags.what.split(",").includes("train")) rates[trainKernel] ??= await measureRates(runtime, trainKernel);
for (const [name, { bytes, fp32, kernel: own }] of Object.entries(rates)) {
  const giga = (rate: number) => Math.round(rate / 1e9);
  const line = { kernel: name, memory_gb_per_s: giga(bytes), fp32_gflops: giga(fp32), kernel_gflops: giga(own) };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A job runs once and returns how many tokens it processed. */
type Job = () => Promise<number>;

/** Measures a job that is made of these parts; returns its median seconds. */
async function measure(name: string, work: readonly Work[], job: Job, by: Kernel = kernel): Promise<number> {
  await job(); // sessions are made, pages are touched
  const seconds: number[] = [];
  let tokens = 0;
  for (let run = 0; run < Number(flags.runs); run++) {
    const started = performance.now();
    tokens = await job();
    seconds.push(Math.round(performance.now() - started) / 1000);
  }
  const median = medianOf(seconds);
  const peak = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(
    `${JSON.stringify({ job: name, tokens, seconds, tokens_per_s: Number((tokens / median).toFixed(2)), peak_rss_mb: peak })}\n`,
  );
  process.stdout.write(`${JSON.stringify({ roofline: name, ...roofline(work, rates[by]!, median) })}\n`);
  return median;
}

async function engine(): Promise<Engine> {
  const form = flags.form === "unmerged" ? "unmerged" : "merged";
  const base = quant === "none" ? randomBase() : await randomPackedBase(quant);
  return new Engine({ runtime, base, vae: randomAdapters(), form, int8Sample: sample });
}

/** Texts of 64 tokens. */
const encodeWork = (rows: number) => passWork(SMOLLM2, kernel, { rows, tokens: 64, bidirectional: true });

async function encodeJob(): Promise<number> {
  const model = await engine();
  const rows = Array.from({ length: 32 }, () => ({ ids: randomIds(64) }));
  const median = await measure("encode 32x64", [encodeWork(32)], async () => {
    await model.encode(rows);
    return 32 * 64;
  });
  await model.close();
  return median;
}

async function decodeJob(): Promise<number> {
  const model = await engine();
  const context = randomIds(64);
  const medians: number[] = [];
  for (const count of [1, 4, 8]) {
    const rows = Array.from({ length: count }, (_, i) => ({ z: rng.normals(Z_DIM), rngKey: rng.fork("noise", i).key }));
    const median = await measure(`decode, ${count} rows`, stepsWork(SMOLLM2, kernel, count, 64, 64), async () => {
      await model.write(rows, { writer: "router", context, nTokens: 64, tau: 0.9 });
      return 64 * count;
    });
    medians.push(median);
  }
  await model.close();
  // peer.py writes one row.
  return medians[0]!;
}

/** What it costs that another adapter writes: eight single tokens by the router, then by decoder and router in turn. */
async function switchJob(): Promise<undefined> {
  const model = await engine();
  const row = { z: rng.normals(Z_DIM), rngKey: rng.fork("noise", 0).key };
  for (const writers of [["router"], ["decoder", "router"]] as const) {
    const work = Array.from({ length: 8 }, () => stepsWork(SMOLLM2, kernel, 1, 0, 1)).flat();
    await measure(`switch, ${writers.length === 1 ? "one adapter" : "two adapters in turn"}`, work, async () => {
      for (let i = 0; i < 8; i++)
        await model.write([row], { writer: writers[i % writers.length]!, context: [], nTokens: 1, tau: 0.9 });
      return 8;
    });
  }
  await model.close();
  return undefined;
}

/** One step of the averaging sampler: 4 drafts of 128 tokens, encoded, then the span from their mean. */
async function avgJob(): Promise<number> {
  const model = await engine();
  const latent: LatentModel = {
    encode: (spans) => model.encode(spans.map((ids) => ({ ids }))),
    write: (rows, context, options) => model.write(rows, { ...options, writer: "router", context }),
    score: async () => [],
    tokenizer: { encode: () => [], decode: () => "" },
  };
  const context = randomIds(64);
  const work = [encodeWork(1), ...stepsWork(SMOLLM2, kernel, 4, 64, 128), encodeWork(4)];
  work.push(...stepsWork(SMOLLM2, kernel, 1, 64, 128));
  const median = await measure("avg step, 4 drafts of 128", work, async () => {
    const options = { rng, nSteps: 1, nAvg: 4, tau: 0.9, noise: 1, span: 64, cfgScale: 1 };
    for await (const _ of avg(latent, randomIds(64), context, options, AVG_PRESETS.repository));
    return 5 * 128;
  });
  await model.close();
  return median;
}

async function trainJob(): Promise<number> {
  const batch = Number(flags.batch);
  const base = randomBase();
  const dense = { config: base.config, tensors: base.weights.tensors };
  const { tensors, packing } = frozenBase(base, sample && (await inputSizes(runtime, dense, sample)));
  const lora = { rank: 32, alpha: 8, targets: Object.keys(blockLinears(SMOLLM2)) };
  const row = async () => ({ inputIds: Int32Array.from(randomIds(128)), attentionMask: new Int32Array(128).fill(1) });
  const objective = overlapObjective({
    shape: { config: SMOLLM2, zDim: Z_DIM, encoder: lora, writer: lora, packing },
    frozen: { ...tensors, ...ropeFeeds(SMOLLM2, 256) },
    rows: new RowOrder({ rowCount: 64, row }, batch, 1, rng),
    span: 64,
    gap: 64,
    klWeight: 0.1,
    klRampSteps: 50000,
    noise: { scale: 1, start: 1, rampSteps: 1 },
    dropPrefix: 0.5,
    shiftedSpans: false,
    encodeLast: false,
    maskedPrefix: false,
    shortSpans: 0,
    edgeWeights: true,
    rng,
  });
  const runner = new GradientRunner(runtime, objective);
  const adam = new Adam(objective.parameters, { betas: [0.9, 0.99], eps: 1e-8, weightDecay: 0 });
  let step = 0;
  // Half of the rows have a prefix.
  const passes = [
    { rows: batch, tokens: 64, bidirectional: true },
    { rows: batch / 2, tokens: 128, logits: 64 },
    { rows: batch / 2, tokens: 64, logits: 64 },
  ];
  const work = passes.map((pass) => withGradient(passWork(SMOLLM2, trainKernel, pass)));
  const job = async () => {
    runner.reset();
    await runner.run(await objective.microbatch(++step, 0));
    adam.apply(runner.gradients, step, 1e-4, 1);
    return batch * 64;
  };
  const median = await measure(`training step, batch ${batch}, ${compute}`, work, job, trainKernel);
  await runner.release();
  return median;
}

/** Each returns the seconds that peer.py is compared with, where it has the same job. */
const jobs: Record<string, () => Promise<number | undefined>> = {
  encode: encodeJob,
  decode: decodeJob,
  switch: switchJob,
  avg: avgJob,
  train: trainJob,
};
const peer = fileURLToPath(new URL("../../bench/peer.py", import.meta.url));
const missing = whyPeerIsMissing();
if (missing) process.stdout.write(`${JSON.stringify({ peer: "missing", why: missing })}\n`);
for (const name of flags.what.split(",")) {
  if (name === "serve") {
    for await (const figures of serveFigures(Number(flags.threads), Number(flags.runs)))
      process.stdout.write(`${JSON.stringify(figures)}\n`);
    continue;
  }
  const median = await jobs[name]!();
  if (!missing && median !== undefined) comparePeer(name, median);
}

/** What the interpreter says of the packages of peer.py; undefined where it has them. */
function whyPeerIsMissing(): string | undefined {
  const { error, status, stderr } = spawnSync(flags.python, ["-c", "import torch, transformers, peft"], {
    encoding: "utf8",
  });
  if (error) return `${flags.python}: ${error.message}; give --python one with the packages that bench/peer.py names`;
  if (status === 0) return undefined;
  return `${flags.python}: ${stderr.trim().split("\n").at(-1)}; bench/peer.py names the packages`;
}

/** The same job by peer.py, and how many times as long it took. */
function comparePeer(name: string, ownSeconds: number): void {
  const args = [peer, "--what", name, "--runs", flags.runs, "--threads", flags.threads, "--train-batch", flags.batch];
  const { stdout, status } = spawnSync(flags.python, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  if (status !== 0) return void process.stderr.write(`${peer} ended with ${status}\n`);
  const { [name]: result, peak_rss_mb } = JSON.parse(stdout.trim().split("\n").at(-1)!);
  const ratio = Number((medianOf(result.seconds) / ownSeconds).toFixed(2));
  process.stdout.write(`${JSON.stringify({ peer: name, seconds: result.seconds, peak_rss_mb, ratio })}\n`);
}

function medianOf(seconds: readonly number[]): number {
  return [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length / 2)]!;
}
