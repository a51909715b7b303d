/** The other documents: what they say of the command line is there. Their commands need models and hours, so only names and flags are checked. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { allHelps } from "../cli/helps.js";
import { codeBlocks, inlineCode, shellCommands, shellWords } from "./markdown.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** The README's own commands are run by readme.test.ts. */
const documents = [
  ...["ARCHITECTURE.md", "CONTRIBUTING.md", "pocket/README.md"],
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

const helps = await allHelps();

/** The words after `bigvae` of every command in a document: in blocks, and within text. */
function commandsOf(markdown: string): string[][] {
  const inBlocks = codeBlocks(markdown).flatMap(({ lines }) => shellCommands(lines));
  return [...inBlocks, ...inlineCode(markdown)]
    .map((command) => command.replace(/^npx |^node dist\/cli\/main\.js/, (start) => (start === "npx " ? "" : "bigvae")))
    .filter((command) => command.startsWith("bigvae "))
    .map((command) => shellWords(command).slice(1));
}

/** Groups have commands of their own. */
const GROUPS = ["data", "train", "memory", "expert", "plan", "strategy"];
/** What a group does without a further word. */
const DEFAULTS: Readonly<Record<string, string>> = { plan: "write" };

describe.each(documents)("%s", (path) => {
  const markdown = readFileSync(join(root, path), "utf8");

  it("names commands and flags that there are", () => {
    const usage = helps[""]!;
    for (const words of commandsOf(markdown)) {
      const [name, kind] = words as [string, string | undefined];
      if (name.startsWith("-")) continue;
      expect(usage, `bigvae ${words.join(" ")}`).toMatch(new RegExp(`^ {2}${name}\\b`, "m"));
      const isGroup = GROUPS.includes(name) && kind !== undefined && /^[a-z|]+$/.test(kind);
      for (const own of isGroup ? kind.split("|") : [DEFAULTS[name]]) {
        const help = helps[own === undefined ? name : `${name} ${own}`];
        expect(help, `bigvae ${words.join(" ")}`).toMatch(/^Usage: bigvae /);
        if (own !== undefined) expect(help).toContain(`bigvae ${name} ${own}`);
        const flags = words.map((word) => /^--[a-z-]+/.exec(word)?.[0]).filter((flag) => flag !== undefined);
        for (const flag of flags)
          expect(help, `bigvae ${words.join(" ")}`).toMatch(new RegExp(`^\\s+(-\\w, )?${flag}\\b`, "m"));
      }
    }
  });
});

it.each([...documents, "README.md"])("%s links to files that there are", (path) => {
  const markdown = readFileSync(join(root, path), "utf8");
  const links = Array.from(markdown.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g), (match) => match[1]!);
  expect(links.filter((link) => !existsSync(join(root, path, "..", link)))).toEqual([]);
});
