/**
 * A memory of many spans: npx tsc -p bench && node dist-bench/bench/memory.js [--records 100000] [--data clustered|alike|random] [--width 768] [--queries 200] [--batch 1000] [--folder DIR] [--store folder|lance]
 * Prints a JSON line: adds a second, how long it takes to open it and to search it, which part of the ten nearest it finds (against exact search
 * over all), and what it takes on disk. With --store lance it is in LanceDB, in the same folder: searched at first without an index, then with that which compacting makes. "clustered": a centre for every hundred spans, and noise of 0.7 of its size around it, as latents of texts
 * on topics lie. "alike": every vector is one that all have in common, and around it some values vary more than others. "random": normal vectors
 * without any structure, the worst case of every index: all are about as far from each other.
 */
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { dot, norm } from "../src/latent/index.js";
import { type NewRecord, openMemory, type SpaceIdentity } from "../src/memory/index.js";
import { Rng } from "../src/rng.js";

const { values: flags } = parseArgs({
  options: {
    records: { type: "string", default: "100000" },
    data: { type: "string", default: "clustered" },
    width: { type: "string", default: "768" },
    queries: { type: "string", default: "200" },
    batch: { type: "string", default: "1000" },
    folder: { type: "string" },
    store: { type: "string", default: "folder" },
  },
});
const [RECORDS, WIDTH, QUERIES, BATCH] = [flags.records, flags.width, flags.queries, flags.batch].map(Number) as [
  number,
  number,
  number,
  number,
];
const NEAREST = 10;
const SPACE: SpaceIdentity = { base: "bench", encoder: "bench", zDim: WIDTH, slots: 1, span: 64 };
const WORDS = "owl fox baker lost found lamp button key under near old bridge house river slept and the a".split(" ");

/** Normals that noise is cut from: a vector is the sum of two windows of them, as drawing every value anew takes longer than all that is measured. */
const POOL = 2 ** 22;
const pool = Rng.fromSeed("pool").normals(POOL + WIDTH);

function noise(rng: Rng): Float32Array {
  const [a, b] = [rng.integer(POOL), rng.integer(POOL)];
  return Float32Array.from({ length: WIDTH }, (_, i) => (pool[a + i]! + pool[b + i]!) * Math.SQRT1_2);
}

const centres =
  flags.data !== "clustered"
    ? []
    : Array.from({ length: Math.max(1, RECORDS / 100) }, (_, i) => noise(Rng.fromSeed("centre").fork(i)));

const common = noise(Rng.fromSeed("common"));

function vector(rng: Rng): Float32Array {
  if (flags.data === "random") return noise(rng);
  if (flags.data === "alike") return noise(rng).map((value, i) => common[i]! + value / Math.sqrt(1 + i / 8));
  const centre = rng.pick(centres);
  return noise(rng).map((value, i) => 0.7 * value + centre[i]!);
}

function recordOf(i: number): NewRecord {
  const rng = Rng.fromSeed(i).fork("record");
  const text = Array.from({ length: 40 }, () => rng.pick(WORDS)).join(" ");
  return { text: `${text} ${i}`, ids: Array.from({ length: 50 }, () => rng.integer(30_000)), z: vector(rng), tags: [] };
}

/** The nearest of what was shown so far. */
class Truth {
  #found: { id: number; similarity: number }[] = [];

  constructor(readonly query: Float32Array) {}

  see(id: number, z: Float32Array, length: number): void {
    const similarity = dot(this.query, z) / length;
    if (this.#found.length === NEAREST && similarity <= this.#found.at(-1)!.similarity) return;
    this.#found = [...this.#found, { id, similarity }].sort((a, b) => b.similarity - a.similarity).slice(0, NEAREST);
  }

  share(ids: readonly number[]): number {
    return this.#found.filter(({ id }) => ids.includes(id)).length / NEAREST;
  }
}

const quantile = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.floor(q * values.length)]!;
const rounded = (value: number, digits = 2) => Number(value.toFixed(digits));

async function bytesOf(folder: string, ending: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function bytesOfFolder() {
  return {
    index_bytes_per_span: Math.round((await bytesOf(folder, ".codes")) / RECORDS),
    records_bytes_per_span: Math.round((await bytesOf(folder, ".db")) / RECORDS),
  };
}

const folder = flags.folder ?? (await mkdtemp(join(tmpdir(), "bigvae-bench-")));
const place = flags.store === "lance" ? `lance:${folder}` : folder;
try {
  const truths = Array.from({ length: QUERIES }, (_, i) => new Truth(vector(Rng.fromSeed("query").fork(i))));
  const growing = await openMemory(place, SPACE);
  let addMs = 0;
  let addCpuMs = 0;
  const cpuMs = () => Object.values(process.cpuUsage()).reduce((sum, us) => sum + us / 1000, 0);
  for (let from = 0; from < RECORDS; from += BATCH) {
    const records = Array.from({ length: Math.min(BATCH, RECORDS - from) }, (_, i) => recordOf(from + i));
    const [start, startCpu] = [performance.now(), cpuMs()];
    const ids = await growing.add(records);
    addMs += performance.now() - start;
    addCpuMs += cpuMs() - startCpu;
    for (const [i, { z }] of records.entries()) {
      const length = norm(z);
      for (const truth of truths) truth.see(ids[i]!, z, length);
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${from + records.length} `);
  }
  const start = performance.now();
  await growing.close();
  addMs += performance.now() - start;

  const opening = performance.now();
  const memory = await openMemory(place, SPACE);
  // The index is opened, and checked, by the first search.
  await memory.search({ z: truths[0]!.query });
  const openMs = performance.now() - opening;
  const searches = async () => {
    const times: number[] = [];
    let recall = 0;
    for (const truth of truths) {
      const asked = performance.now();
      const found = await memory.search({ z: truth.query, count: NEAREST });
      times.push(performance.now() - asked);
      recall += truth.share(found.map(({ record }) => record.id)) / QUERIES;
    }
    return {
      search_p50_ms: rounded(quantile(times, 0.5)),
      search_p95_ms: rounded(quantile(times, 0.95)),
      recall_at_10: rounded(recall, 4),
    };
  };
  const searched = await searches();
  const compacted: Record<string, unknown> = {};
  if (flags.store === "lance") {
    const start = performance.now();
    await memory.compact();
    Object.assign(compacted, { compact_ms: Math.round(performance.now() - start), indexed: await searches() });
  }
  await memory.close();
  const line = {
    records: RECORDS,
    data: flags.data,
    store: flags.store,
    adds_per_s: Math.round(RECORDS / (addMs / 1000)),
    add_processor_us: Math.round((1000 * addCpuMs) / RECORDS),
    open_ms: Math.round(openMs),
    ...searched,
    ...compacted,
    ...(flags.store === "lance" ? {} : await bytesOfFolder()),
    load_average: rounded(loadavg()[0]!, 1),
    cores: availableParallelism(),
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
} finally {
  if (flags.folder === undefined) await rm(folder, { recursive: true, force: true });
}
