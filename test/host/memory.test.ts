/**
 * Memory: the estimate against the peak of a process, and what a closed model leaves behind.
 * The long form of the latter, with the reference model: BIGVAE_CYCLES=200 npx vitest run test/host/memory.test.ts
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { adapterBytes } from "../../src/checkpoint/layout.js";
import { EXPERT_BYTES } from "../../src/engine/experts.js";
import { ROW_ADAPTER_BYTES } from "../../src/engine/rowAdapters.js";
import {
  checkExpertFits,
  checkFits,
  chooseForm,
  expertsBytes,
  neededBytes,
  storedBytes,
} from "../../src/host/memory.js";
import { readConfig } from "../../src/host/modelFiles.js";
import { tinyFolder } from "../parity/reference.js";
import { MID_SIZE, writeRandomModel } from "./randomModel.js";

const CYCLES = Number(process.env.BIGVAE_CYCLES ?? 12);
const LONG = CYCLES >= 100;
const WARM_UP = LONG ? 50 : 6;
/** Resident memory may grow by this share of the model a cycle: in the short form less than half of one adapter. */
const MAX_LEAK = 0.08;
/** glibc: one heap, and large blocks given back at once, so that resident memory is what is in use. */
const PLAIN_ALLOCATOR = {
  MALLOC_ARENA_MAX: "1",
  MALLOC_MMAP_THRESHOLD_: "32768",
  MALLOC_TRIM_THRESHOLD_: "65536",
};
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = async (...args: string[]) => (await promisify(execFile)(process.execPath, args)).stdout;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-memory-"));
  await writeRandomModel(folder, MID_SIZE);
});
afterAll(() => rm(folder, { recursive: true }));

describe("the estimate", () => {
  it.each(["merged", "unmerged", "int8", "int4", "nf4"] as const)("is within 15 %% of the peak, %s", async (form) => {
    const models = [
      [`${tinyFolder}/base`, `${tinyFolder}/adapters`],
      [join(folder, "base"), folder],
    ] as const;
    for (const [base, adapters] of models) {
      const need = neededBytes({ config: await readConfig(base), adapterBytes: await adapterBytes(adapters) }, form);
      const peak = Number(await node(here("peakMemory.mjs"), base, adapters, form));
      const ratio = need / peak;
      expect(ratio, `${need / 1e6} MB for ${peak / 1e6} MB`).toBeGreaterThan(0.85);
      expect(ratio, `${need / 1e6} MB for ${peak / 1e6} MB`).toBeLessThan(1.15);
    }
  });

  it("refuses what does not fit, and takes the form that does", async () => {
    const size = { config: MID_SIZE, adapterBytes: 4e6 };
    const [merged, unmerged] = [neededBytes(size, "merged"), neededBytes(size, "unmerged")];
    expect(unmerged).toBeLessThan(merged);
    // Eight rows of the rotary tables for each position.
    const tables = 4 * MID_SIZE.maxPositionEmbeddings * MID_SIZE.headDim;
    expect(neededBytes({ ...size, slots: 2 }, "unmerged") - unmerged).toBe(7 * tables);
    expect(chooseForm(size, 2 * merged)).toBe("merged");
    expect(chooseForm(size, merged)).toBe("unmerged");
    expect(() => checkFits(size, "unmerged", unmerged)).not.toThrow();
    expect(() => checkFits(size, "unmerged", unmerged - 1e6)).toThrow(/expected \d+ MB of free memory, got \d+ MB/);
    const packed = neededBytes(size, "int8");
    expect(packed).toBeLessThan(unmerged);
    expect(() => checkFits(size, "unmerged", packed)).toThrow(/give `quant` int8, which takes \d+ MB/);
    expect(() => checkFits(size, "int8", packed)).not.toThrow();
    expect(() => checkFits(size, "int4", 1e6)).toThrow(/close other programs, or choose a smaller model/);
  });
});

it("experts count with what they are laid out in, and the base that they share", () => {
  const one = 7e6;
  const beside = expertsBytes(MID_SIZE, "unmerged", one);
  expect(beside).toBe(EXPERT_BYTES + 2 * ROW_ADAPTER_BYTES);
  expect(expertsBytes(MID_SIZE, "merged", one) - beside).toBeCloseTo(storedBytes(MID_SIZE, "unmerged"), 3);
  // One that is larger than all limits: itself, and a row of each kind.
  expect(expertsBytes(MID_SIZE, "nf4", 1e9)).toBe(3e9);
  const first = one + 2 * ROW_ADAPTER_BYTES;
  expect(() => checkExpertFits(MID_SIZE, "unmerged", one, true, first)).not.toThrow();
  expect(() => checkExpertFits(MID_SIZE, "unmerged", one, true, first - 1)).toThrow(
    "experts: expected 135 MB of free memory, got 135 MB; close other programs, or write without experts",
  );
  expect(() => checkExpertFits(MID_SIZE, "unmerged", one, false, one)).not.toThrow();
});

describe("close", () => {
  it(`frees the model, ${CYCLES} times`, { timeout: 20_000 * CYCLES }, async () => {
    // The short form takes a model whose parts are large beside what a process gains and loses by itself.
    const [model, bytes] = LONG ? [tinyFolder, await modelBytes(tinyFolder)] : await writeWideModel();
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--expose-gc", here("cycles.mjs"), model, `${CYCLES}`],
      { env: { ...process.env, ...PLAIN_ALLOCATOR } },
    );
    const rss = JSON.parse(stdout) as number[];
    // The first cycles compile code and fill caches.
    const grown = medianSlope(rss.slice(WARM_UP));
    const megabytes = (count: number) => (count / 1e6).toFixed(2);
    console.info(
      `RSS over ${CYCLES} cycles of a model of ${megabytes(bytes)} MB: ${megabytes(grown)} MB a cycle, ${rss.map((b) => Math.round(b / 1e6))} MB`,
    );
    expect(grown).toBeLessThan(MAX_LEAK * bytes);
  });
});

/** The model of the estimate with few tokens and large adapters: 74 MB, of which each adapter is 20. Its folder as cycles.mjs takes it, and its bytes. */
async function writeWideModel(): Promise<[string, number]> {
  const wide = join(folder, "wide");
  await writeRandomModel(join(wide, "adapters"), { ...MID_SIZE, vocabSize: 512 }, 256);
  await rename(join(wide, "adapters", "base"), join(wide, "base"));
  return [wide, await modelBytes(wide)];
}

/** Bytes of all weights of a folder. */
async function modelBytes(of: string): Promise<number> {
  const names = (await readdir(of, { recursive: true })).filter((name) => name.endsWith("model.safetensors"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(of, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Of a line through the points (Theil and Sen): the median of the slopes between any two, which single outliers do not bend. */
function medianSlope(values: readonly number[]): number {
  const slopes = values.flatMap((a, i) => values.slice(i + 1).map((b, gap) => (b - a) / (gap + 1)));
  return slopes.sort((a, b) => a - b)[slopes.length >> 1]!;
}
