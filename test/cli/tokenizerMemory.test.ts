/** `data tokenizer` keeps the words of its texts and no text: its memory does not grow with the corpus. */
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { run } from "../process.js";
import { MAIN } from "./run.js";

const MB = 2 ** 20;
/** Sizes of the corpora; the smaller one has all the words of the larger one. */
const [SMALL, LARGE] = [4 * MB, 68 * MB];
/** A part of the 64 MB between them: what garbage there is before it is collected. */
const MAX_GROWTH = 16 * MB;
/** Tells the peak of resident memory as the process ends. */
const PEAK = `data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS*1024))`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-tokenizer-"));
  const lines = Array.from(stories(1, 4000, 0), ({ text }) => `${text.replaceAll("\n", " ")}\n`).join("");
  for (const [name, size] of Object.entries({ small: SMALL, large: LARGE }))
    for (let written = 0; written < size; written += lines.length) await appendFile(join(folder, `${name}.txt`), lines);
}, 120_000);
afterAll(() => rm(folder, { recursive: true }));

it("peaks alike for a corpus of 4 MB and one of 68", { timeout: 300_000 }, async () => {
  const peaks: number[] = [];
  for (const name of ["small", "large"]) {
    const [corpus, output] = [join(folder, `${name}.txt`), join(folder, `${name}.json`)];
    const words = ["data", "tokenizer", corpus, "--vocab-size", "1000", "--output", output, "--quiet"];
    // One semi-space of one size: garbage is collected alike in both.
    const limits = ["--max-old-space-size=128", "--max-semi-space-size=4"];
    const { code, stderr } = await run(process.execPath, [...limits, "--import", PEAK, MAIN, ...words], {
      cwd: folder,
    });
    expect(code, stderr).toBe(0);
    peaks.push(Number(stderr));
  }
  const [small, large] = peaks as [number, number];
  expect(large - small, `${small / MB} MB and ${large / MB} MB`).toBeLessThan(MAX_GROWTH);
  expect(await readFile(join(folder, "large.json"), "utf8")).toBe(await readFile(join(folder, "small.json"), "utf8"));
});
