/** What `bigvae show` says that training takes, against the peak of a process that trains with the default options. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { prepare } from "../../src/data/index.js";
import { openTokenizer, readConfig } from "../../src/host/modelFiles.js";
import { trainingMemory } from "../../src/train/run/neededMemory.js";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const base = here("../../pocket/base");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-training-memory-"));
  const tokenizer = await openTokenizer(base);
  const texts = join(folder, "texts.jsonl");
  const lines = Array.from(stories(1, 300, 0), ({ text }, i) =>
    JSON.stringify({ id: `${i}`, text, split: i % 12 === 0 ? "validation" : "train" }),
  );
  await writeFile(texts, lines.join("\n"));
  await prepare({ inputs: [texts], tokenizer, output: join(folder, "rows"), length: 128 });
});
afterAll(() => rm(folder, { recursive: true }));

/** Dead objects are not needed: how many lie there depends on when V8 collects them, 40 MB from run to run. */
const FEW_DEAD_OBJECTS = "--max-semi-space-size=2";

/** Trains and evaluates in a process of its own and returns its peak of resident memory in bytes. */
async function peakOf(options: object): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    FEW_DEAD_OBJECTS,
    here("peakTraining.mjs"),
    JSON.stringify({ model: base, preprocessed: join(folder, "rows"), steps: 2, evalEvery: 1, threads: 2, ...options }),
  ]);
  return Number(stdout);
}

function expectNear(need: number, peak: number): void {
  expect(need / peak, `${need / 1e6} MB for ${peak / 1e6} MB`).toBeGreaterThan(0.85);
  expect(need / peak, `${need / 1e6} MB for ${peak / 1e6} MB`).toBeLessThan(1.15);
}

describe("the estimate of training", () => {
  it.each([
    ["none", false],
    ["int4", true],
    ["nf4", true],
  ] as const)("is within 15 %% of the peak, %s, checkpointing %s", async (quant, gradientCheckpointing) => {
    const peak = await peakOf({ quant, gradientCheckpointing, output: join(folder, quant) });
    const { plain, checkpointing } = trainingMemory(await readConfig(base), quant);
    expectNear(gradientCheckpointing ? checkpointing : plain, peak);
  });
});
