/**
 * A disk that is really full: `train base` on a small tmpfs, which a mount namespace of its own makes without any right of an administrator.
 * (test/train/trainer.test.ts and src/train/checkpoint.test.ts make every single call to the disk fail, on any system.)
 */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newestCheckpoint } from "../../src/train/loop/checkpoint.js";
import { type Ended, run } from "../process.js";
import { tinyRows, tinyTokenizer } from "./tiny.js";

const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const PATIENCE = { timeout: 300_000 };
const CAN_MOUNT = spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs tmpfs /tmp"]).status === 0;
const why = CAN_MOUNT ? "" : " (skipped: this system allows no mount namespace)";

let folder: string;
let flags: string[];
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-full-"));
  const tokenizer = tinyTokenizer();
  const rows = await tinyRows(folder, tokenizer);
  await writeFile(path("tokenizer.json"), JSON.stringify(tokenizer.toJson()));
  // 1.0 MB of weights, so that a checkpoint takes 3.0 MB.
  const size =
    "--hidden-size 96 --intermediate-size 256 --layers 2 --heads 2 --kv-heads 2 --context-length 15 --batch-size 2";
  const rest = "--steps 6 --save-every 2 --lr-decay constant --threads 1 --quiet";
  flags = ["--preprocessed", rows, "--tokenizer", path("tokenizer.json"), ...`${size} ${rest}`.split(" ")];
  await mkdir(path("disk"));
}, PATIENCE.timeout);
afterAll(() => rm(folder, { recursive: true }));

const train = (args: readonly string[]) => run(process.execPath, [main, "train", "base", ...args], { cwd: folder });

/** Trains into a folder on a disk of `size`, and copies what lies there afterwards to `kept`, off the disk. */
function trainOnDisk(size: string, kept: string): Promise<Ended> {
  const script = `mount -t tmpfs -o size=${size} tmpfs disk || exit 99
    "$@"; code=$?
    cp -R disk/run "$KEPT"; exit $code`;
  const args = [
    "-rm",
    "sh",
    "-c",
    script,
    "sh",
    process.execPath,
    main,
    "train",
    "base",
    ...flags,
    "--output",
    "disk/run",
  ];
  return run("unshare", args, { cwd: folder, env: { KEPT: path(kept) } });
}

const stepName = (step: number) => `step-${`${step}`.padStart(8, "0")}`;
const stepsIn = async (output: string) => (await readdir(join(output, "checkpoints")).catch(() => [])).sort();

const CASES: [what: string, size: string, saved: number[], place: RegExp][] = [
  ["the third checkpoint", "8m", [2, 4], /checkpoints\/step-00000006\/\w+\.safetensors/],
  ["the second checkpoint", "4m", [2], /checkpoints\/step-00000004\/\w+\.safetensors/],
  ["the first checkpoint", "2m", [], /checkpoints\/step-00000002\/\w+\.safetensors/],
  ["the log", "12k", [], /log\.jsonl/],
];

describe(`a disk that is full${why}`, () => {
  let straight: Buffer;
  beforeAll(async () => {
    expect(await train([...flags, "--output", "straight"])).toMatchObject({ code: 0, stderr: "" });
    straight = await readFile(path("straight/model.safetensors"));
  }, PATIENCE.timeout);

  it.skipIf(!CAN_MOUNT).each(CASES)(
    "at %s, of %s: one sentence, and what was saved is sound",
    PATIENCE,
    async (_what, size, saved, place) => {
      const kept = `kept-${size}`;
      const { code, stdout, stderr } = await trainOnDisk(size, kept);
      expect(stderr).toMatch(
        /^bigvae: \S+: expected \d+ bytes of free space, got \d+ \(ENOSPC\); free some space and run again\n$/,
      );
      expect(stderr).toMatch(place);
      expect([code, stdout]).toEqual([7, ""]);
      const [, needed, free] = /(\d+) bytes of free space, got (\d+)/.exec(stderr)!.map(Number);
      expect(free).toBeLessThan(Math.max(needed!, 4097));
      expect(await stepsIn(path(kept))).toEqual(saved.map(stepName));
      const left = await readdir(path(kept), { recursive: true });
      expect(left.filter((name) => name.endsWith(".tmp") || name.endsWith(".lock"))).toEqual([]);
      const warnings: string[] = [];
      const found = await newestCheckpoint(join(path(kept), "checkpoints"), (line) => warnings.push(line));
      expect([found?.facts.step, warnings]).toEqual([saved.at(-1), []]);

      // With room again the run goes on to the end that it would have had.
      const resumed = await train([...flags, "--resume", "--output", kept]);
      expect(resumed).toMatchObject({ code: 0, stderr: "" });
      expect((await readFile(join(path(kept), "model.safetensors"))).equals(straight)).toBe(true);
      expect(await stepsIn(path(kept))).toEqual([4, 6].map(stepName));
    },
  );

  it.skipIf(!CAN_MOUNT)(
    "at the finished model: the last checkpoint is there, and the end is made up for",
    PATIENCE,
    async () => {
      flags = [...flags, "--save-every", "6"];
      const { code, stderr } = await trainOnDisk("3500k", "kept-end");
      expect(stderr).toMatch(/model\.safetensors: expected \d+ bytes of free space, got \d+ \(ENOSPC\)/);
      expect(code).toBe(7);
      expect(await readdir(path("kept-end"))).not.toContain("model.safetensors");
      const resumed = await train(["--resume", "--output", "kept-end", "--quiet"]);
      expect(resumed).toMatchObject({ code: 0, stderr: "" });
      expect((await readFile(path("kept-end/model.safetensors"))).equals(straight)).toBe(true);
    },
  );
});
