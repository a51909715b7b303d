import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeLatents } from "../host/latentFiles.js";
import { openExamples } from "./examples.js";

let folder: string;
const [a, b] = [Float32Array.of(1, 2), Float32Array.of(3, 4)];
const examples = async (...given: string[]) =>
  (
    await openExamples(
      "--task",
      given.map((each) => each.replace("FOLDER", folder)),
    )
  )(2);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-examples-"));
  await writeFile(join(folder, "texts.json"), '["one", "two"]');
  await writeLatents(join(folder, "task.safetensors"), [{ z: a, examples: 9 }, { z: b }]);
});
afterAll(() => rm(folder, { recursive: true }));

it("are texts, texts of an array, and latents with what they count", async () => {
  const latents = [
    { z: a, examples: 9 },
    { z: b, examples: 1 },
  ];
  expect(await examples("a text", "@@home")).toEqual(["a text", "@home"]);
  expect(await examples("zero", "@FOLDER/texts.json")).toEqual(["zero", "one", "two"]);
  expect(await examples("@FOLDER/texts.json#2")).toEqual(["two"]);
  expect(await examples("@FOLDER/task.safetensors")).toEqual(latents);
  expect(await examples("@FOLDER/task.safetensors#2", "x")).toEqual([latents[1], "x"]);
});

it.each([
  ["texts.json", /^"texts\.json": expected a text, or a file behind @, got the name of a file; write "@texts\.json"$/],
  ["task.npy", /^"task\.npy": .*write "@task\.npy"$/],
  ["@none.json", /^--task none\.json: expected a JSON array of texts, got nothing there/],
  ["@none.npy", /^--task none\.npy: expected a file of latents, got nothing there/],
  ["@FOLDER/texts.json#3", /texts\.json#3: expected a number from 1 to 2, got 3/],
  ["@FOLDER/task.safetensors#0", /task\.safetensors#0: expected a number from 1 to 2, got 0/],
  ["@texts.csv", /^"@texts\.csv": expected "@FILE"/],
])("%s is refused", async (given, message) => {
  await expect(examples(given)).rejects.toMatchObject({ kind: "usage", message: expect.stringMatching(message) });
});
