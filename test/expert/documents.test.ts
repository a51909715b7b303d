/** docs/experts.md is true: its commands run one after the other, trained for two steps, and its program says who writes. */
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
const blocks = codeBlocks(readFileSync(join(root, "docs/experts.md"), "utf8"));
const PATIENCE = { timeout: 600_000 };
const bigvae = (command: string) =>
  output(process.execPath, [join(root, "dist/cli/main.js"), ...shellWords(command).slice(1)], { cwd: folder });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-expert-docs-"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await mkdir(join(folder, "node_modules"));
  const told = Array.from(stories(1, 120, 0));
  for (const [file, wanted] of [
    ["letters.txt", "letter"],
    ["diaries.txt", "diary"],
  ] as const) {
    const texts = told.filter(({ kind }) => kind === wanted).map(({ text }) => text.replaceAll("\n", " "));
    await writeFile(join(folder, file), texts.join("\n"));
  }
  await symlink(root, join(folder, "node_modules", "bigvae"), "junction");
});
afterAll(() => rm(folder, { recursive: true }));

it("its commands run, and its program", PATIENCE, async () => {
  const commands = blocks.filter(({ language }) => language === "sh").flatMap(({ lines }) => shellCommands(lines));
  expect(commands.length).toBeGreaterThan(6);
  const printed: string[] = [];
  for (const command of commands) {
    const short = command.replace("--steps 60 --batch-size 8", "--steps 2 --batch-size 2");
    if (command.includes("expert rm")) {
      const [program] = blocks.filter(({ language }) => language === "js");
      await writeFile(join(folder, "program.mjs"), program!.lines.join("\n"));
      const [first, second, ...written] = (await output(process.execPath, ["program.mjs"], { cwd: folder })).split(
        "\n",
      );
      for (const line of [first, second]) expect(line).toMatch(/^(letters|diaries) 0\.\d\d$/);
      // Its text may begin with an empty line.
      expect(written.join("\n")).toMatch(/^(letters|diaries) \s*\S/);
    }
    printed.push(await bigvae(short));
  }
  expect(printed.filter((text) => text.trim() === "")).toEqual([]);
  expect(printed).toContain("experts/diaries: removed\n");
});
