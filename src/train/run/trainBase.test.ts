/** What `train base` writes, from scratch and from another base, and what it refuses. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyBaseRun, writeTinyData } from "../../../test/train/tiny.js";
import { openBase } from "../../host/modelFiles.js";
import { trainBase } from "./trainBase.js";

let folder: string;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-base-"));
  await writeTinyData(folder);
});
afterAll(() => rm(folder, { recursive: true }));

/** The options without the shape that a start has of its own. */
function startedFrom(startFrom: string, output: string) {
  const { hiddenSize, intermediateSize, layers, heads, kvHeads, maxPositions, ...options } = tinyBaseRun(
    folder,
    output,
  );
  return { ...options, startFrom, steps: 2 };
}

it("writes a model of the shape that it was given, which opens", async () => {
  expect(await trainBase({ ...tinyBaseRun(folder, path("scratch")), layers: 3, steps: 1 })).toBe(true);
  const { base, tokenizer } = await openBase(path("scratch"));
  expect(base.config).toMatchObject({ hiddenSize: 16, numHiddenLayers: 3, numKeyValueHeads: 1 });
  expect(tokenizer.vocabSize).toBe(base.config.vocabSize);
});

describe("from another base", () => {
  it("starts with its weights and keeps its shape", async () => {
    const still = { lr: Number.MIN_VALUE, weightDecay: 0 };
    expect(await trainBase({ ...startedFrom(path("base"), path("further")), ...still })).toBe(true);
    for (const name of ["model.safetensors", "config.json"])
      expect((await readFile(path(`further/${name}`))).equals(await readFile(path(`base/${name}`))), name).toBe(true);
  });

  it("is refused beside an option that would change its shape", async () => {
    await expect(trainBase({ ...startedFrom(path("base"), path("other")), layers: 3 })).rejects.toThrow(
      "`startFrom`: expected no `layers` beside it, as the base keeps its shape, got both; leave one of them out",
    );
  });
});

it.each([
  [{ hiddenSize: 33 }, "`hiddenSize`: expected a multiple of twice the 2 `heads`, got 33"],
  [{ hiddenSize: 24, heads: 4, kvHeads: 3 }, "`kvHeads`: expected a divisor of the 4 `heads`, got 3"],
  [{ contextLength: 65 }, "`contextLength`: expected rows that fit the model's window of 64 positions, got 65"],
])("refuses %o", async (change, message) => {
  const refused = trainBase({ ...tinyBaseRun(folder, path("refused")), ...change });
  await expect(refused).rejects.toMatchObject({ kind: "usage" });
  await expect(refused).rejects.toThrow(message);
  expect(await readdir(folder)).not.toContain("refused");
});
