/**
 * A model on a GPU gives what it gives on the processor. The GPU is SwiftShader's: the browser of the studio's tests brings this Vulkan in software, which every
 * Linux machine runs. It shows that values are right, and nothing of speed.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import chromium from "@sparticuz/chromium";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXIT_CODES } from "../../src/errors.js";
import { bigvae, jsonLines, TINY } from "../cli/run.js";
import { tinyRows, tinyTokenizer, writeTinyBase } from "../train/tiny.js";

/** A shader is compiled for each op at its first use. */
const PATIENCE = { timeout: 180_000 };

let gpu: Record<string, string>;
beforeAll(async () => {
  const folder = dirname(await chromium.executablePath());
  gpu = { LD_LIBRARY_PATH: folder, VK_ICD_FILENAMES: join(folder, "vk_swiftshader_icd.json") };
});

async function onBoth(args: readonly string[]) {
  const cpu = await bigvae([...args, "--json"]);
  const other = await bigvae([...args, "--json", "--device", "webgpu"], "", gpu);
  expect([cpu.code, other.code], other.stderr).toEqual([0, 0]);
  return [cpu, other] as const;
}

/** BIGVAE_DEVICES=webgpu is the long form, a minute: compiling shaders for SwiftShader takes most of it. */
const isLong = process.env.BIGVAE_DEVICES?.includes("webgpu") ?? false;

describe.runIf(process.platform === "linux")("--device webgpu", () => {
  it.runIf(isLong).each([
    ["none", 1e-5],
    ["int4", 0.1],
  ])("encodes as the processor does, %s", PATIENCE, async (quant, tolerance) => {
    const args = ["encode", ...TINY, "--quant", quant, "--no-confidence", "The fox found a lamp.", "It rained."];
    const [cpu, other] = (await onBoth(args)).map((ended) => jsonLines<{ mean: number[] }>(ended));
    const differences = cpu!.flatMap(({ mean }, i) => mean.map((value, d) => Math.abs(value - other![i]!.mean[d]!)));
    expect(differences.length).toBeGreaterThan(50);
    expect(Math.max(...differences)).toBeLessThan(tolerance);
  });

  it.runIf(isLong)("writes the same tokens, with a context, drafts and guidance", PATIENCE, async () => {
    const words = ["generate", ...TINY, "--sampler", "avg", "--prompt", "A fox", "--context", "Once there was"];
    const [cpu, other] = await onBoth([...words, "--steps", "1", "--n-avg", "2", "--span", "8", "--cfg", "1.5"]);
    const ids = (lines: typeof cpu) => jsonLines<{ ids: number[] }>(lines).map((line) => line.ids);
    expect(ids(cpu).flat().length).toBeGreaterThan(8);
    expect(ids(other)).toEqual(ids(cpu));
  });

  describe("training", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "bigvae-webgpu-"));
      const tokenizer = tinyTokenizer();
      await tinyRows(folder, tokenizer);
      await writeTinyBase(join(folder, "base"), tokenizer);
    });
    afterAll(() => rm(folder, { recursive: true }));

    it("has the same losses, and the same texts from its samples", PATIENCE, async () => {
      const logged = async (device: string, env: Record<string, string>) => {
        const files = ["--model", join(folder, "base"), "--preprocessed", join(folder, "rows")];
        const sizes = [
          "--span",
          "8",
          "--z-dim",
          "8",
          "--slots",
          "2",
          "--rank",
          "2",
          "--batch-size",
          "2",
          "--steps",
          "3",
        ];
        const output = ["--output", join(folder, device), "--device", device, "--lr", "0.01", "--json"];
        const ended = await bigvae(["train", "vae", ...files, ...sizes, ...output], "", env);
        expect(ended.code, ended.stderr).toBe(0);
        const log = await readFile(join(folder, device, "log.jsonl"), "utf8");
        const lines = log.trim().split("\n");
        const all = lines.map((line) => JSON.parse(line) as { loss?: number; sample?: unknown });
        return { losses: all.flatMap(({ loss }) => loss ?? []), samples: all.flatMap(({ sample }) => sample ?? []) };
      };
      const [cpu, other] = [await logged("cpu", {}), await logged("webgpu", gpu)];
      expect(cpu.losses).toHaveLength(3);
      for (const [i, loss] of cpu.losses.entries()) expect(other.losses[i]! / loss).toBeCloseTo(1, 4);
      expect(cpu.samples.length).toBeGreaterThan(0);
      expect(other.samples).toEqual(cpu.samples);
    });
  });

  it("says that there is no GPU, and what to do", async () => {
    const { code, stderr } = await bigvae(["encode", ...TINY, "--device", "webgpu", "x"], "", {
      VK_ICD_FILENAMES: "/nowhere.json",
    });
    expect(code).toBe(EXIT_CODES.unsupported);
    expect(stderr).toContain(
      "bigvae: --device webgpu: expected a GPU with a driver for Vulkan, Metal or Direct3D 12, got none that this process can reach; install its driver, or leave out --device, which computes on the processor\n",
    );
  });

  it.each([
    [["--quant", "nf4"], "--quant: expected none, int8 or int4 beside --device webgpu"],
    [["--compute", "int8"], "--compute: expected fp32 beside --device webgpu"],
  ])("refuses %o, which has no kernel there", async (flags, message) => {
    const { code, stderr } = await bigvae(["encode", ...TINY, "--device", "webgpu", ...flags, "x"]);
    expect(code).toBe(EXIT_CODES.usage);
    expect(stderr).toContain(message);
  });
});
