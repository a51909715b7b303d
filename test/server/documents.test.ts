/** docs/server.md is true: each of its snippets runs on the real server. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run } from "../process.js";
import { type CodeBlock, codeBlocks } from "../readme/markdown.js";
import { startServerWithMemory } from "./server.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const blocks = codeBlocks(readFileSync(`${root}/docs/server.md`, "utf8"));
const python = process.env.BIGVAE_PYTHON;

const started = startServerWithMemory();

/** Runs a snippet with the address of this server. */
function runs({ language, lines }: CodeBlock) {
  const code = lines.join("\n").replaceAll("http://127.0.0.1:3001", started.server.url);
  if (language === "js") return run(process.execPath, ["--input-type=module", "-e", code], { cwd: root });
  if (language === "python") return run(python!, ["-c", code], { cwd: root });
  // What curl gives for an error is JSON too: it is to fail.
  return run("sh", ["-ec", code.replaceAll("curl -s", "curl --fail-with-body -s")], { cwd: root });
}

const isRun = ({ language }: CodeBlock) =>
  ["js", "sh"].includes(language) || (language === "python" && python !== undefined);

it("has snippets of each kind", () => {
  const count = (of: string) => blocks.filter(({ language }) => language === of).length;
  expect([count("sh"), count("js"), count("python")]).toEqual([7, 3, 1]);
});

it.each(blocks.filter(isRun).map((block, i) => [i + 1, block.language, block] as const))(
  "snippet %i runs (%s)",
  async (_, __, block) => {
    const { code, stdout, stderr } = await runs(block);
    expect(stderr).toBe("");
    expect(code, stdout).toBe(0);
    expect(stdout.trim()).not.toBe("");
    if (block.language === "sh" && !block.lines.join("").includes("stream")) {
      const answers = stdout
        .trim()
        .replaceAll(/\}\{|\]\{|\](?=\d)/g, (between) => `${between[0]}\n${between.slice(1)}`)
        .split("\n");
      for (const answer of answers) expect(() => JSON.parse(answer)).not.toThrow();
    }
  },
);

it("names the flags that the command has, and no other", async () => {
  const { stdout } = await run(process.execPath, [`${root}/dist/cli/main.js`, "serve", "--help"], { cwd: root });
  const text = readFileSync(`${root}/docs/server.md`, "utf8");
  const flags = new Set(Array.from(text.matchAll(/(?<=[`\s])--[a-z-]+/g), ([flag]) => flag));
  expect(flags.size).toBeGreaterThan(6);
  expect([...flags].filter((flag) => !stdout.includes(flag))).toEqual([]);
});
