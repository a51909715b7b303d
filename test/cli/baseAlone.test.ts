/** What a base without adapters is of use for, and what every other command says of it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openTokenizer } from "../../src/host/modelFiles.js";
import { loadTinyBase, maxDifference, tinyFolder } from "../parity/reference.js";
import { meanOf, slowHiddenStates } from "../parity/slowForward.js";
import { bigvae, type Finished, jsonLines, TINY } from "./run.js";

const BASE = ["--model", `${tinyFolder}/base`];
const PATIENCE = { timeout: 180_000 };
const TEXTS = ["The river ran.", "A mill stood by the water.", "She sang."];

let folder: string;
const at = (name: string) => join(folder, name);
const json = async <T>(...words: string[]) =>
  jsonLines<T>(good(await bigvae([words[0]!, ...BASE, "--json", ...words.slice(1)])));

function good(finished: Finished): Finished {
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  return finished;
}

interface Mean {
  text: string;
  ids: number[];
  mean: number[];
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-base-"));
  await writeFile(at("lines.txt"), `${TEXTS.join("\n")}\n`);
});
afterAll(() => rm(folder, { recursive: true }));

describe("encode --pool mean", () => {
  it.each([
    [[], false],
    [["--causal"], true],
  ] as const)("with %j: the mean behind the beginning token", PATIENCE, async (more, isCausal) => {
    const means = await json<Mean>("encode", "--pool", "mean", ...more, ...TEXTS);
    const [base, tokenizer] = [await loadTinyBase(), await openTokenizer(`${tinyFolder}/base`)];
    expect(tokenizer.beginId).toBe(1);
    for (const [i, { text, ids, mean }] of means.entries()) {
      expect({ text, ids }).toEqual({ text: TEXTS[i], ids: tokenizer.encode(TEXTS[i]!) });
      const states = slowHiddenStates(base, [1, ...ids], (t, j) => !isCausal || j <= t).slice(1);
      expect(maxDifference(mean, meanOf(states))).toBeLessThan(1e-4);
    }
  });

  it("takes tokens as they are, of a model with adapters too", PATIENCE, async () => {
    const input = '{"ids": [1, 7, 9], "mask": [0, 1, 1]}\n';
    const pooled = ["encode", "--pool", "mean", "--ids"];
    const [alone, whole] = [await bigvae([...pooled, ...BASE], input), await bigvae([...pooled, ...TINY], input)];
    expect(jsonLines<Mean>(alone)[0]).toMatchObject({ ids: [1, 7, 9], line: 1 });
    const [a, b] = [alone, whole].map((finished) => jsonLines<Mean>(finished)[0]!.mean);
    expect(maxDifference(a!, b!)).toBeLessThan(1e-4);
  });

  it("writes files that similar searches", PATIENCE, async () => {
    await json("encode", "--pool", "mean", "--output", at("means.npy"), ...TEXTS);
    const found = await json<{ latent: number; similarity: number }>("similar", TEXTS[1]!, "--file", at("means.npy"));
    expect(found[0]).toEqual({ latent: 2, similarity: expect.closeTo(1, 4) });
    const { stdout } = good(await bigvae(["encode", ...BASE, "--pool", "mean", "one"]));
    expect(stdout).toMatch(/^one\n {2}mean: \[.* \.\.\.\] 64 values, norm \d/);
  });
});

it("similar compares means where there are no adapters, and where they are asked for", PATIENCE, async () => {
  const search = ["similar", TEXTS[2]!, "--file", at("lines.txt")];
  const found = await json<{ text: string; similarity: number }>(...search);
  expect(found[0]).toEqual({ text: TEXTS[2], line: 3, similarity: expect.closeTo(1, 4) });
  const asked = jsonLines<object>(good(await bigvae([...search, ...TINY, "--json", "--pool", "mean"])));
  expect(asked).toEqual(
    found.map(({ similarity, ...rest }) => ({ ...rest, similarity: expect.closeTo(similarity, 3) })),
  );
  expect(await json(...search, "--causal")).not.toEqual(found);
});

describe("generate --base", () => {
  const write = ["generate", "--base", "--prompt", "The river", "--steps", "3", "--span", "8"];

  it("goes on from a text, span by span, the same for a seed", PATIENCE, async () => {
    const lines = await json<{ span?: number; text: string; ids: number[]; original?: Mean }>(...write, "--ignore-eos");
    const [spans, whole] = [lines.slice(0, -1), lines.at(-1)!];
    expect(spans.map(({ span, ids }) => [span, ids.length])).toEqual([1, 2, 3].map((span) => [span, 8]));
    expect(whole.text).toBe(spans.map(({ text }) => text).join(""));
    expect(whole.ids).toEqual(spans.flatMap(({ ids }) => ids));
    expect(whole.original!.text.startsWith("The river")).toBe(true);
    expect(await json(...write, "--ignore-eos")).toEqual(lines);
    expect((await json<{ text: string }>(...write, "--ignore-eos", "--seed", "5")).at(-1)!.text).not.toBe(whole.text);
  });

  it("reads the context before the prompt, and is greedy at tau 0, as one long span", PATIENCE, async () => {
    const greedy = async (...words: string[]) =>
      (await json<{ text: string }>("generate", "--base", "--tau", "0", "--ignore-eos", ...words)).at(-1)!.text;
    const short = await greedy("--context", "The ", "--prompt", "river", "--steps", "4", "--span", "4");
    expect(await greedy("--prompt", "The river", "--steps", "1", "--span", "16")).toBe(short);
    const streamed = good(
      await bigvae([
        "generate",
        ...BASE,
        "--quiet",
        "--base",
        "--tau",
        "0",
        "--ignore-eos",
        "--prompt",
        "The river",
        "--steps",
        "4",
        "--span",
        "4",
      ]),
    );
    expect(streamed.stdout).toBe(`${short}\n`);
  });

  it("takes one prompt, a text", PATIENCE, async () => {
    const refused = async (...words: string[]) => (await bigvae(["generate", ...BASE, "--base", ...words])).stderr;
    expect(await refused("--prompt", "The", "--prompt", "river")).toMatch(
      /^bigvae: --prompt: expected one, .* got 2; /,
    );
    expect(await refused("--prompt", "@z.npy")).toMatch(/^bigvae: --prompt: expected a text, /);
  });
});

it("eval --base measures bits per byte and perplexity, eval --pool mean what is found", PATIENCE, async () => {
  const [report] = await json<Record<string, { value: number }>>(
    "eval",
    "--base",
    "--quiet",
    "--data",
    at("lines.txt"),
  );
  expect(report).toMatchObject({ texts: 3, cutTexts: 0, bytes: TEXTS.join("").length });
  expect(report!.perplexity!.value).toBeCloseTo(Math.exp(report!.loss!.value), 6);
  expect(report!.bitsPerByte!.value).toBeGreaterThan(0);
  const retrieval = ["eval", "--quiet", "--measure", "retrieval", "--span", "4", "--data", at("lines.txt")];
  const [found] = await json<{ spans: number }>(...retrieval, "--pool", "mean", "--causal");
  expect(found!.spans).toBeGreaterThan(2);
});

describe("what needs adapters says what a base is of use for", () => {
  it.each([
    ["encode", "x"],
    ["reconstruct", "x"],
    ["interpolate", "a", "b"],
    ["mix", "1:a"],
    ["generate", "--prompt", "x"],
    ["plan", "--terminal", "x"],
    ["task-vector", "x"],
    ["demo"],
    ["eval", "--measure", "arithmetic"],
  ])("%s %s", PATIENCE, async (command, ...words) => {
    const { code, stdout, stderr } = await bigvae([command!, ...BASE, ...words.filter((word) => word !== undefined)]);
    expect(stderr).toMatch(
      /^bigvae: --model .*base: expected adapters .*; a base alone takes encode --pool mean, similar, generate --base and eval --base\n$/,
    );
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("doctor too", PATIENCE, async () => {
    const { stdout } = await bigvae(["doctor", "--model", `${tinyFolder}/base`]);
    expect(stdout).toMatch(/base, without adapters\n +It takes encode --pool mean, similar, /);
  });
});
