/** A base that goes on from another: same shape, same tokenizer, its weights. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CompiledCommand, compileCommand } from "../../../test/train/command.js";
import { tinyRows, tinyTokenizer, writeTinyBase } from "../../../test/train/tiny.js";

let folder: string;
let command: CompiledCommand;
const path = (name: string) => join(folder, name);
const train = (output: string, ...more: string[]) =>
  command.run(
    ["train", "base", "--preprocessed", path("rows"), "--tokenizer", path("base"), "--start-from", path("base")].concat(
      ["--output", path(output), "--context", "15", "--batch-size", "2", "--threads", "1", "--steps", "2", "--quiet"],
      more,
    ),
  );

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-start-"));
  command = compileCommand();
  await tinyRows(folder, tinyTokenizer());
  await writeTinyBase(path("base"), tinyTokenizer());
});
afterAll(async () => {
  command.remove();
  await rm(folder, { recursive: true });
});

it("starts with its weights and keeps its shape", async () => {
  const { code, stderr } = await train("gone-on", "--lr", "1e-12", "--weight-decay", "0");
  expect(stderr).toBe("");
  expect(code).toBe(0);
  for (const name of ["model.safetensors", "config.json"])
    expect((await readFile(path(`gone-on/${name}`))).equals(await readFile(path(`base/${name}`))), name).toBe(true);
});

it("is refused beside a flag that would change its shape", async () => {
  const { code, stderr } = await train("other", "--layers", "3");
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /--start-from: expected no --layers beside it, as the base keeps its shape; leave one of them out/,
  );
});
