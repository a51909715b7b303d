/** Headers that promise far more than their file holds are refused before anything is allocated for them. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAX_MS = 100;
const MAX_BYTES = 16e6;

interface Report {
  name: string;
  error: string;
  /** Of the processor. */
  ms: number;
  grownBytes: number;
}

describe("a file that is a bomb", () => {
  let folder: string;
  let reports: Report[];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bigvae-bombs-"));
    const script = fileURLToPath(new URL("bombs.mjs", import.meta.url));
    reports = JSON.parse((await promisify(execFile)(process.execPath, [script, folder])).stdout);
    const worst = (key: "ms" | "grownBytes") => Math.max(...reports.map((report) => report[key]));
    console.info(
      `${reports.length} files: at most ${worst("ms").toFixed(0)} ms, ${(worst("grownBytes") / 1e6).toFixed(1)} MB`,
    );
  }, 120_000);
  afterAll(() => rm(folder, { recursive: true }));

  it("is refused in one sentence of a length that can be read", () => {
    expect(reports.length).toBeGreaterThan(12);
    for (const { name, error } of reports) {
      expect(error, name).toMatch(/^BigVaeError: [^\n]+$/);
      expect(error.length, name).toBeLessThan(500);
    }
  });

  it(`takes less than ${MAX_MS} ms and ${MAX_BYTES / 1e6} MB`, () => {
    for (const { name, ms, grownBytes } of reports) {
      expect(ms, name).toBeLessThan(MAX_MS);
      expect(grownBytes, name).toBeLessThan(MAX_BYTES);
    }
  });
});
