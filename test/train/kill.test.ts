/** kill -9 at random moments of a run that saves at every step: it always goes on from a complete checkpoint, and ends as a straight run does. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Rng } from "../../src/rng.js";
import { newestCheckpoint } from "../../src/train/loop/checkpoint.js";
import { type CompiledCommand, compileCommand } from "./command.js";
import { tinyRows, tinyTokenizer } from "./tiny.js";

/** 10 at every commit; BIGVAE_KILLS=50 for a night. */
const KILLS = Number(process.env.BIGVAE_KILLS ?? 10);

let folder: string;
let command: CompiledCommand;
let flags: string[];
const output = () => join(folder, "run");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-kill-"));
  command = compileCommand();
  const tokenizer = tinyTokenizer();
  const rows = await tinyRows(folder, tokenizer);
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer.toJson()));
  const size =
    "--hidden-size 16 --intermediate-size 24 --layers 2 --heads 2 --kv-heads 1 --context-length 15 --batch-size 2";
  const run = "--steps 1000000 --lr-decay constant --save-every 1 --eval-every 1000000 --threads 1 --quiet";
  flags = ["--preprocessed", rows, "--tokenizer", join(folder, "tokenizer.json"), ...`${size} ${run}`.split(" ")];
});
afterAll(async () => {
  command.remove();
  await rm(folder, { recursive: true });
});

async function log(): Promise<{ step: number; resumed?: boolean }[]> {
  const text = await readFile(join(output(), "log.jsonl"), "utf8").catch(() => "");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

async function waitFor(what: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await what()); waited++) {
    if (waited > 3000) throw new Error("the run does not go on");
    await sleep(10);
  }
}

it(`resumes after ${KILLS} kills, each time losing at most one step, and leaves nothing behind`, async () => {
  const rng = Rng.fromSeed("kill");
  let saved: number | undefined;
  let args = ["train", "base", ...flags, "--output", output()];
  for (let kill = 0; kill < KILLS; kill++) {
    const before = await log();
    const child = command.start(args);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    // Two steps on, or, in the first round, anywhere in them.
    await waitFor(async () => (await log()).length > before.length + (kill === 0 ? 0 : 1));
    await sleep(rng.uniform() * 60);
    child.kill("SIGKILL");
    await gone;
    const lines = await log();
    const done = lines.at(-1)!.step;
    const steps = lines.filter(({ resumed }) => !resumed).map(({ step }) => step);
    expect(steps, "each step is logged once").toEqual(steps.map((_, i) => i + 1));
    if (saved !== undefined) {
      const last = lines.findLast(({ resumed }) => resumed);
      expect(last?.step).toBe(saved);
      expect(before.at(-1)!.step - last!.step).toBeLessThanOrEqual(1);
    }
    const found = await newestCheckpoint(join(output(), "checkpoints"), (line) => expect(line).toBe(""));
    // Until the first save there is nothing to go on from.
    saved = found?.facts.step as number | undefined;
    expect(done - (saved ?? 0)).toBeLessThanOrEqual(1);
    // Where nothing was saved, run.json may be missing too.
    args = ["train", "base", "--resume", "--quiet", "--output", output(), ...(saved === undefined ? flags : [])];
  }
  const { step } = (await log()).at(-1)!;
  const finished = await command.run([...args, "--steps", `${step + 3}`, "--quiet", "--json"]);
  expect(finished.stderr).toBe("");
  expect(JSON.parse(finished.stdout)).toEqual({ output: output(), finished: true });
  expect((await log()).at(-1)!.step).toBe(step + 3);
  const left = await readdir(output(), { recursive: true });
  expect(left.filter((name) => name.includes(".tmp") || name.includes(".lock"))).toEqual([]);
  const name = (n: number) => `step-${`${n}`.padStart(8, "0")}`;
  expect((await readdir(join(output(), "checkpoints"))).sort()).toEqual([name(step + 2), name(step + 3)]);
  const straight = join(folder, "straight");
  const straightArgs = [
    "train",
    "base",
    ...flags,
    "--output",
    straight,
    "--steps",
    `${step + 3}`,
    "--save-every",
    "1000000",
  ];
  expect(await command.run(straightArgs)).toMatchObject({ code: 0, stderr: "" });
  const model = (of: string) => readFile(join(of, "model.safetensors"));
  expect((await model(output())).equals(await model(straight)), "the same weights to the bit").toBe(true);
}, 240_000);

it("saves at SIGTERM and ends with the code of an abort", async () => {
  const before = await log();
  const child = command.start(["train", "base", "--resume", "--output", output(), "--steps", "1000000"]);
  const code = new Promise((resolve) => child.once("exit", resolve));
  await waitFor(async () => (await log()).length > before.length + 3);
  child.kill("SIGTERM");
  expect(await code).toBe(130);
  const found = await newestCheckpoint(join(output(), "checkpoints"), () => {});
  expect(found!.facts.step).toBe((await log()).at(-1)!.step);
});

it("saves where nobody reads standard error any more, and ends as at an abort", async () => {
  const output = join(folder, "unread");
  const args = flags.filter((word) => word !== "--quiet");
  const child = command.start([
    "train",
    "base",
    ...args,
    "--eval-every",
    "2",
    "--save-every",
    "1000",
    "--output",
    output,
  ]);
  const code = new Promise((resolve) => child.once("exit", resolve));
  child.stderr!.once("data", () => child.stderr!.destroy());
  expect(await code).toBe(130);
  const found = await newestCheckpoint(join(output, "checkpoints"), () => {});
  const lines = (await readFile(join(output, "log.jsonl"), "utf8")).trim().split("\n");
  expect(found!.facts.step).toBe(JSON.parse(lines.at(-1)!).step);
});
