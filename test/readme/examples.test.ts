/** Every file in examples/ runs on the pocket model, as its first line says how, in a folder where rows/ are prepared. */
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { prepare } from "../../src/data/index.js";
import { openTokenizer } from "../../src/host/modelFiles.js";
import { run } from "../process.js";
import { shellWords } from "./markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const names = readdirSync(join(root, "examples"));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-examples-"));
  const texts = Array.from(stories(1, 8, 0), ({ text }, i) => ({ text, split: i < 2 ? "validation" : "train" }));
  const input = join(folder, "texts.jsonl");
  await writeFile(input, texts.map((text) => JSON.stringify(text)).join("\n"));
  const tokenizer = await openTokenizer(join(root, "pocket", "base"));
  await prepare({ inputs: [input], tokenizer, output: join(folder, "rows"), length: 64 });
});
afterAll(() => rm(folder, { recursive: true }));

it("are all modules", () => {
  expect(names.filter((name) => !name.endsWith(".mjs"))).toEqual([]);
  expect(names.length).toBeGreaterThan(1);
});

it.each(names)("%s without arguments says how to run it", async (name) => {
  const { code, stdout, stderr } = await run(process.execPath, [join(root, "examples", name)], { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^usage: node .+\n$/);
  expect(stderr).toContain(`examples/${name} `);
});

it("train.mjs says in one sentence that there are no rows", async () => {
  const args = [join(root, "examples", "train.mjs"), "nowhere", "my-vae"];
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd: folder });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^`preprocessed` .*nowhere: expected [^\n]+\n$/);
});

it.each(names)("%s", { timeout: 600_000 }, async (name) => {
  const [head] = readFileSync(join(root, "examples", name), "utf8").split("\n");
  const [, usage] = /^\/\/ .+: node (.+)$/.exec(head!) ?? [];
  expect(usage, "the first line says what it does and how to run it").toBeDefined();
  const [path, ...args] = shellWords(usage!);
  expect(path).toBe(`examples/${name}`);
  const { code, stdout, stderr } = await run(process.execPath, [join(root, path!), ...args], { cwd: folder });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout.trim()).not.toBe("");
});
