/**
 * Memory: the estimate against the peak of a process, and what a closed model leaves behind.
 * The long form of the latter: BIGVAE_CYCLES=200 npx vitest run test/host/memory.test.ts
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkFits, chooseForm, neededBytes } from "../../src/host/memory.js";
import { adapterBytes, readConfig } from "../../src/host/modelFiles.js";
import { tinyFolder } from "../parity/reference.js";
import { MID_SIZE, writeRandomModel } from "./randomModel.js";

const CYCLES = Number(process.env.BIGVAE_CYCLES ?? 16);
const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = async (...args: string[]) => (await promisify(execFile)(process.execPath, args)).stdout;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-memory-"));
  await writeRandomModel(folder, MID_SIZE);
});
afterAll(() => rm(folder, { recursive: true }));

describe("the estimate", () => {
  it.each(["merged", "unmerged"] as const)("is within 15 %% of the peak, %s", async (form) => {
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
    expect(chooseForm(size, 2 * merged)).toBe("merged");
    expect(chooseForm(size, merged)).toBe("unmerged");
    expect(() => checkFits(size, "unmerged", unmerged)).not.toThrow();
    expect(() => checkFits(size, "unmerged", unmerged - 1e6)).toThrow(/expected \d+ MB of free memory, got \d+ MB/);
  });
});

describe("close", () => {
  it(`frees the model, ${CYCLES} times`, { timeout: 20_000 * CYCLES }, async () => {
    const rss = JSON.parse(await node("--expose-gc", here("cycles.mjs"), tinyFolder, `${CYCLES}`)) as number[];
    // The first quarter fills caches of the allocator; the slope is that of the rest.
    const settled = rss.slice(CYCLES >> 2);
    const slope = (settled.at(-1)! - settled[0]!) / (settled.length - 1) / 1e6;
    console.info(
      `RSS over ${CYCLES} cycles: ${slope.toFixed(3)} MB a cycle, ${rss.map((b) => Math.round(b / 1e6))} MB`,
    );
    // A cycle that leaked its model's own 1.7 MB, or its sessions, would show at once.
    expect(slope).toBeLessThan(CYCLES >= 100 ? 0.3 : 1.5);
  });
});
