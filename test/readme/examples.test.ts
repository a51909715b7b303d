/** Every file in examples/ runs on the pocket model, as its first line says how. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../process.js";
import { shellWords } from "./markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const names = readdirSync(join(root, "examples"));

it("are all modules", () => {
  expect(names.filter((name) => !name.endsWith(".mjs"))).toEqual([]);
  expect(names.length).toBeGreaterThan(1);
});

it.each(names)("%s", { timeout: 600_000 }, async (name) => {
  const [head] = readFileSync(join(root, "examples", name), "utf8").split("\n");
  const [, usage] = /^\/\/ .+: node (.+)$/.exec(head!) ?? [];
  expect(usage, "the first line says what it does and how to run it").toBeDefined();
  const [path, ...args] = shellWords(usage!);
  expect(path).toBe(`examples/${name}`);
  const { code, stdout, stderr } = await run(process.execPath, [path!, ...args], { cwd: root });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout.trim()).not.toBe("");
});
