/** Training an expert: the router's own training, keys beside it, and a run that is killed goes on to the same expert. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findExpert, readExpert } from "../../src/expert/index.js";
import { readLora } from "../../src/formats/index.js";
import { exists } from "../../src/formats/readFiles.js";
import { norm } from "../../src/latent/index.js";
import { type TrainExpertOptions, trainExpert, trainRouter, trainVae } from "../../src/train/index.js";
import { expectRefusal } from "../badInput/folder.js";
import { type CompiledCommand, compileCommand } from "../train/command.js";
import { tinyRouterRun, tinyVaeRun, writeTinyData } from "../train/tiny.js";

let folder: string;
let command: CompiledCommand;
const PATIENCE = { timeout: 120_000 };
const HOW = {
  ...{ batchSize: 2, gradientAccumulationSteps: 2, lr: 1e-2, lrDecay: "constant", warmup: 2, weightDecay: 0.01 },
  ...{ saveEvery: 1, evalEvery: 100, seed: 7, threads: 1, contextLength: 24, indexStep: 4, steps: 6, keys: 4 },
} as const;
const options = (name: string, changes: object = {}) =>
  ({
    ...{ name, experts: join(folder, "experts"), on: join(folder, "texts.jsonl") },
    ...{ model: join(folder, "base"), adapters: join(folder, "vae"), ...HOW, ...changes },
  }) as TrainExpertOptions;
const flagsOf = (given: object) =>
  Object.entries(given).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    `${value}`,
  ]);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-expert-"));
  command = compileCommand();
  await writeTinyData(folder);
  await trainVae({ ...tinyVaeRun(folder, join(folder, "vae")), steps: 1 });
  expect(await trainExpert(options("straight"))).toBe(true);
}, 120_000);
afterAll(async () => {
  command.remove();
  await rm(folder, { recursive: true });
});

describe("an expert that was trained", () => {
  it("has the router of the router's training on the same rows, and says what it is", PATIENCE, async () => {
    const expert = await findExpert(join(folder, "experts"), "straight");
    expect(expert.facts).toMatchObject({ name: "straight", role: "router", texts: 4, steps: 6, rowsPerStep: 4 });
    expect(expert.facts.space).toMatchObject({ zDim: 8, slots: 1, span: 8 });
    expect(expert.facts.heldOutLoss).toBeGreaterThan(0);
    expect(await readdir(expert.folder)).toEqual(["expert.json", "keys.npy", "router"]);
    // The rows are 24 tokens long there, 64 here: other rows, so only what is written is compared.
    const run = { ...tinyRouterRun(folder, join(folder, "router"), join(folder, "vae")), steps: 1 };
    expect(await trainRouter(run)).toBe(true);
    const [own, router] = [
      await readLora(join(expert.folder, "router")),
      await readLora(join(folder, "router", "router")),
    ];
    expect([...own.tensors.keys()]).toEqual([...router.tensors.keys()]);
    expect({ rank: own.rank, alpha: own.alpha }).toEqual({ rank: router.rank, alpha: router.alpha });
  });

  it("has keys of length 1, as many as asked for", async () => {
    const { keys } = await readExpert(join(folder, "experts", "straight"));
    expect(keys).toHaveLength(4);
    for (const key of keys) expect(norm(key)).toBeCloseTo(1, 5);
  });

  it("has keys of texts shorter than a span too, each a span of its own", PATIENCE, async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `Day ${i}.`);
    await writeFile(join(folder, "short.txt"), lines.join("\n"));
    expect(await trainExpert(options("short", { on: join(folder, "short.txt"), steps: 1 }))).toBe(true);
    const { keys, facts } = await readExpert(join(folder, "experts", "short"));
    expect(keys).toHaveLength(4);
    expect(facts.texts).toBeGreaterThan(40);
    expect(facts.spans).toBe(facts.texts);
  });

  it("is not trained over", () =>
    expectRefusal(
      () => trainExpert(options("straight")),
      "usage",
      /no expert named straight, got one that is finished/,
    ));
});

describe("a run that ended early", () => {
  const same = async (name: string) => {
    for (const file of ["router/adapter_model.safetensors", "keys.npy"]) {
      const [straight, other] = ["straight", name].map((each) => readFile(join(folder, "experts", each, file)));
      expect(Buffer.compare((await straight)!, (await other)!), file).toBe(0);
    }
  };

  it("goes on after an abort to the same expert, without options", PATIENCE, async () => {
    const stop = new AbortController();
    const onReport = ({ kind }: { kind: string }) => kind === "step" && stop.abort();
    expect(await trainExpert(options("aborted"), { signal: stop.signal, onReport })).toBe(false);
    await expectRefusal(
      () => trainExpert(options("aborted")),
      "usage",
      /one that was begun in .*; add resume|add `resume`/,
    );
    await expectRefusal(
      () => trainExpert({ ...options("aborted"), resume: true, lr: 1e-2, seed: 8 } as TrainExpertOptions),
      "mismatch",
      /`seed` 7 as the run was started, got 8/,
    );
    const { name, experts } = options("aborted");
    expect(await trainExpert({ name, experts, resume: true })).toBe(true);
    await same("aborted");
  });

  it("says its held-out loss though it was aborted behind the last evaluation", PATIENCE, async () => {
    const stop = new AbortController();
    const onReport = ({ kind }: { kind: string }) => kind === "heldOut" && stop.abort();
    expect(await trainExpert(options("late"), { signal: stop.signal, onReport })).toBe(false);
    const { name, experts } = options("late");
    expect(await trainExpert({ name, experts, resume: true })).toBe(true);
    const [late, straight] = await Promise.all(["late", "straight"].map((each) => findExpert(experts, each)));
    expect(late!.facts.heldOutLoss).toBe(straight!.facts.heldOutLoss);
  });

  it("goes on after kills at any moment to the same expert", PATIENCE, async () => {
    const experts = join(folder, "experts");
    const { name: _, ...given } = options("killed");
    let args = ["expert", "train", "--name", "killed", "--quiet", ...flagsOf(given)];
    const log = join(experts, "killed", "run", "router", "log.jsonl");
    const lines = async () => (await readFile(log, "utf8").catch(() => "")).split("\n").length;
    for (let kill = 0; kill < 3; kill++) {
      const before = await lines();
      const child = command.start(args);
      const gone = new Promise((resolve) => child.once("exit", resolve));
      for (let waited = 0; (await lines()) < before + 1 && waited < 3000; waited++) await sleep(10);
      await sleep(20 * kill);
      child.kill("SIGKILL");
      await gone;
      if (await exists(join(experts, "killed", "run.json")))
        args = ["expert", "train", "--name", "killed", "--experts", experts, "--resume", "--quiet"];
    }
    if (!(await exists(join(experts, "killed", "expert.json"))))
      expect(await command.run(args)).toEqual({ code: 0, stdout: "", stderr: "" });
    await same("killed");
    expect(await readdir(join(experts, "killed"))).toEqual(["expert.json", "keys.npy", "router"]);
  });
});

describe("wrong options", () => {
  it.each<[object, RegExp]>([
    [{ name: "Bad Name" }, /^`name`: expected lower-case letters, digits and hyphens/],
    [{ name: undefined }, /^`name`: expected a value, got none; /],
    [{ experts: "" }, /^`experts`: expected a value, got ""; /],
    [{ on: undefined }, /^`on`: expected a value, got none; /],
    [{ on: "nowhere" }, /^`on` .*nowhere: expected a folder or a file of texts/],
    [{ keys: 0 }, /^`keys`: expected a whole number of at least 1, got 0; /],
    [{ key: 3 }, /^train expert: expected one of its options, got key; use `keys`/],
    [{ startFrom: "x" }, /got startFrom/],
  ])("%j are refused", async (changes, message) => {
    const error = await trainExpert(options("refused", changes)).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error?.message).toMatch(message);
  });

  it("and too little text, of which nothing is left", PATIENCE, async () => {
    await writeFile(join(folder, "two.txt"), "a\nb\n");
    await expectRefusal(
      () => trainExpert(options("little", { on: join(folder, "two.txt") })),
      "usage",
      /expected at least 4 rows with 24 tokens or more for one step, got 0; give more text, or lower `batchSize` or `contextLength`/,
    );
    expect(await readdir(join(folder, "experts"))).not.toContain("little");
  });

  it("and a base without adapters", PATIENCE, async () => {
    const bare = { ...options("bare"), adapters: undefined };
    await expectRefusal(
      () => trainExpert(bare as TrainExpertOptions),
      "usage",
      /expected a model with adapters, got a base alone/,
    );
  });
});

describe("a training that never began", () => {
  it("is begun anew with the options corrected", PATIENCE, async () => {
    await expect(trainExpert(options("anew", { model: join(folder, "nowhere") }))).rejects.toBeInstanceOf(Error);
    expect(await trainExpert(options("anew", { steps: 1 }))).toBe(true);
  });
});
