/** Calls that cannot be answered as they are made: each is rejected with a typed error, and the model goes on. */
import { spawn } from "node:child_process";
import { getEventListeners } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BigVae, DecodeOptions, GenerateOptions, LoadOptions } from "../../src/index.js";
import { Rng } from "../../src/rng.js";
import { tinyFolder } from "../parity/reference.js";
import { importBuilt, loadTiny } from "./built.js";

let vae: Awaited<ReturnType<typeof loadTiny>>;
beforeAll(async () => {
  vae = await loadTiny();
});
afterAll(() => vae.close());

const z = Rng.fromSeed(1).normals(48);
const rngKey = Rng.fromSeed(2).key;
const HOW = { writer: "router", context: [5, 6], nTokens: 30, tau: 0.9 } as const;
/** What a program in JavaScript may give. */
const any = (value: unknown) => value as never;
const pending = any(Promise.resolve(z));

describe("a forgotten await", () => {
  const CALLS: [string, (vae: BigVae) => unknown][] = [
    ["decode", (vae) => vae.decode(pending)],
    ["decodeAll", (vae) => vae.decodeAll([z, pending])],
    ["decodeAll of a promise", (vae) => vae.decodeAll(pending)],
    ["continue", (vae) => vae.continue(pending)],
    ["encode", (vae) => vae.encode(pending)],
    ["encode of a text", (vae) => vae.encode([pending])],
    ["reconstruct", (vae) => vae.reconstruct(pending)],
    ["taskVector", (vae) => vae.taskVector(pending)],
    ["interpolate", async (vae) => vae.interpolate(z, pending, 0.5)],
    ["mix", async (vae) => vae.mix([z, pending], [1, 1])],
    ["sample", async (vae) => vae.sample(pending)],
    ["generate", (vae) => vae.generate("guide", { prompt: pending }).next()],
    ["generate with a context", (vae) => vae.generate("guide", { prompt: "x", context: pending }).next()],
    ["load", async () => (await importBuilt()).BigVae.load(pending)],
  ];

  it.each(CALLS)("of %s is named", async (_, call) => {
    await expect(call(vae)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/got a promise; await it first$/),
    });
  });

  it("deep in a call to the engine is rejected, and so is all that cannot be sent", async () => {
    const calls = [
      vae.engine.write([{ z: pending, rngKey }], HOW),
      vae.engine.write([{ z, rngKey }], any({ ...HOW, extra: () => 1 })),
      vae.engine.encode(any([{ ids: [5], mask: Promise.resolve([1]) }])),
    ];
    for (const call of calls)
      await expect(call).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(/await promises/) });
    expect(await vae.engine.encode([{ ids: [5] }])).toHaveLength(1);
  });

  it("leaves a program that ends", { timeout: 60_000 }, async () => {
    const program = `import { BigVae } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
      const vae = await BigVae.load(${JSON.stringify(`${tinyFolder}/base`)}, { adapters: ${JSON.stringify(`${tinyFolder}/adapters`)}, threads: 1 });
      await vae.decode(vae.encode(["one"])).catch(({ message }) => console.log(message));
      await vae.engine.write([{ z: Promise.resolve() }], {}).catch(({ kind }) => console.log(kind));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("../..", import.meta.url)),
    });
    let stdout = "";
    child.stdout.on("data", (text) => (stdout += text));
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0);
    expect(stdout).toBe("decode: z 1: expected a latent (a Float32Array), got a promise; await it first\nusage\n");
  });
});

describe("a value out of range", () => {
  const short = new Float32Array(1);
  it.each<[string, (vae: Awaited<ReturnType<typeof loadTiny>>) => unknown, RegExp]>([
    [
      "threads of load",
      async () => (await importBuilt()).BigVae.load("pocket", any({ threads: "a" })),
      /`threads`: .*got a; /,
    ],
    [
      "form of load",
      async () => (await importBuilt()).BigVae.load("pocket", any({ form: "a" })),
      /merged or unmerged, got a; /,
    ],
    [
      "merged adapters of a packed base",
      async () => (await importBuilt()).BigVae.load("pocket", { form: "merged", quant: "int4" }),
      /^`form`: expected unmerged beside `quant` int4, .* got merged; /,
    ],
    [
      "adapters beside a base in int8",
      async () => (await importBuilt()).BigVae.load("pocket", { form: "unmerged", compute: "int8" }),
      /^`form`: expected merged beside `compute` int8, .* got unmerged; /,
    ],
    [
      "int8 products of a packed base",
      async () => (await importBuilt()).BigVae.load("pocket", { compute: "int8", quant: "nf4" }),
      /^`compute`: expected fp32 beside `quant` nf4, /,
    ],
    ["a narrow latent", (vae) => vae.decodeAll([z, short]), /^z 2: expected \d+ values, got 1; /],
    ["no tokens", (vae) => vae.decode(z, { nTokens: 0 }), /`nTokens`: expected a whole number of at least 1, got 0; /],
    [
      "scales for other latents",
      (vae) => vae.decodeAll([z, z], { cfgScale: [1] }),
      /a scale for each of 2 latents, got 1; /,
    ],
    [
      "no encoded texts",
      async (vae) => vae.confidence(any("x")),
      /^confidence: expected a list of encoded texts, got string; /,
    ],
    ["a text without tokens", async (vae) => vae.confidence([{ ids: [], mean: z }]), /^confidence: text 1: /],
    [
      "no starts",
      (vae) => vae.generate("plan-search", { terminal: "x", nStarts: 0 }).next(),
      /`nStarts` to be a whole number/,
    ],
    [
      "weights that are none",
      (vae) => vae.generate("guide", any({ prompt: "x", weights: 5 })).next(),
      /an object of numbers by name, got 5; /,
    ],
    [
      "causal of embed",
      (vae) => vae.embed(["x"], any({ causal: "yes" })),
      /^`causal`: expected true or false, got string/,
    ],
    ["an option of embed", (vae) => vae.embed(["x"], any({ Causal: true })), /^embed: .* use `causal`/],
    ["an empty text to embed", (vae) => vae.embed(["x", " "]), /^text 2: expected some text, got only spaces/],
    ["no text to go on from", (vae) => vae.complete(any(5)).next(), /^complete: text 1: expected a text/],
    ["no steps of complete", (vae) => vae.complete("x", { nSteps: 0 }).next(), /^complete: expected `nSteps` to be/],
    ["no options", (vae) => vae.decode(z, any(null)), /^decode: options: expected an object, got null; /],
    ["no signal", (vae) => vae.encode(["x"], any(5)), /^encode: signal: expected an AbortSignal, got number; /],
    ["a signal that is null", (vae) => vae.decode(z, any({ signal: null })), /expected an AbortSignal, got null; /],
    [
      "a callback that is none",
      (vae) => vae.generate("guide", any({ prompt: "x", onText: "log" })).next(),
      /^`onText`: expected a function, got string; /,
    ],
  ])("%s", async (_, call, message) => {
    await expect((async () => call(vae))()).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });
});

describe("an unknown option", () => {
  it("is named with the nearest that there is", async () => {
    const said = (call: string, got: string, nearest: string) => ({
      kind: "usage",
      message: `${call}: expected one of its options, got ${got}; use \`${nearest}\`, or leave it out`,
    });
    await expect(vae.decode(z, any({ nToken: 4 }))).rejects.toMatchObject(said("decode", "nToken", "nTokens"));
    await expect(vae.continue(z, any({ Tau: 1 }))).rejects.toMatchObject(said("continue", "Tau", "tau"));
    const generated = vae.generate("guide", any({ prompt: "x", steps: 2 }));
    await expect(generated.next()).rejects.toMatchObject(said("generate", "steps", "nSteps"));
    const { BigVae } = await importBuilt();
    await expect(BigVae.load("pocket", any({ thread: 1 }))).rejects.toMatchObject(said("load", "thread", "threads"));
    await expect(vae.decode(z, any(0.5))).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/expected an object/),
    });
  });

  it("is no type either", () => {
    // @ts-expect-error nToken
    const decode: DecodeOptions = { nToken: 4 };
    // @ts-expect-error steps
    const generate: GenerateOptions = { steps: 2 };
    // @ts-expect-error thread
    const load: LoadOptions = { thread: 1 };
    expect([decode, generate, load]).toHaveLength(3);
  });
});

it("a text of spaces alone is empty", async () => {
  for (const text of [" ", "\n\t "])
    await expect(vae.encode(["one", text])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/text 2: expected some text, got only spaces/),
    });
  await expect(vae.generate("guide", { prompt: " " }).next()).rejects.toMatchObject({ kind: "usage" });
});

describe("a callback that fails", () => {
  const error = new Error("of the callback");
  const fail = () => {
    throw error;
  };

  it("as a promise rejects its call", async () => {
    const options = { ...HOW, nTokens: 3000, onToken: any(async () => fail()) };
    await expect(vae.engine.write([{ z, rngKey }], options)).rejects.toBe(error);
  });

  it("rejects a sampler's run, at once or later", async () => {
    for (const callback of ["onToken", "onText"] as const) {
      for (const call of [fail, async () => fail()]) {
        const run = vae.generate("guide", { prompt: "The river", nSteps: 1, span: 8, [callback]: call });
        await expect(run.next()).rejects.toBe(error);
      }
    }
  });
});

describe("one signal for many calls", () => {
  it("has one listener, and none when they are done", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = () => getEventListeners(signal, "abort").length;
    const calls = Array.from({ length: 30 }, () => vae.engine.encode([{ ids: [5, 6] }], signal));
    expect(listeners()).toBe(1);
    await Promise.all(calls);
    expect(listeners()).toBe(0);
    const stopped = Array.from({ length: 30 }, () =>
      vae.engine.write([{ z, rngKey }], { ...HOW, nTokens: 3000, signal }),
    );
    controller.abort();
    const kinds = await Promise.all(stopped.map((call) => call.catch(({ kind }) => kind)));
    expect(kinds).toEqual(Array.from({ length: 30 }, () => "aborted"));
    expect(listeners()).toBe(0);
  });
});
