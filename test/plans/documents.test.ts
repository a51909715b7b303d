/** docs/plans.md is true: its commands run one after the other, and its program prints what it says it does. */
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { output } from "../process.js";
import { codeBlocks, shellCommands, shellWords } from "../readme/markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const blocks = codeBlocks(readFileSync(join(root, "docs/plans.md"), "utf8"));
const PATIENCE = { timeout: 300_000 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-plans-docs-"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await mkdir(join(folder, "node_modules"));
  await symlink(root, join(folder, "node_modules", "bigvae"), "junction");
});
afterAll(() => rm(folder, { recursive: true }));

it("its commands run", PATIENCE, async () => {
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ lines }) => shellCommands(lines));
  expect(commands.length).toBeGreaterThan(15);
  for (const command of commands) {
    const words = shellWords(command).slice(1);
    const printed = await output(process.execPath, [join(root, "dist/cli/main.js"), ...words], { cwd: folder });
    expect(printed.trim(), command).not.toBe("");
  }
});

it("its program runs", PATIENCE, async () => {
  const [program] = blocks.filter(({ language }) => language === "js");
  await writeFile(join(folder, "program.mjs"), program!.lines.join("\n"));
  const lines = (await output(process.execPath, ["program.mjs"], { cwd: folder })).trimEnd().split("\n");
  for (const line of lines.slice(0, -1)) expect(line).toMatch(/^\d [01]\.\d\d [012]\.\d\d /);
  expect(lines.at(-1)).toBe("1");
});
