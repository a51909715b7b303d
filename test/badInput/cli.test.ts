/** Bad input through the command: one sentence, the documented exit code, no stack trace, files as they were. */
import { rm, writeFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ErrorKind, EXIT_CODES } from "../../src/errors.js";
import { bigvae, jsonLines, TINY } from "../cli/run.js";
import { copyModel, fingerprint, type ModelCopy } from "./folder.js";

let model: ModelCopy;
beforeEach(async () => {
  model = await copyModel();
});
afterEach(() => model.remove());

const CASES: [string, (model: ModelCopy) => Promise<unknown>, string, ErrorKind, RegExp][] = [
  [
    "missing weights",
    (m) => rm(m.at("base/model.safetensors")),
    "x",
    "format",
    /expected a path that can be read, got no such file/,
  ],
  [
    "adapters for another base",
    (m) => writeFile(m.at("adapters/bigvae.json"), JSON.stringify({ base_sha256: "0".repeat(64) })),
    "x",
    "mismatch",
    /expected the base with sha256/,
  ],
  [
    "a model that does not fit",
    (m) => m.edit("base/config.json", (c) => Object.assign(c, { hidden_size: 2 ** 20 })),
    "x",
    "memory",
    /of free memory/,
  ],
  [
    "another architecture",
    (m) => m.edit("base/config.json", (c) => Object.assign(c, { model_type: "gpt2" })),
    "x",
    "unsupported",
    /got gpt2/,
  ],
  ["a text beyond the window", async () => {}, "word ".repeat(5000), "usage", /the model's window, got \d+/],
];

describe("refusals", () => {
  it.each(CASES)("%s", async (_what, spoil, text, kind, message) => {
    await spoil(model);
    const before = await fingerprint(model.folder);
    const args = ["encode", "--model", model.base, "--adapters", model.adapters, "--json", text];
    const { code, stdout, stderr } = await bigvae(args);
    expect(stderr).toMatch(/^bigvae: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/ at .*:\d+/);
    expect(stdout).toBe("");
    expect(code).toBe(EXIT_CODES[kind]);
    expect(await fingerprint(model.folder)).toBe(before);
  });
});

describe("a text longer than the span", () => {
  it("is encoded whole, with one warning however many there are", async () => {
    const long = "The river ran past the mill and on. ".repeat(12);
    const finished = await bigvae(["encode", ...TINY, "--json", "--file", "-"], `short\n${`${long}\n`.repeat(70)}`);
    const lines = jsonLines<{ ids: number[]; poolWeights: number[]; longerThanSpan: boolean }>(finished);
    expect(finished.stderr.match(/longer|more than the span of 64/g)).toHaveLength(1);
    expect(lines.map(({ longerThanSpan }) => longerThanSpan)).toEqual([false, ...Array(70).fill(true)]);
    expect(lines[1]!.poolWeights).toHaveLength(lines[1]!.ids.length);
    expect(lines[1]!.ids.length).toBeGreaterThan(64);
  });
});
