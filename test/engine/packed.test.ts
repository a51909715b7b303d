/** A packed base: one trunk for all adapters, in one session or several, from memory or from files. */

import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readVae } from "../../src/checkpoint/vae.js";
import type { BaseModel } from "../../src/engine/baseModel.js";
import { Engine } from "../../src/engine/engine.js";
import { KvCache } from "../../src/engine/kvCache.js";
import { ModelRunner } from "../../src/engine/modelRunner.js";
import { Trunk } from "../../src/engine/trunk.js";
import { openTokenizer, openWeights } from "../../src/host/modelFiles.js";
import { packedImages } from "../../src/host/packedImages.js";
import { Rng } from "../../src/rng.js";
import type { Runtime } from "../../src/runtime/runtime.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { type Quant, saturatesInInt8 } from "../../src/weights/index.js";
import { runtime } from "../parity/reference.js";

const pocket = fileURLToPath(new URL("../../pocket", import.meta.url));
const path = join(pocket, "base");
const TEXTS = [
  "The old man walked down to the river.",
  "She opened the window and looked at the rain.",
  "We had soup for lunch.",
];
const rngKey = Rng.fromSeed(0).key;
const saturates = await saturatesInInt8(runtime);

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

async function openPacked(quant: Quant): Promise<{ engine: Engine; base: BaseModel; close(): Promise<void> }> {
  const base = await openWeights(path, quant);
  const engine = new Engine({ runtime, base, vae: await readVae(pocket, base) });
  await engine.prepare();
  return { engine, base, close: () => engine.close().then(() => base.weights.close()) };
}

describe("the pocket model", () => {
  let ids: number[][];
  let means: Float32Array[];

  beforeAll(async () => {
    const tokenizer = await openTokenizer(path);
    ids = TEXTS.map((text) => tokenizer.encode(text));
    const { engine, close } = await openPacked("none");
    means = (await engine.encode(ids.map((row) => ({ ids: row })))).map(({ mean }) => mean);
    await close();
  });

  it.each([
    ["int8", 0.999],
    ["nf4", 0.97],
    ["int4", 0.95],
  ] as const)("in %s encodes near fp32, and its decoder writes the text back", async (quant, least) => {
    const { engine, close } = await openPacked(quant);
    const encodings = await engine.encode(ids.map((row) => ({ ids: row })));
    for (const [i, { mean }] of encodings.entries()) expect(cosine(mean, means[i]!)).toBeGreaterThan(least);
    const rows = encodings.map(({ mean }) => ({ z: mean, rngKey }));
    const written = await engine.write(rows, { writer: "decoder", context: [], nTokens: 20, tau: 0 });
    for (const [i, row] of written.entries()) expect(row.slice(0, ids[i]!.length)).toEqual(ids[i]);
    await close();
  });

  it.skipIf(saturates)("computes near fp32 in int8, and its decoder writes the text back", async () => {
    const base = await openWeights(path);
    const engine = new Engine({ runtime, base, vae: await readVae(pocket, base), int8Sample: ids.flat() });
    const encodings = await engine.encode(ids.map((row) => ({ ids: row })));
    for (const [i, { mean }] of encodings.entries()) {
      expect(mean).not.toEqual(means[i]);
      expect(cosine(mean, means[i]!)).toBeGreaterThan(0.999);
    }
    const rows = encodings.map(({ mean }) => ({ z: mean, rngKey }));
    const written = await engine.write(rows, { writer: "decoder", context: [], nTokens: 20, tau: 0 });
    for (const [i, row] of written.entries()) expect(row.slice(0, ids[i]!.length)).toEqual(ids[i]);
    await engine.close();
  });

  it("keeps less in memory than in fp32", async () => {
    const bytes = async (quant: Quant) => {
      const { weights } = await openWeights(path, quant);
      const all = [...weights.options.shapes.keys()].reduce((sum, name) => sum + weights.storedBytes(name), 0);
      await weights.close();
      return all + Object.values(weights.tensors).reduce((sum, { data }) => sum + data.byteLength, 0);
    };
    const [none, int8, int4] = [await bytes("none"), await bytes("int8"), await bytes("int4")];
    expect(int8).toBeLessThan(0.4 * none);
    expect(int4).toBeLessThan(0.3 * none);
  });
});

describe("a trunk", () => {
  let base: BaseModel;

  beforeAll(async () => {
    base = await openWeights(path, "int4");
    return () => base.weights.close();
  });

  async function logitsOf(trunk: Trunk, signal?: AbortSignal): Promise<number[]> {
    const weights = ropeFeeds(base.config, 512);
    const bound = { session: trunk.writer(undefined), weights, ropeSteps: 1 };
    const runner = new ModelRunner(base, bound);
    const caches = { shared: new KvCache(base.config, 1), past: new KvCache(base.config, 1) };
    const input = { items: [5, 6, 7, 8].map((id) => ({ id })), positions: [0, 1, 2, 3] };
    return (await runner.forward(caches, [input], "all", signal)).flat().flatMap((row) => Array.from(row));
  }

  it("gives the same in one session and in one for each block, with zero adapters and without", async () => {
    const whole = await Trunk.open({ runtime, base, adapted: false });
    const cut = await Trunk.open({ runtime, base, adapted: true, sessionBytes: 1 });
    expect(whole.segments).toHaveLength(1);
    expect(cut.segments).toHaveLength(base.config.numHiddenLayers + 1);
    const [expected, got] = [await logitsOf(whole), await logitsOf(cut)];
    expect(Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)))).toBeLessThan(1e-4);
    await Promise.all([whole.release(), cut.release()]);
  });

  it("frees the sessions made so far where one cannot be made", async () => {
    const released: number[] = [];
    let made = 0;
    const failing: Runtime = {
      device: "cpu",
      createSession: async (...args) => {
        const number = made++;
        if (number === 2) throw new RangeError("no third session");
        const session = await runtime.createSession(...args);
        return {
          run: session.run.bind(session),
          release: async () => {
            released.push(number);
            await session.release();
          },
        };
      },
    };
    const options = { runtime: failing, base, adapted: false, sessionBytes: 1 };
    await expect(Trunk.open(options)).rejects.toThrow("no third session");
    expect(released).toEqual([0, 1]);
  });

  it("ends between two sessions where the signal asks for it", async () => {
    const trunk = await Trunk.open({ runtime, base, adapted: false, sessionBytes: 1 });
    const controller = new AbortController();
    const [first] = trunk.segments;
    const run = first!.session.run.bind(first!.session);
    let runs = 0;
    first!.session.run = async (...args) => {
      runs++;
      controller.abort();
      return run(...args);
    };
    await expect(logitsOf(trunk, controller.signal)).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(runs).toBe(1);
    await trunk.release();
  });
});

describe("images", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bigvae-images-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const options = { leastBytes: 0 };
  /** Loads the base with images; whether a matrix was read from it, and a number of its output. */
  async function load(): Promise<{ packed: boolean; logit: number }> {
    const base = await openWeights(path, "int8");
    let packed = false;
    const { source } = base.weights.options;
    const readRows = source.readRows!.bind(source);
    source.readRows = async (...args) => {
      packed = true;
      return readRows(...args);
    };
    const images = await packedImages(path, "int8", { ...options, folder });
    const engine = new Engine({ runtime, base, images: images! });
    await engine.prepare();
    const [score] = await engine.score([{ target: [7] }], "base", [5, 6]);
    await engine.close();
    await base.weights.close();
    return { packed, logit: score!.logProbabilities[0]! };
  }

  it("are made once, and read after that", async () => {
    const first = await load();
    const second = await load();
    expect([first.packed, second.packed]).toEqual([true, false]);
    expect(second.logit).toBe(first.logit);
    expect((await readdir(folder)).length).toBe(1);
  });

  it("are made anew where they are spoilt or cut", async () => {
    const { logit } = await load();
    const [key] = await readdir(folder);
    const files = (await readdir(join(folder, key!))).filter((name) => name.endsWith(".bin"));
    const file = join(folder, key!, files[0]!);
    const bytes = await readFile(file);
    bytes[bytes.length >> 1]! ^= 1;
    await writeFile(file, bytes);
    expect(await load()).toEqual({ packed: true, logit });
    await writeFile(file, bytes.subarray(0, 1000));
    expect(await load()).toEqual({ packed: true, logit });
    await writeFile(file.replace(/bin$/, "json"), "{}");
    expect(await load()).toEqual({ packed: true, logit });
    expect(await load()).toEqual({ packed: false, logit });
  });

  it("hand the weights over in memory where nothing can be written", async () => {
    const blocked = join(folder, "file");
    await writeFile(blocked, "");
    const base = await openWeights(path, "int8");
    const images = await packedImages(path, "int8", { ...options, folder: join(blocked, "images") });
    const engine = new Engine({ runtime, base, images: images! });
    await engine.prepare();
    expect(await engine.score([{ target: [7] }], "base", [5, 6])).toHaveLength(1);
    await engine.close();
    await base.weights.close();
    await rm(blocked);
  });

  it("of the same blocks with the head and without it are others", async () => {
    const base = await openWeights(path, "int8");
    const images = (await packedImages(path, "int8", { ...options, folder: join(folder, "heads") }))!;
    const layers = [...base.weights.options.shapes.keys()].filter((name) => name.startsWith("model.layers."));
    const sessionBytes = layers.reduce((sum, name) => sum + base.weights.storedBytes(name), 0);
    for (const [more, segments] of [
      [{ sessionBytes }, 2],
      [{}, 1],
    ] as const) {
      const trunk = await Trunk.open({ runtime, base, adapted: false, images, ...more });
      expect(trunk.segments).toHaveLength(segments);
      await trunk.release();
    }
    await base.weights.close();
    await rm(join(folder, "heads"), { recursive: true });
  });

  it("of a base that was changed are others", async () => {
    const copy = join(folder, "copy.gguf");
    const bytes = new Uint8Array(100_000);
    await writeFile(copy, bytes);
    const key = async () => {
      const store = await packedImages(copy, "int8", { ...options, folder });
      return store!.folder;
    };
    const before = await key();
    expect(await key()).toBe(before);
    await utimes(copy, 1, 1);
    expect(await key()).not.toBe(before);
    await rm(copy);
  });
});
