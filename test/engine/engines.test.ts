/** What holds of the engine wherever it runs: in the thread of its caller, in one of its own, in a process, on a server. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import type { ErrorKind } from "../../src/errors.js";
import { openEngine } from "../../src/host/openEngine.js";
import type { RemoteEngine } from "../../src/remote/remoteEngine.js";
import { Rng } from "../../src/rng.js";
import type { Server } from "../../src/server/serve.js";
import { importBuilt, loadTiny } from "../host/built.js";
import { tinyFolder } from "../parity/reference.js";
import { startServer } from "../server/server.js";

const rng = Rng.fromSeed("engines");
const rowOf = (i: number) => ({ z: rng.fork("z", i).normals(48), rngKey: rng.fork("row", i).key });
const rows = Array.from({ length: 3 }, (_, i) => rowOf(i));
const ids = (length: number, seed = 0) => {
  const stream = rng.fork("ids", seed);
  return Array.from({ length }, () => 5 + stream.integer(500));
};
const long = { writer: "router", context: ids(20), nTokens: 3000, tau: 0.9 };
const short = { ...long, nTokens: 4 };

let server: Server | undefined;
async function connectTiny() {
  const load = { adapters: `${tinyFolder}/adapters`, threads: 1 };
  server = await startServer({ model: `${tinyFolder}/base`, load, maxBodyBytes: 2 ** 24 });
  return (await importBuilt()).BigVae.connect(server.url);
}
afterAll(() => server?.close());

const ENGINES: [string, () => Promise<Engine | RemoteEngine>][] = [
  [
    "in the caller's thread",
    async () => {
      const paths = { base: `${tinyFolder}/base`, adapters: `${tinyFolder}/adapters` };
      return (await openEngine({ ...paths, threads: 1 })).engine;
    },
  ],
  ["in a thread of its own", async () => (await loadTiny()).engine],
  ["in a process of its own", async () => (await loadTiny({ isolation: "process" })).engine],
  ["of a server", async () => (await connectTiny()).engine],
];

describe.each(ENGINES)("the engine %s", (_, open) => {
  let engine: Engine | RemoteEngine;
  beforeAll(async () => {
    engine = await open();
  });
  afterAll(() => engine.close());

  it("writes 130 rows as it writes each of them, and names the row of each token", async () => {
    const many = Array.from({ length: 130 }, (_, i) => rowOf(i));
    const told: number[][] = many.map(() => []);
    const written = await engine.write(many, { ...short, onToken: (row, id) => void told[row]!.push(id) });
    expect(told).toEqual(written);
    for (const i of [0, 127, 128, 129]) expect(await engine.write([many[i]!], short)).toEqual([written[i]]);
  });

  it("gives nothing for no rows", async () => {
    expect(await engine.write([], short)).toEqual([]);
    expect(await engine.score([], "router", [5])).toEqual([]);
    expect(await engine.encode([])).toEqual([]);
  });

  describe("answers a short call before a longer one that was made earlier", () => {
    const many = Array.from({ length: 2000 }, (_, i) => ({ ids: ids(12, i) }));
    const order = (calls: Record<string, Promise<unknown>>) => {
      const done: string[] = [];
      const all = Object.entries(calls).map(([name, call]) => call.then(() => done.push(name)));
      return Promise.all(all).then(() => done);
    };

    it("of encoding, with the same latents", async () => {
      const alone = await engine.encode([many[7]!]);
      const long = engine.encode(many);
      const short = engine.encode([many[7]!]);
      expect(await order({ long, short })).toEqual(["short", "long"]);
      expect((await short)[0]!.mean).toEqual(alone[0]!.mean);
      expect(await long).toHaveLength(many.length);
    });

    it("of writing", async () => {
      const expected = await engine.write(rows, { ...long, nTokens: 200 });
      const writing = engine.write(rows, { ...long, nTokens: 200 });
      expect(await order({ writing, short: engine.encode([many[7]!]) })).toEqual(["short", "writing"]);
      expect(await writing).toEqual(expected);
    });

    it("of writing behind writing, by the same adapter and with guidance, with the same tokens", async () => {
      const guided = { ...long, cfgScale: 1.3, stopId: 2, endless: true, nTokens: 120 };
      const brief = { ...guided, context: ids(30, 1), nTokens: 5 };
      const [lasting, expected] = [await engine.write(rows, guided), await engine.write([rows[1]!], brief)];
      const writing = engine.write(rows, guided);
      const short = engine.write([rows[1]!], brief);
      expect(await order({ writing, short })).toEqual(["short", "writing"]);
      expect([await writing, await short]).toEqual([lasting, expected]);
    });

    it("of writing behind many rows", async () => {
      const all = Array.from({ length: 130 }, (_, i) => rowOf(i));
      const writing = engine.write(all, { ...long, nTokens: 30 });
      const short = engine.write([rows[0]!], { ...long, nTokens: 2 });
      expect(await order({ writing, short })).toEqual(["short", "writing"]);
    });

    it("of scoring", async () => {
      const scored = Array.from({ length: 600 }, (_, i) => ({ z: rows[0]!.z, target: ids(12, i) }));
      const alone = await engine.score(scored.slice(0, 1), "router", ids(5));
      const long = engine.score(scored, "router", ids(5));
      const short = engine.score(scored.slice(0, 1), "router", ids(5));
      expect(await order({ long, short })).toEqual(["short", "long"]);
      expect(await short).toEqual(alone);
    });
  });

  it("scores long texts beside short ones as it scores them alone", async () => {
    const scored = [400, 3, 1, 399].map((length, i) => ({ z: rows[i % 3]!.z, target: ids(length, i) }));
    // 64 rows of up to 1200 tokens with a vocabulary of 512: more logits than are computed at once.
    const many = Array.from({ length: 64 }, (_, i) => ({ z: rows[0]!.z, target: ids(i === 5 ? 1200 : 1 + i, i) }));
    for (const batch of [scored, many]) {
      const together = await engine.score(batch, "decoder", []);
      for (const i of [0, 2, 3, 5].filter((i) => i < batch.length)) {
        const [alone] = await engine.score([batch[i]!], "decoder", []);
        expect(together[i]!.logProbabilities).toHaveLength(batch[i]!.target.length);
        const difference = alone!.logProbabilities.map((value, t) =>
          Math.abs(value - together[i]!.logProbabilities[t]!),
        );
        expect(Math.max(...difference)).toBeLessThan(1e-4);
      }
    }
  });

  describe("aborts", () => {
    /** As a signal tells it, or as the thread does. */
    const aborted = expect.toSatisfy(
      (error: { name: string; kind?: string }) => error.name === "AbortError" || error.kind === "aborted",
    );

    it("a call within a step", async () => {
      const controller = new AbortController();
      let steps = 0;
      const run = engine.write([rows[0]!], {
        ...long,
        signal: controller.signal,
        onToken: () => {
          if (++steps === 3) controller.abort();
        },
      });
      await expect(run).rejects.toEqual(aborted);
      // It is free again: the steps that it still did are told before the answer to the next call.
      const before = performance.now();
      await engine.write([rows[0]!], short);
      expect(performance.now() - before).toBeLessThan(2000);
      expect(steps).toBeLessThan(10);
    });

    it("a call that waits, and not the running one", async () => {
      const expected = await engine.write(rows, { ...long, nTokens: 60 });
      const running = engine.write(rows, { ...long, nTokens: 60 });
      const controllers = Array.from({ length: 20 }, () => new AbortController());
      let told = 0;
      const queued = controllers.map(({ signal }) =>
        engine
          .write(rows, { ...long, nTokens: 2000, signal, onToken: () => void told++ })
          .catch((error: unknown) => error),
      );
      for (const controller of controllers) controller.abort();
      expect(await Promise.all(queued)).toEqual(controllers.map(() => aborted));
      expect(await running).toEqual(expected);
      await engine.write(rows, short);
      expect(told).toBe(0);
    });

    it("a call of a signal that is aborted already", async () => {
      await expect(engine.encode([{ ids: [5] }], AbortSignal.abort())).rejects.toEqual(aborted);
    });
  });

  it("ends the call whose callback throws, and no other", async () => {
    const error = new Error("of the callback");
    let told = 0;
    const failing = engine.write([rows[0]!], {
      ...long,
      onToken: () => {
        if (++told === 2) throw error;
      },
    });
    const other = engine.encode([{ ids: [5, 6] }]);
    await expect(failing).rejects.toBe(error);
    expect(await other).toHaveLength(1);
    expect(told).toBe(2);
  });

  const REFUSALS: [string, ErrorKind, RegExp, (engine: Engine | RemoteEngine) => Promise<unknown>][] = [
    ["an empty text", "usage", /text 1: .*an empty text/, (engine) => engine.encode([{ ids: [] }])],
    ["an unknown token", "usage", /whole numbers from 0 to 511/, (engine) => engine.encode([{ ids: [512] }])],
    ["z of another width", "mismatch", /got 47/, (engine) => engine.write([{ ...rows[0]!, z: ofWidth(47) }], short)],
    ["a bad z", "nonFinite", /got NaN at 3/, (engine) => engine.write([{ ...rows[0]!, z: bad }], short)],
    [
      "a row without z",
      "usage",
      /`writer` router: expected a latent in each row/,
      (engine) => engine.write([{ rngKey: [1, 2, 3, 4] }], short),
    ],
    [
      "a target that is no token",
      "usage",
      /token ids: expected whole numbers from 0 to 511, got 512/,
      (engine) => engine.score([{ z: rows[0]!.z, target: [512] }], "router", []),
    ],
    [
      "a context with what is no token",
      "usage",
      /token ids: expected whole numbers from 0 to 511, got 512/,
      (engine) => engine.write(rows, { ...short, context: [5, 512] }),
    ],
    [
      "a mask of another length",
      "usage",
      /text 1: expected a mask of its 2 tokens, got one of 1/,
      (engine) => engine.encode([{ ids: [5, 6], mask: [1] }]),
    ],
    ["a bad tau", "usage", /`tau`: expected/, (engine) => engine.write(rows, { ...short, tau: -1 })],
    ["an unknown writer", "usage", /`writer`: .* got "x"/, (engine) => engine.write(rows, { ...short, writer: "x" })],
    ["nothing to continue", "usage", /`context`$/, (engine) => engine.score([{ target: [5] }], "base", [])],
  ];
  const ofWidth = (width: number) => new Float32Array(width);
  const bad = rows[0]!.z.with(3, Number.NaN);

  it.each(REFUSALS)("refuses %s, and goes on", async (_, kind, message, call) => {
    // The class of errors from elsewhere is that of the built library.
    await expect(call(engine)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
    expect(await engine.encode([{ ids: [5] }])).toHaveLength(1);
  });
});
