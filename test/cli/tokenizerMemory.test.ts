/** `data tokenizer` keeps the words of its texts and no text: its memory does not grow with the corpus. */
import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { run } from "../process.js";
import { MAIN } from "./run.js";

const MB = 2 ** 20;
/** Texts of the corpora, 64 KB each. A text has a word of its own: who keeps a piece of each text keeps all texts. */
const [SMALL, LARGE] = [64, 64 + 1024];
/** A part of the 64 MB between them: what garbage there is before it is collected. */
const MAX_GROWTH = 16 * MB;
/** Tells the peak of resident memory as the process ends. */
const PEAK = `data:text/javascript,process.on("exit",()=>console.error(process.resourceUsage().maxRSS*1024))`;

/** Of letters alone, and too long for V8 to copy it out of its text. */
const ownWord = (i: number) => i.toString(2).padStart(16, "0").replaceAll("0", "o").replaceAll("1", "i");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-tokenizer-"));
  const long = Array.from(stories(1, 200, 0), ({ text }) => text.replaceAll("\n", " "))
    .join(" ")
    .slice(0, 2 ** 16);
  for (const [name, texts] of Object.entries({ small: SMALL, large: LARGE }))
    for (let i = 0; i < texts; i++) await appendFile(join(folder, `${name}.txt`), `${ownWord(i)} ${long}\n`);
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
});
