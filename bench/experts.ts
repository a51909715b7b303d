/**
 * Experts beside one adapter, in the root of the repository: npx tsc -p bench && node dist-bench/bench/experts.js [--experts 64] [--rows 8] [--tokens 64] [--rounds 15] [--threads 2]
 * Writes the pocket's router as many times to a folder, each shifted by noise, and prints a JSON line, all in milliseconds: a batch of rows written by one adapter
 * (merged into the weights, and beside them), and by another expert of the folder in each row; a span by the same expert as the one before, and by another one of
 * those in memory; what looking up an expert takes, and reading one from disk. The fastest of the rounds, in which all take turns.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BigVae } from "../src/bigVae.js";
import type { WriteRow } from "../src/engine/engine.js";
import { writeExpert } from "../src/expert/index.js";
import { readLora, writeLora } from "../src/formats/index.js";
import { findModel } from "../src/host/modelFiles.js";
import { spaceOf } from "../src/latent/index.js";
import { openExperts } from "../src/operations/experts.js";
import { Rng } from "../src/rng.js";

const { values: flags } = parseArgs({
  options: {
    experts: { type: "string", default: "64" },
    rows: { type: "string", default: "8" },
    tokens: { type: "string", default: "64" },
    rounds: { type: "string", default: "15" },
    threads: { type: "string", default: "2" },
  },
});
const [EXPERTS, ROWS, TOKENS, ROUNDS, THREADS] = [
  ...[flags.experts, flags.rows, flags.tokens, flags.rounds, flags.threads].map(Number),
] as [number, number, number, number, number];

const rng = Rng.fromSeed("experts");
const folder = await mkdtemp(join(tmpdir(), "bigvae-bench-experts-"));
const vae = await BigVae.load("./pocket", { threads: THREADS, isolation: "process" });
const paths = await findModel("./pocket");

/** The router with noise of a hundredth, and a random key. */
async function writeShifted(i: number): Promise<void> {
  const router = await readLora(join(paths.adapters!, "router"));
  const tensors = Array.from(router.tensors, ([path, pair]) => {
    const noise = rng.fork("noise", i, path.length);
    const shifted = (values: Float32Array) => values.map((value) => value + 0.01 * noise.normal());
    return [path, { ...pair, a: shifted(pair.a), b: shifted(pair.b) }] as const;
  });
  const adapter = join(folder, "adapter");
  await writeLora(adapter, { ...router, tensors: new Map(tensors) });
  const { slots, zDim } = vae.space.shape;
  const facts = { name: `e${i}`, role: "router" as const, texts: 0, spans: 0, steps: 0, rowsPerStep: 0 };
  const space = spaceOf(await vae.hashes(), vae.space.shape);
  const keys = Array.from({ length: 16 }, (_, k) => rng.fork("key", i, k).normals(zDim / slots));
  await writeExpert(
    join(folder, "experts", `e${i}`),
    { ...facts, space, trained: new Date().toISOString() },
    { adapter, keys },
  );
}

const fastest = (values: readonly number[]) => Math.min(...values);
const rounded = (value: number) => Number(value.toFixed(3));

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

try {
  for (let i = 0; i < EXPERTS; i++) await writeShifted(i);
  const experts = await openExperts(vae, join(folder, "experts"));
  const [encoded] = await vae.encode(["The fox found a lamp in the wood and took it home to her mother."]);
  const rowOf = (i: number, expert?: number): WriteRow => ({
    z: vae.sample(encoded!, 1, i),
    rngKey: rng.fork("row", i).key,
    ...(expert === undefined ? {} : { experts: [{ folder: experts.experts[expert]!.folder, weight: 1 }] }),
  });
  const write = (rows: readonly WriteRow[]) =>
    vae.engine.write(rows, {
      writer: "router",
      context: encoded!.ids,
      nTokens: TOKENS,
      tau: 0.9,
      endless: true,
      stopId: vae.tokenizer.eosId!,
    });
  const all = Array.from({ length: ROWS }, (_, i) => i);
  await write([rowOf(0)]);
  await write([rowOf(0, 0)]);
  const [cold, warm]: [number[], number[]] = [[], []];
  for (let i = 1; i < EXPERTS; i++) {
    cold.push(await timed(() => write([rowOf(0, i)])));
    warm.push(await timed(() => write([rowOf(0, i)])));
  }
  const times: Record<string, number[]> = {};
  const time = async (name: string, work: () => unknown) => (times[name] ??= []).push(await timed(work));
  for (let round = 0; round < ROUNDS; round++) {
    const other = (i: number) => (round * ROWS + i) % EXPERTS;
    await time("batchMerged", () => write(all.map((i) => rowOf(i))));
    await time("batchOneBeside", () => write(all.map((i) => rowOf(i, 0))));
    await time("batchExperts", () => write(all.map((i) => rowOf(i, other(i)))));
    await write([rowOf(0, other(0))]);
    await time("spanSame", () => write([rowOf(0, other(0))]));
    await time("spanSwitched", () => write([rowOf(0, other(1))]));
    await time("choose", () => experts.choose(vae.sample(encoded!, 1, round)));
  }
  const shortest = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, rounded(fastest(values))]));
  const { batchExperts, batchOneBeside, batchMerged, spanSame, spanSwitched } = shortest;
  const ratios = {
    overOneBeside: rounded(batchExperts! / batchOneBeside!),
    overMerged: rounded(batchExperts! / batchMerged!),
  };
  const facts = { experts: EXPERTS, rows: ROWS, tokens: TOKENS, threads: THREADS, cores: availableParallelism() };
  const switched = {
    switchCost: rounded(spanSwitched! - spanSame!),
    firstUseCost: rounded(fastest(cold) - fastest(warm)),
  };
  console.log(JSON.stringify({ ...facts, ...shortest, ...ratios, ...switched, load: loadavg()[0] }));
} finally {
  await vae.close();
  await rm(folder, { recursive: true });
}
