/** What an old Node says: one sentence, from the command and from the import. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { checkNode } from "../../src/nodeVersion.js";
import { run } from "../process.js";

const dist = join(fileURLToPath(new URL("../..", import.meta.url)), "dist");
const OLD = ["--import", "data:text/javascript,Object.defineProperty(process.versions,'node',{value:'18.20.4'})"];
const SENTENCE = "Node: expected version 20.19 or later, got 18.20.4; install a newer one from https://nodejs.org";

it.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("%s is new enough", (version) => {
  expect(() => checkNode(version)).not.toThrow();
});

it.each(["20.18.3", "18.20.4", "4.0.0"])("%s is not", (version) => {
  expect(() => checkNode(version)).toThrow(`got ${version}`);
});

it("the oldest is the one that package.json names", () => {
  const { engines } = JSON.parse(readFileSync(join(dist, "..", "package.json"), "utf8"));
  expect(() => checkNode(engines.node.replace(">=", ""))).not.toThrow();
});

it("the command says so", async () => {
  const ended = await run(process.execPath, [...OLD, join(dist, "cli", "main.js"), "--help"], { cwd: dist });
  expect(ended).toMatchObject({ code: 10, stdout: "", stderr: `bigvae: ${SENTENCE}\n` });
});

it("so does the import", async () => {
  const code = `await import(${JSON.stringify(pathToFileURL(join(dist, "index.js")).href)}).catch(({ message }) => console.log(message))`;
  const ended = await run(process.execPath, [...OLD, "--input-type=module", "--eval", code], { cwd: dist });
  expect(ended).toMatchObject({ code: 0, stdout: `${SENTENCE}\n` });
});
