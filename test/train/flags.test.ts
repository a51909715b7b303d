/** `bigvae train` as a user types it: what is refused and how, --resume without other flags, --dry-run. */
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunPlan } from "../../src/train/index.js";
import { type CompiledCommand, compileCommand } from "./command.js";
import { tinyRows, tinyTokenizer, writeTinyBase } from "./tiny.js";

let folder: string;
let command: CompiledCommand;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-flags-"));
  command = compileCommand();
  const tokenizer = tinyTokenizer();
  await tinyRows(folder, tokenizer);
  await tinyRows(path("other"), tinyTokenizer("zyzzyva "));
  await writeTinyBase(path("base"), tokenizer);
  await mkdir(path("empty"));
});
afterAll(async () => {
  command.remove();
  await rm(folder, { recursive: true });
});

const split = (text: string) => text.split(" ").filter((word) => word !== "");
/** Words that begin with @ are names in the test's folder. */
const train = (text: string) =>
  command.run(["train", ...split(text).map((word) => (word.startsWith("@") ? path(word.slice(1)) : word))]);

const VAE =
  "vae --model @base --preprocessed @rows --span 8 --z-dim 8 --rank 2 --batch-size 2 --threads 1 --save-every 2 --quiet";

describe("train refuses", () => {
  it.each([
    [
      "a model that is not there",
      "--model @nothing",
      2,
      /--model .*nothing: expected .* a model's folder, .*, got nothing there; download/,
    ],
    [
      "a folder that is no model",
      "--model @empty",
      2,
      /--model .*empty: expected .*, got a folder without config.json/,
    ],
    [
      "spans that the model's window does not hold",
      "--span 40",
      2,
      /--span, --gap: expected rows that fit the model's window of 64 positions, got 81/,
    ],
    ["no epochs", "--epochs 0", 2, /--epochs <x>' argument '0' is invalid. Expected a number above 0/],
    ["an unknown decay", "--lr-decay linear", 2, /Allowed choices are constant, cosine/],
    ["rank 0", "--rank 0", 2, /Expected a whole number of at least 1, got "0"/],
    ["dropout of everything", "--dropout 1", 2, /Expected a number from 0 to less than 1/],
    [
      "rows of another tokenizer",
      "--preprocessed @other/rows",
      5,
      /expected rows of the model's own tokenizer .* prepare the data again/,
    ],
    ["rows that are not there", "--preprocessed @nothing", 2, /--preprocessed.*nothing/],
    ["sentences that are not there", "--sentences @nothing", 2, /--sentences.*nothing/],
    [
      "sentences of another tokenizer",
      "--sentences @other/rows",
      5,
      /--sentences .*expected rows of the model's own tokenizer/,
    ],
    ["a start of the noise without a ramp", "--noise-start 0.1", 2, /--noise-start: expected --noise-ramp beside it/],
    ["a share of no sentences", "--sentence-share 0.5", 2, /--sentence-share: expected --sentences beside it/],
    ["slots that cannot share z", "--slots 3", 2, /--z-dim: expected a multiple of --slots 3, .* got 8; .* example 9/],
    [
      "more rows a step than there are",
      "--batch-size 4000",
      2,
      /expected at least 4000 rows with 9 tokens or more for one step/,
    ],
  ])("%s", async (_what, change, code, message) => {
    const { code: got, stderr, stdout } = await train(`${VAE} --output @refused ${change}`);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("    at ");
    expect([got, stdout]).toEqual([code, ""]);
    expect(await readdir(folder)).not.toContain("refused");
  });

  it("a missing flag, by name", async () => {
    const { code, stderr } = await train("vae --model @base --output @refused");
    expect([code, stderr]).toEqual([2, "bigvae: --preprocessed: expected a value, got none; give one\n"]);
  });

  it.each([
    ["--hidden-size 33 --heads 2", /--hidden-size: expected a multiple of twice the 2 --heads, got 33/],
    ["--heads 4 --kv-heads 3", /--kv-heads: expected a divisor of the 4 --heads, got 3/],
  ])("the shape of a base by its flags: %s", async (shape, message) => {
    const finished = await train(`base --preprocessed @rows --tokenizer @base --output @refused ${shape}`);
    expect(finished.code).toBe(2);
    expect(finished.stderr).toMatch(message);
  });

  it("--resume where there is no run", async () => {
    const { code, stderr } = await train("vae --resume --output @empty");
    expect(code).toBe(2);
    expect(stderr).toMatch(/--model: expected a value, got none, and no run.json in .*empty; name the folder of a run/);
  });
});

describe("--resume", () => {
  it("needs no other flag, refuses other values by name, and lets a run be longer, whatever its rate", async () => {
    expect((await train(`${VAE} --lr-decay cosine --steps 2 --output @run`)).code).toBe(0);
    const saved = JSON.parse(await readFile(path("run/run.json"), "utf8"));
    expect(saved).toMatchObject({ command: "vae", flags: { model: path("base"), zDim: 8, steps: 2 } });

    const again = await train(`${VAE} --steps 2 --output @run`);
    expect(again.code).toBe(2);
    expect(again.stderr).toMatch(
      /got one that has come to step 2; add --resume to go on with it, or name another --output/,
    );

    const other = await train("vae --resume --output @run --kl-weight 0.3");
    expect(other.code).toBe(5);
    expect(other.stderr).toMatch(/--resume: expected --kl-weight 0.1 as the run was started, got 0.3; leave it out/);

    const router = await train("router --resume --output @run");
    expect(router.code).toBe(5);
    expect(router.stderr).toMatch(/expected a run of train router, got one of train vae/);

    const longer = await train("vae --resume --output @run --steps 5 --quiet");
    expect([longer.code, longer.stderr]).toEqual([0, ""]);
    const lines = (await readFile(path("run/log.jsonl"), "utf8")).trim().split("\n");
    const steps = lines.map((line) => JSON.parse(line) as Record<string, number>).filter(({ loss }) => loss);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    // Half a cosine from 1e-4 to a tenth of it over the steps that the run then had: 2, and 5 from its third on.
    const cosine = (step: number, of: number) => 1e-4 * (0.55 + 0.45 * Math.cos((Math.PI * step) / of));
    for (const { step, lr } of steps) expect(lr! / cosine(step!, step! <= 2 ? 2 : 5), `${step}`).toBeCloseTo(1, 9);
    expect(JSON.parse(await readFile(path("run/run.json"), "utf8")).flags.steps).toBe(5);
  });

  it("finds rows and base by their contents, wherever they lie by then", async () => {
    for (const name of ["base", "rows"]) await cp(path(name), path(`first-${name}`), { recursive: true });
    const flags = VAE.replace("@base", "@first-base").replace("@rows", "@first-rows");
    expect((await train(`${flags} --steps 1 --output @moving`)).code).toBe(0);
    for (const name of ["base", "rows"]) await rename(path(`first-${name}`), path(`second-${name}`));

    const lost = await train("vae --resume --output @moving --steps 2");
    expect(lost.code).toBe(2);
    expect(lost.stderr).toMatch(
      /--preprocessed .*first-rows: .* nothing there; where it has moved, give its new place with --preprocessed/,
    );
    const moved = "--model @second-base --preprocessed @second-rows";
    const found = await train(`vae --resume --output @moving --steps 2 --quiet ${moved}`);
    expect([found.code, found.stderr]).toEqual([0, ""]);

    await cp(path("second-base"), path("other-base"), { recursive: true });
    const bytes = await readFile(path("other-base/model.safetensors"));
    bytes[bytes.length - 2]! ^= 1;
    await writeFile(path("other-base/model.safetensors"), bytes);
    const other = await train("vae --resume --output @moving --steps 3 --model @other-base");
    expect(other.code).toBe(5);
    expect(other.stderr).toMatch(/--resume: expected at --model what the run was started with/);
    // The run remembers where its things were found last, and nothing of what was refused.
    expect(JSON.parse(await readFile(path("moving/run.json"), "utf8")).flags).toMatchObject({
      model: path("second-base"),
      preprocessed: path("second-rows"),
    });
  });
});

describe("--start-from", () => {
  it("keeps the adapters' rank and alpha, and refuses a flag that says otherwise", async () => {
    expect((await train(`${VAE} --alpha 3 --steps 1 --output @three`)).code).toBe(0);
    const flags = VAE.replace("--rank 2", "").replace("--z-dim 8", "");
    expect((await train(`${flags} --start-from @three --steps 1 --output @on`)).code).toBe(0);
    const config = JSON.parse(await readFile(path("on/decoder/adapter_config.json"), "utf8"));
    expect(config).toMatchObject({ r: 2, lora_alpha: 3 });
    const other = await train(`${flags} --start-from @three --alpha 8 --steps 1 --output @other-alpha`);
    expect(other.code).toBe(5);
    expect(other.stderr).toMatch(/--alpha: expected 3, that of the adapters in --start-from, got 8; leave it out/);
  });

  it("wants the base of the VAE for a router, and warns of another one where a VAE goes on", async () => {
    await cp(path("base"), path("later"), { recursive: true });
    const bytes = await readFile(path("later/model.safetensors"));
    bytes[bytes.length - 2]! ^= 1;
    await writeFile(path("later/model.safetensors"), bytes);
    const flags = "--preprocessed @rows --batch-size 2 --threads 1 --steps 1 --model @later --start-from @three";
    const router = await train(`router ${flags} --context-length 24 --output @router`);
    expect(router.code).toBe(5);
    expect(router.stderr).toMatch(
      /expected the base with sha256 .*, got .*; give the base that they were trained on as --model/,
    );
    const vae = await train(`vae ${flags} --span 8 --output @later-vae`);
    expect(vae.code).toBe(0);
    expect(vae.stderr).toMatch(/bigvae: --start-from: trained on another base than --model/);
  });

  it("pack takes a checkpoint without a router, and refuses the adapters of another base", async () => {
    const pack = (base: string, adapters: string) =>
      command.run(["pack", "--model", path(base), "--adapters", path(adapters), "--output", path("packed")]);
    expect(await pack("later", "three")).toMatchObject({ code: 5, stdout: "" });
    expect(await pack("nothing", "three")).toMatchObject({ code: 2 });
    expect(await pack("base", "empty")).toMatchObject({ code: 4 });
    expect(await pack("base", "three")).toMatchObject({ code: 0, stderr: "" });
    expect((await readdir(path("packed"))).sort()).toEqual([
      "base",
      "bigvae.json",
      "decoder",
      "encoder",
      "state.json",
      "vae.safetensors",
    ]);
    const written = await command.run(["reconstruct", "--model", path("packed"), "a fox"]);
    expect(written).toMatchObject({ code: 0, stderr: "" });
  });
});

describe("--dry-run", () => {
  const base =
    "base --preprocessed @rows --tokenizer @base --hidden-size 16 --intermediate-size 24 --layers 2 --heads 2 --kv-heads 1 --context-length 15 --batch-size 2 --threads 1";
  const router =
    "router --model @base --preprocessed @rows --start-from @run --context-length 24 --batch-size 2 --threads 1";

  it.each([
    ["base", base, 16],
    ["vae", VAE, 16],
    ["router", router, 24],
  ])("%s: one JSON object, and no file", async (kind, flags, columns) => {
    const before = await readdir(folder, { recursive: true });
    const { code, stdout, stderr } = await train(`${flags} --output @planned --dry-run --json`);
    expect([code, stderr]).toEqual([0, ""]);
    const plan = JSON.parse(stdout) as RunPlan & { availableBytes: number };
    expect(plan).toMatchObject({ kind, tokensPerRow: columns });
    expect(plan.steps).toBe(Math.floor(plan.rows / plan.rowsPerStep));
    expect(plan.tokens).toBe(plan.steps * plan.rowsPerStep * columns);
    const { total, ...parts } = plan.memoryBytes;
    expect(Object.values(parts).every((bytes) => bytes > 0)).toBe(true);
    expect(total).toBe(Object.values(parts).reduce((sum, bytes) => sum + bytes, 0));
    expect(plan.memoryBytes.optimizer).toBe(8 * plan.trainableParameters);
    expect(plan.seconds).toBeCloseTo(plan.secondsPerStep! * plan.steps);
    expect(await readdir(folder, { recursive: true })).toEqual(before);
  });

  it("prints lines without --json, and needs no --output", async () => {
    const { code, stdout } = await train(`${VAE} --dry-run`);
    expect(code).toBe(0);
    expect(stdout.split("\n").map((line) => line.split(" ")[0])).toEqual([
      "rows",
      "steps",
      "parameters",
      "memory",
      "time",
      "",
    ]);
  });
});
