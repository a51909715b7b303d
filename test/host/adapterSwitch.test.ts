/** After the first use of each, writing by another adapter than before costs no more than writing by the same: sessions are kept. */
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { Rng } from "../../src/rng.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { loadTinyAdapters, loadTinyBase } from "../parity/reference.js";

const MAX_SWITCH_MS = 50;
/** Writes of one token that each median is taken over. */
const WRITES = 30;
const WRITERS = ["router", "decoder"] as const;

describe.each(["merged", "unmerged"] as const)("changing the adapter, %s", (form) => {
  let base: Awaited<ReturnType<typeof loadTinyBase>>;
  let engine: Engine;
  let sessionsMade = 0;
  const runtime = onnxNodeRuntime({ threads: 1 });
  const counting: Runtime = {
    device: "cpu",
    createSession(outputs, options) {
      sessionsMade++;
      return runtime.createSession(outputs, options);
    },
  };

  beforeAll(async () => {
    base = await loadTinyBase();
    engine = new Engine({ runtime: counting, base, vae: await loadTinyAdapters(base.config), form });
    return () => engine.close();
  });

  /** Milliseconds of the processor for one token: with one thread the time that passes, but that other programs do not lengthen it. */
  async function write(writer: (typeof WRITERS)[number]): Promise<number> {
    const row = { z: new Float32Array(48).fill(0.5), rngKey: Rng.fromSeed(0).key };
    const start = process.cpuUsage();
    await engine.write([row], { writer, context: [5, 6, 7, 8], nTokens: 1, tau: 0 });
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  }

  it(`costs at most ${MAX_SWITCH_MS} ms after first use, and makes no session`, async () => {
    const first = [];
    for (const writer of WRITERS) first.push(await write(writer));
    const made = sessionsMade;
    const switching: number[] = [];
    const staying: number[] = [];
    // In turns, so that other work on the machine slows both alike.
    for (let i = 0; i < WRITES; i++) {
      const writer = WRITERS[i % 2]!;
      switching.push(await write(writer));
      staying.push(await write(writer));
    }
    expect(sessionsMade).toBe(made);
    // What a change would cost if the sessions were not kept.
    const rebuilding: number[] = [];
    for (const writer of WRITERS) {
      await engine.close();
      rebuilding.push(await write(writer));
    }
    const cost = median(switching) - median(staying);
    const report = [cost, ...rebuilding, ...first].map((ms) => ms.toFixed(1));
    console.info(
      `${form}: a change costs ${report[0]} ms; with new sessions ${report.slice(1, 3)} ms, at first ${report.slice(3)} ms`,
    );
    expect(cost).toBeLessThan(Math.min(MAX_SWITCH_MS, ...rebuilding.map((ms) => ms / 2)));
  });
});

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
