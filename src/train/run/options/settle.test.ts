/** Options as a caller gives them, and what becomes of them: defaults, refusals, and what a resumed run may change. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readRunFile, writeRunFile } from "../runFile.js";
import { planBase, trainBase } from "../trainBase.js";
import { planRouter, trainRouter } from "../trainRouter.js";
import { planVae, type TrainVaeOptions, trainVae } from "../trainVae.js";
import { TRAIN_OPTIONS } from "./all.js";
import { ROUTER_OPTIONS } from "./router.js";
import { settle } from "./settle.js";
import type { Settled } from "./table.js";
import { VAE_OPTIONS } from "./vae.js";

const VAE = { command: "vae", table: VAE_OPTIONS };
type Options = Settled<typeof VAE_OPTIONS>;

let folder: string;
let given: { model: string; preprocessed: string; output: string };
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-settle-"));
  given = { model: "pocket", preprocessed: folder, output: join(folder, "run") };
});
afterAll(() => rm(folder, { recursive: true }));

describe.each(Object.entries(TRAIN_OPTIONS))("the options of train %s", (_, table) => {
  it("have defaults of their kind, and needs that are options", () => {
    for (const [name, { kind, default: value, needs, idleAtZero, required }] of Object.entries(table)) {
      if (value !== undefined) expect(kind.holds(value), name).toBe(true);
      for (const other of [needs, idleAtZero])
        if (other !== undefined) expect(Object.keys(table), name).toContain(other);
      expect(required && value !== undefined, name).not.toBe(true);
    }
  });

  it("speak of options that there are", () => {
    const named = Object.values(table).flatMap(({ description, place = "" }) =>
      Array.from(`${description} ${place}`.matchAll(/`(\w+)`/g), ([, name]) => name!),
    );
    expect(named.filter((name) => !(name in table))).toEqual([]);
  });
});

describe.each(Object.entries({ trainBase, planBase, trainVae, planVae, trainRouter, planRouter }))("%s", (_, call) => {
  it.each<[options: unknown, control: unknown, message: RegExp]>([
    [null, {}, /^train \w+: options: expected an object, got null; /],
    [[], {}, /: options: expected an object, got a list; /],
    [Promise.resolve({}), {}, /got a promise; await it first$/],
    [{}, null, /^(train|plan) \w+: options: expected an object, got null; /],
    [{}, "loud", /expected an object, got string; /],
    [{}, { onreport: () => {} }, /got onreport; use `onReport`/],
    [{}, { onReport: console }, /^`onReport`: expected a function, got object; /],
    [{}, { signal: true }, /: signal: expected an AbortSignal, got boolean; /],
  ])("refuses %j, %j", async (options, control, message) => {
    const refused = call(options as never, control as never);
    await expect(refused).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(message) });
  });
});

describe("a new run", () => {
  it("has the defaults, and keeps all of its options but those of one call", async () => {
    const { options, explicit, runFile } = await settle<Options>(VAE, { ...given, zDim: 8, gap: undefined });
    expect(options).toMatchObject({ ...given, zDim: 8, rank: 32, klRamp: 50000, resume: false });
    expect("gap" in options).toBe(false);
    expect(explicit).toEqual(new Set(["model", "preprocessed", "output", "zDim"]));
    expect(runFile.flags).toMatchObject({ model: "pocket", preprocessed: folder, zDim: 8, rank: 32 });
    for (const name of ["output", "resume"]) expect(runFile.flags).not.toHaveProperty(name);
  });

  it("keeps its paths absolute, whatever they are called", async () => {
    const { options } = await settle<Options>(VAE, { ...given, model: "base", preprocessed: "." });
    expect(options).toMatchObject({ model: resolve("base"), preprocessed: resolve("."), output: given.output });
  });

  it.each<[what: string, change: object, message: string]>([
    ["an unknown option", { zdim: 8 }, "train vae: expected one of its options, got zdim; use `zDim`, or leave it out"],
    ["another kind", { rank: "4" }, '`rank`: expected a whole number of at least 1, got "4"; give another value'],
    ["a number out of range", { dropPrefix: 1.5 }, "`dropPrefix`: expected a number from 0 to 1, got 1.5"],
    ["no number", { lr: Number.NaN }, "`lr`: expected a number above 0, got null"],
    ["another word", { lrDecay: "linear" }, '`lrDecay`: expected one of constant, cosine, got "linear"'],
    ["a switch that is none", { encodeLast: 1 }, "`encodeLast`: expected true or false, got 1"],
    [
      "a path that is not there",
      { preprocessed: "/nowhere" },
      "`preprocessed` /nowhere: expected a folder of data prepare, got nothing there; check the path",
    ],
    [
      "one of two",
      { noiseStart: 0.1 },
      "`noiseStart`: expected `noiseRamp` beside it, got none; give both, or neither",
    ],
    ["both ways to say how long", { epochs: 2, steps: 9 }, "`steps`: expected one way to say how long, got `epochs`"],
    [
      "one that another makes idle",
      { klWeight: 0, freeBits: 0.1 },
      "`freeBits`: expected `klWeight` above 0, without which it has no effect, got 0; raise `klWeight`, or leave",
    ],
    [
      "a switch that another makes idle",
      { dropPrefix: 0, shiftedSpans: true },
      "`shiftedSpans`: expected `dropPrefix`",
    ],
    ["a required one missing", { model: undefined }, "`model`: expected a value, got none; give one"],
    ["no folder", { output: undefined }, "`output`: expected a value, got none; give one"],
  ])("is refused with %s", async (_, change, message) => {
    const refused = settle(VAE, { ...given, ...change });
    await expect(refused).rejects.toMatchObject({ kind: "usage" });
    await expect(refused).rejects.toThrow(message);
  });

  it("needs no folder where it is only planned", async () => {
    const { model, preprocessed } = given;
    const { options } = await settle<Options>({ ...VAE, isPlanned: true }, { model, preprocessed });
    expect(options.rank).toBe(32);
  });

  it("has types that refuse the same", () => {
    // @ts-expect-error: no such option
    const unknown: TrainVaeOptions = { model: "", preprocessed: "", output: "", zdim: 8 };
    // @ts-expect-error: another kind
    const wrong: TrainVaeOptions = { model: "", preprocessed: "", output: "", rank: "4" };
    // @ts-expect-error: no such word
    const word: TrainVaeOptions = { model: "", preprocessed: "", output: "", lrDecay: "linear" };
    // @ts-expect-error: a new run needs a model
    const missing: TrainVaeOptions = { preprocessed: "", output: "" };
    const resumed: TrainVaeOptions = { output: "", resume: true, steps: 3 };
    expect([unknown, wrong, word, missing, resumed]).toHaveLength(5);
  });
});

describe("a resumed run", () => {
  const resume = async (change: object, flags: object = {}) => {
    const { runFile } = await settle<Options>(VAE, { ...given, klWeight: 0.3, steps: 4 });
    await writeRunFile(folder, { command: "vae", flags: { ...runFile.flags, ...flags } });
    return settle<Options>(VAE, { output: folder, resume: true, ...change });
  };

  it("has the options that it was started with, and what may be changed", async () => {
    const { options, explicit } = await resume({ steps: 9, lr: 1e-5, saveEvery: 2, klWeight: 0.3 });
    expect(options).toMatchObject({ klWeight: 0.3, steps: 9, lr: 1e-5, saveEvery: 2, model: "pocket" });
    expect(explicit.has("rank")).toBe(false);
    expect((await resume({ epochs: 2 })).options.steps).toBeUndefined();
    expect((await resume({}, { klWeight: 0, klRamp: 5 })).options.klRamp).toBe(5);
    expect((await resume({ model: "/moved" })).options.model).toBe("/moved");
  });

  it.each<[what: string, change: object, kind: string, message: RegExp]>([
    [
      "another value",
      { klWeight: 0.1 },
      "mismatch",
      /`resume`: expected `klWeight` 0.3 as the run was started, got 0.1; leave it out/,
    ],
    ["what was a default", { rank: 4 }, "mismatch", /expected `rank` 32 as the run was started, got 4/],
    ["what was not there", { gap: 3 }, "mismatch", /expected `gap` left out as the run was started, got 3/],
    [
      "a path that was not there",
      { sentences: "/s" },
      "mismatch",
      /expected `sentences` left out as the run was started/,
    ],
    [
      "another folder",
      { output: "/nowhere" },
      "usage",
      /`model`: expected a value, got none, and no run.json in \/nowhere; name the folder/,
    ],
  ])("is refused with %s", async (_, change, kind, message) => {
    await expect(resume(change)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it("is refused as a run of another kind", async () => {
    await resume({});
    const router = settle({ command: "router", table: ROUTER_OPTIONS }, { output: folder, resume: true });
    await expect(router).rejects.toThrow("`resume`: expected a run of train router, got one of train vae");
  });

  it.each<[what: string, flags: object, message: RegExp]>([
    ["another kind", { rank: "4" }, /run.json: expected rank to be a whole number of at least 1, got "4"; delete it/],
    ["an option that there is none", { rnak: 4 }, /run.json: expected options of train vae, got rnak; delete it/],
    [
      "threads that this machine has not",
      { threads: 1e6 },
      /expected threads to be .*, got 1000000; give `threads` anew/,
    ],
  ])("is refused where run.json has %s", async (_, flags, message) => {
    await expect(resume({}, flags)).rejects.toMatchObject({ kind: "format", message: expect.stringMatching(message) });
  });

  it("takes an option anew whose saved value this machine does not", async () => {
    expect((await resume({ threads: 1 }, { threads: 1e6 })).options.threads).toBe(1);
  });

  it("is refused where run.json is none", async () => {
    await writeFile(join(folder, "run.json"), "[]");
    await expect(readRunFile(folder)).rejects.toMatchObject({ kind: "format" });
  });
});
