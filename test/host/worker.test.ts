/** The engine in its thread, or its process: the same numbers, a free event loop, crashes, neighbours. */
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/host/openEngine.js";
import { Rng } from "../../src/rng.js";
import { tinyFolder } from "../parity/reference.js";
import { loadTiny } from "./built.js";

type Model = Awaited<ReturnType<typeof loadTiny>>;

const rng = Rng.fromSeed("worker");
const rows = Array.from({ length: 3 }, (_, i) => ({ z: rng.fork(i).normals(48), rngKey: rng.fork("noise", i).key }));
const ids = (length: number, seed = 0) => {
  const stream = rng.fork("ids", seed);
  return Array.from({ length }, () => 5 + stream.integer(500));
};
const long = { writer: "router", context: ids(20), nTokens: 3000, tau: 0.9 } as const;

let vae: Model;
beforeAll(async () => {
  vae = await loadTiny();
});
afterAll(() => vae.close());

describe("the thread", () => {
  it("computes what the engine computes in this one, to the bit", async () => {
    const { engine } = await openEngine({ base: `${tinyFolder}/base`, adapters: `${tinyFolder}/adapters`, threads: 1 });
    const texts = [{ ids: ids(9) }, { ids: ids(30, 1) }];
    const how = { ...long, nTokens: 24, cfgScale: 1.5, stopId: 2 };
    const target = [{ z: rows[0]!.z, target: ids(12, 2) }];
    expect(await vae.engine.encode(texts)).toEqual(await engine.encode(texts));
    expect(await vae.engine.write(rows, how)).toEqual(await engine.write(rows, how));
    expect(await vae.engine.score(target, "router", ids(5))).toEqual(await engine.score(target, "router", ids(5)));
    await engine.close();
  });

  it("leaves the caller's event loop free", async () => {
    const lags: number[] = [];
    let done = false;
    const work = vae.engine.write(rows, { ...long, nTokens: 300 }).finally(() => {
      done = true;
    });
    while (!done) {
      const start = performance.now();
      await wait(5);
      lags.push(performance.now() - start - 5);
    }
    await work;
    lags.sort((a, b) => a - b);
    expect(lags.length).toBeGreaterThan(3);
    expect(lags[lags.length >> 1]).toBeLessThan(50);
  });
});

describe("abort", () => {
  it("of a sampler keeps the spans that it gave", async () => {
    const controller = new AbortController();
    const spans: number[] = [];
    const run = async () => {
      const options = { prompt: "The river", span: 8, nSteps: 50, seed: 1, signal: controller.signal };
      for await (const { ids } of vae.generate("guide", options)) {
        spans.push(ids.length);
        if (spans.length === 2) controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ kind: "aborted" });
    expect(spans).toHaveLength(2);
  });
});

describe("instances", () => {
  it("work side by side", async () => {
    const other = await loadTiny();
    const texts = Array.from({ length: 6 }, (_, i) => ({ ids: ids(10 + i, i) }));
    const alone = await vae.engine.encode(texts);
    const [a, b] = await Promise.all([vae.engine.encode(texts), other.engine.encode(texts)]);
    await other.close();
    expect(a).toEqual(alone);
    expect(b).toEqual(alone);
    expect(await vae.engine.encode(texts)).toEqual(alone);
  });

  it("close: what is under way is aborted, later calls are told, and a second time does nothing", async () => {
    const other = await loadTiny();
    const running = other.engine.write(rows, long).catch((error) => error.kind);
    await wait(50);
    await other.close();
    expect(await running).toBe("aborted");
    await expect(other.encode(["x"])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/got a closed one/),
    });
    await other.close();
  });

  const DEATHS = [
    // A message that the thread does not understand: an exception that nobody catches.
    ["thread", ({ engine }: Model) => engine.link.post(null as never), /got one that failed .*; load/],
    ["process", ({ engine }: Model) => process.kill(engine.link.pid!, "SIGKILL"), /got one that SIGKILL ended; load/],
    ["process", ({ engine }: Model) => process.kill(engine.link.pid!, "SIGABRT"), /got one that SIGABRT ended; load/],
  ] as const;

  it.each(DEATHS)("tell every call when the %s dies, and can be loaded again", async (isolation, kill, message) => {
    const other = await loadTiny({ isolation });
    const calls = [other.engine.write(rows, long), other.encode(["x"])].map((call) => call.catch((error) => error));
    kill(other);
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ kind: "unavailable", exitCode: 12, message: expect.stringMatching(message) });
    await other.engine.ended;
    await expect(other.encode(["x"])).rejects.toMatchObject({ message: expect.stringMatching(/load the model again/) });
    await other.close();
    const again = await loadTiny({ isolation });
    expect(await again.encode(["x"])).toHaveLength(1);
    await again.close();
  });

  it("of a process leave none behind when they close", async () => {
    const other = await loadTiny({ isolation: "process" });
    const pid = other.engine.link.pid!;
    expect(process.kill(pid, 0)).toBe(true);
    await other.close();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("that are refused leave no thread behind", async () => {
    await expect(loadTiny({ memoryBytes: 1e6 })).rejects.toMatchObject({ kind: "memory", exitCode: 6 });
  });
});
