/** docs/memory.md is true: its commands run one after the other, and its program prints what it says it does. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stories } from "../../src/corpus/stories/index.js";
import { output } from "../process.js";
import { codeBlocks, shellCommands, shellWords } from "../readme/markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const blocks = codeBlocks(readFileSync(join(root, "docs/memory.md"), "utf8"));
const PATIENCE = { timeout: 120_000 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-memory-docs-"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await mkdir(join(folder, "node_modules"));
  const lines = Array.from(stories(1, 3, 0), ({ text }) => text.replaceAll("\n", " "));
  await writeFile(join(folder, "texts.txt"), lines.join("\n"));
  await symlink(root, join(folder, "node_modules", "bigvae"), "junction");
});
afterAll(() => rm(folder, { recursive: true }));

it("its commands run", PATIENCE, async () => {
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ lines }) => shellCommands(lines));
  expect(commands.length).toBeGreaterThan(8);
  const printed: string[] = [];
  for (const command of commands)
    printed.push(
      await output(process.execPath, [join(root, "dist/cli/main.js"), ...shellWords(command).slice(1)], {
        cwd: folder,
      }),
    );
  expect(printed.filter((text) => text.trim() === "")).toEqual([]);
  expect(printed[1]).toMatch(/^\S+ {2}1 {2}The fox found a lamp\.\n/);
  expect(printed).toContain("copy: 2 records added\n");
  expect(printed.at(-1)).toMatch(/\S/);
});

it("its program runs", PATIENCE, async () => {
  const [program] = blocks.filter(({ language }) => language === "js");
  await writeFile(join(folder, "program.mjs"), program!.lines.join("\n"));
  const [first, second, centre] = (await output(process.execPath, ["program.mjs"], { cwd: folder })).split("\n");
  expect(first).toBe("1.000 The fox found a lamp.");
  expect(second).toMatch(/^0\.\d+ /);
  expect(centre).not.toBe("");
});
