/** Calls that write at the same time: they share steps, and each writes what it writes alone. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { Engine, type WriteOptions, type WriteRow } from "../../src/engine/engine.js";
import { Rng } from "../../src/rng.js";
import type { HostTensors, Runtime } from "../../src/runtime/runtime.js";
import { loadTinyAdapters, loadTinyBase, runtime } from "../parity/reference.js";

/** Rows, tokens and entries of each row's own cache, of each step of a writer, in their order. */
const runs: { rows: number; time: number; past: number }[] = [];
/** Fails the next step. */
let isFailing = false;

/** The runtime, noting the steps of writers. */
const noting: Runtime = {
  device: "cpu",
  async createSession(outputs, options) {
    const session = await runtime.createSession(outputs, options);
    const run = (feeds: HostTensors, into?: HostTensors, signal?: AbortSignal) => {
      if (feeds.selected) {
        const [rows, time] = feeds.embeddings!.shape as [number, number];
        runs.push({ rows, time, past: feeds["past_key.0"]!.shape[2]! });
        if (isFailing) throw new Error("a step that fails");
      }
      return session.run(feeds, into, signal);
    };
    return { run, release: () => session.release() };
  },
};

let engine: Engine;
beforeAll(async () => {
  const base = await loadTinyBase();
  engine = new Engine({ runtime: noting, base, vae: await loadTinyAdapters(base.config) });
});
afterAll(() => engine.close());

const rng = Rng.fromSeed("scheduler");
const ids = (length: number, seed: number) => {
  const stream = rng.fork("ids", seed);
  return Array.from({ length }, () => 5 + stream.integer(500));
};
const rowOf = (i: number): WriteRow => ({ z: rng.fork("z", i).normals(48), rngKey: rng.fork("row", i).key });
const options: WriteOptions = { writer: "router", context: [], nTokens: 20, tau: 0.9 };

/** Calls of all kinds: writers, contexts, lengths, guidance, beginnings, several rows. */
const calls = Array.from({ length: 24 }, (_, i): [WriteRow[], WriteOptions] => {
  const writer = ["router", "decoder", "base"][i % 3]!;
  const rows = Array.from({ length: 1 + (i % 4) }, (_, k) => rowOf(10 * i + k));
  return [
    rows,
    {
      ...options,
      writer,
      context: ids(1 + ((i * 29) % 90), i % 7),
      nTokens: 5 + ((i * 7) % 40),
      ...(i % 5 === 1 && writer !== "base" ? { cfgScale: 1.3 } : {}),
      ...(i % 4 === 2 ? { begun: ids(3, i) } : {}),
    },
  ];
});
const writeAll = () => Promise.all(calls.map(([rows, how]) => engine.write(rows, how)));
const totalTokens = () => runs.reduce((sum, { rows, time }) => sum + rows * time, 0);

it("writes in company what each call writes alone, in fewer steps and with no more tokens read", async () => {
  runs.length = 0;
  const alone: number[][][] = [];
  for (const [rows, how] of calls) alone.push(await engine.write(rows, how));
  const [steps, tokens] = [runs.length, totalTokens()];
  await engine.close();
  runs.length = 0;
  expect(await writeAll()).toEqual(alone);
  expect(runs.length).toBeLessThan(steps / 3);
  // Rows that read at once are padded to the longest, a quarter longer at most.
  expect(totalTokens()).toBeLessThan(1.25 * tokens);
});

it("keeps one copy of the context of a call's rows, and a single row's own in its past", async () => {
  await engine.close();
  const own = async (count: number) => {
    runs.length = 0;
    const rows = Array.from({ length: count }, (_, i) => rowOf(i));
    await engine.write(rows, { ...options, context: ids(200, 101), nTokens: 3 });
    return runs.at(-1)!.past;
  };
  expect(await own(8)).toBeLessThanOrEqual(64);
  expect(await own(1)).toBeGreaterThan(200);
});

it("begins no reading after one that failed", async () => {
  await engine.close();
  runs.length = 0;
  isFailing = true;
  const guided = { ...options, beginId: 0, cfgScale: 1.5 };
  await expect(engine.write([rowOf(0)], guided)).rejects.toThrow("a step that fails");
  isFailing = false;
  expect(runs).toHaveLength(1);
});

it("reads a context once, however many calls begin with it", async () => {
  await engine.close();
  const context = ids(200, 100);
  runs.length = 0;
  await Promise.all([0, 1, 2].map((i) => engine.write([rowOf(i)], { ...options, context, nTokens: 2 })));
  await engine.write([rowOf(3)], { ...options, context: [...context, 7, 8], nTokens: 2 });
  // A context that goes on otherwise keeps the beginning.
  await engine.write([rowOf(4)], { ...options, context: [...context.slice(0, 150), 9], nTokens: 2 });
  expect(runs.map(({ time }) => time).filter((time) => time > 1)).toEqual([200, 2]);
});

it("gives a call that comes later its first token within four steps", async () => {
  const long = engine.write([rowOf(0), rowOf(1)], { ...options, context: ids(40, 1), nTokens: 120 });
  let told = 0;
  const busy = engine.write([rowOf(2)], { ...options, nTokens: 120, onToken: () => void told++ });
  while (told < 10) await new Promise(setImmediate);
  const before = told;
  let waited = Number.NaN;
  await engine.write([rowOf(3)], {
    ...options,
    context: ids(60, 2),
    nTokens: 3,
    onToken: () => {
      if (Number.isNaN(waited)) waited = told - before;
    },
  });
  expect(waited).toBeLessThanOrEqual(4);
  await Promise.all([long, busy]);
});

it("frees the rows of an aborted call within two steps, and goes on with the others", async () => {
  const expected = await engine.write([rowOf(0)], { ...options, nTokens: 60 });
  const controller = new AbortController();
  let told = 0;
  const kept = engine.write([rowOf(0)], { ...options, nTokens: 60, onToken: () => void told++ });
  const dropped = engine.write([rowOf(1), rowOf(2)], { ...options, nTokens: 60, signal: controller.signal });
  const refused = expect(dropped).rejects.toThrow();
  while (told < 10) await new Promise(setImmediate);
  controller.abort();
  const at = runs.length;
  expect(await kept).toEqual(expected);
  await refused;
  expect(runs[at - 1]!.rows).toBe(3);
  expect(runs.slice(at + 2).map(({ rows }) => rows)).toEqual(runs.slice(at + 2).map(() => 1));
});

it("ends a call alone whose callback throws", async () => {
  const expected = await engine.write([rowOf(0)], { ...options, nTokens: 30 });
  const broken = engine.write([rowOf(1)], {
    ...options,
    onToken: () => {
      throw new RangeError("no room on the screen");
    },
  });
  const other = engine.write([rowOf(0)], { ...options, nTokens: 30 });
  await expect(broken).rejects.toThrow("no room on the screen");
  expect(await other).toEqual(expected);
});
