/** Texts by line: decoded, numbered and refused alike, whatever they come from; text that is written stands alone. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tinyFolder } from "../parity/reference.js";
import { bigvae, jsonLines, MAIN, TINY } from "./run.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-input-"));
});
afterAll(() => rm(folder, { recursive: true }));

const file = async (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
};

it("lines keep their numbers, and a byte order mark is none of the text", async () => {
  const path = await file("mark.txt", "\ufeffone\r\n\n \ntwo\n");
  for (const command of ["encode", "reconstruct"]) {
    const lines = jsonLines(await bigvae([command, ...TINY, "--json", "--file", path]));
    expect(lines).toMatchObject([
      { text: "one", line: 1 },
      { text: "two", line: 4 },
    ]);
  }
  expect(jsonLines<object>(await bigvae(["encode", ...TINY, "--json", "one"]))[0]).not.toHaveProperty("line");
});

it("a task file may begin with a byte order mark", async () => {
  const path = await file("task.json", '\ufeff["one", "two"]');
  const [found] = jsonLines(await bigvae(["task-vector", ...TINY, "--json", `@${path}`]));
  expect(found).toMatchObject({ texts: ["one", "two"], longerThanSpan: false });
});

it("of examples longer than the span, a sampler says which part counts", async () => {
  const path = await file("long.json", JSON.stringify(["word ".repeat(20), "short"]));
  const sampler = ["generate", ...TINY, "--json", "--sampler", "task", "--prompt", "x", "--steps", "1", "--span", "8"];
  const finished = await bigvae([...sampler, "--task", `@${path}`]);
  expect(finished.stderr).toBe("bigvae: of a text longer than the span, its first 8 tokens count\n");
  expect(jsonLines(finished)).toMatchObject([{ span: 1 }, { longerThanSpan: true }]);
});

const LATIN_1 = Buffer.from("one\ntwo\ncaf\xe9\n", "latin1");
const UTF_16 = Buffer.from("\ufeffone\n", "utf16le");
const REFUSED: [string, string | Uint8Array, string[], number, RegExp][] = [
  ["Latin-1", LATIN_1, ["encode", "--file"], 4, /got-3\.txt, near line 3: expected UTF-8, got other bytes; convert/],
  ["UTF-16", UTF_16, ["similar", "x", "--file"], 4, /near line 1: expected UTF-8, got other bytes/],
  ["a task in UTF-16", UTF_16, ["task-vector", "@"], 4, /near line 1: expected UTF-8, got other bytes/],
  ["an empty file", "", ["reconstruct", "--file"], 2, /at least one text, got none/],
  ["blank lines only", "\n \n", ["similar", "x", "--file"], 2, /at least one text, got none/],
  [
    "a line beyond the window",
    `${"x\n".repeat(70)}\n${"word ".repeat(5000)}\n`,
    ["similar", "x", "--file"],
    2,
    /got-3\.txt, line 72: expected at most \d+ tokens/,
  ],
  [
    "tokens that are none",
    '{"ids":[1]}\n\n{"ids":[1.5]}\n',
    ["encode", "--ids", "--file"],
    2,
    /got-3\.txt, line 3: expected \{"ids"/,
  ],
  ["a field that is not there", '{"body":"x"}\n', ["encode", "--file"], 4, /got-3\.jsonl, line 1: .* by --field\n$/],
  [
    "a file of another kind",
    "one\n",
    ["encode", "--file"],
    2,
    /got-3\.md: expected a file of \.txt, .*, got \.md; convert/,
  ],
  ["another mask", '{"ids":[1,2],"mask":[1,2]}\n', ["encode", "--ids", "--file"], 2, /line 1: .*mask of 0 and 1/],
];

const ENDINGS: Record<string, string> = {
  "a task in UTF-16": "json",
  "a field that is not there": "jsonl",
  "a file of another kind": "md",
};

it.each(REFUSED)("%s is refused", async (what, content, words, code, message) => {
  const path = await file(`got-3.${ENDINGS[what] ?? "txt"}`, content);
  const flags = words.at(-1) === "@" ? [`@${path}`] : [...words.slice(1), path];
  const finished = await bigvae([words[0]!, ...TINY, "--json", ...flags]);
  expect(finished.stderr).toMatch(message);
  expect(finished.stderr).toMatch(/^bigvae: [^\n]+\n$/);
  expect(finished).toMatchObject({ code, stdout: "" });
});

describe("texts of a file", () => {
  const texts = async (words: readonly string[], input = "") =>
    jsonLines<{ text: string; line: number }>(await bigvae([words[0]!, ...TINY, "--json", ...words.slice(1)], input));

  it("are the same whatever form they lie in, in every command that takes them", { timeout: 180_000 }, async () => {
    const plain = await file("forms.txt", "one\r\n\r\ntwo\r\n");
    const records = '{"body":"one"}\n \n{"body":"two"}\n';
    const packed = await file("forms.jsonl.gz", gzipSync(records));
    const open = await file("forms.jsonl", records);
    const wanted = [
      { text: "one", line: 1 },
      { text: "two", line: 3 },
    ];
    expect(await texts(["encode", "--file", open, "--field", "body"])).toMatchObject(wanted);
    expect(await texts(["encode", "--field", "body"], records)).toMatchObject(wanted);
    expect(await texts(["reconstruct", "--file", plain])).toMatchObject(wanted);
    const found = await texts(["similar", "one", "--file", packed, "--field", "body"]);
    expect(found.sort((a, b) => a.line - b.line)).toMatchObject(wanted);
    const report = await texts(["eval", "--measure", "sentences", "--data", packed, "--field", "body"]);
    expect(report).toMatchObject([{ sentences: 2 }]);
  });

  it("may be one text a file", { timeout: 180_000 }, async () => {
    const path = await file("whole.txt", "one\r\n\r\ntwo\r\n");
    for (const words of [
      ["encode", "--file", path],
      ["reconstruct", "--file", path],
      ["similar", "one", "--file", path],
    ])
      expect(await texts([...words, "--whole"])).toMatchObject([{ text: "one\n\ntwo", line: 1 }]);
    expect(await texts(["encode", "--whole"], "one\ntwo\n")).toMatchObject([{ text: "one\ntwo" }]);
    const rows = ["--tokenizer", `${tinyFolder}/base`, "--output", join(folder, "whole-rows"), "--json"];
    expect(jsonLines(await bigvae(["data", "prepare", path, "--whole", ...rows]))).toMatchObject([{ records: 1 }]);
  });

  it("that are left out of a folder are counted, once", { timeout: 180_000 }, async () => {
    const inputs = join(folder, "mixed");
    await mkdir(inputs);
    await writeFile(join(inputs, "a.txt"), "The fox ran.\nThe owl slept.\n");
    await writeFile(join(inputs, "notes.md"), "no");
    const said = "bigvae: left out: 1 .md; texts are read from .txt, .jsonl, .jsonl.gz, .parquet\n";
    const tokenizer = join(folder, "mixed.json");
    const { stderr } = await bigvae(["data", "tokenizer", inputs, "--output", tokenizer, "--vocab-size", "258"]);
    expect(stderr).toBe(said);
    const rows = ["--tokenizer", tokenizer, "--output", join(folder, "mixed-rows")];
    expect((await bigvae(["data", "prepare", inputs, ...rows])).stderr.split("\n")[0]).toBe(said.trim());
    expect((await bigvae(["eval", ...TINY, "--measure", "blends", "--data", inputs, "--quiet"])).stderr).not.toContain(
      "left out",
    );
  });
});

it("nothing on standard input is no success", async () => {
  const { code, stderr } = await bigvae(["encode", ...TINY]);
  expect(stderr).toBe("bigvae: standard input: expected at least one text, got none; write a text on each line\n");
  expect(code).toBe(2);
});

it("text stands alone on standard output; where its spans came from, beside it", async () => {
  const guide = [
    "generate",
    ...TINY,
    "--sampler",
    "guide",
    "--prompt",
    "The river ran.",
    "--span",
    "8",
    "--steps",
    "2",
  ];
  const trace = join(folder, "trace");
  const shown = await bigvae([...guide, "--trace", trace]);
  const [first, second, whole] = jsonLines<{ text: string }>(await bigvae([...guide, "--json"]));
  expect(shown.stdout.trim().length).toBeGreaterThan(0);
  expect(shown.stdout).toBe(`${first!.text}${second!.text}\n`);
  expect(shown.stdout).toBe(`${whole!.text}\n`);
  expect(shown.stderr).toMatch(/^ {2}\[span 1: z of norm .*\]\n {2}\[span 2: .*\]\n$/);
  const replayed = await bigvae(["generate", ...TINY, "--replay", trace, "--quiet"]);
  expect(replayed).toEqual({ code: 0, stdout: shown.stdout, stderr: "" });
});

it("Ctrl-C gives the spans that were written, and says so in the command's words", { timeout: 180_000 }, async () => {
  const words = ["--sampler", "avg", "--prompt", "x", "--span", "16", "--n-avg", "16", "--steps", "200"];
  const after = async (ms: number) => {
    const child = spawn(process.execPath, [MAIN, "generate", ...TINY, "--json", ...words]);
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].on("data", (chunk) => {
        text[name] += chunk;
      });
    const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
    await setTimeout(ms);
    child.kill("SIGINT");
    return { code: await closed, ...text };
  };
  // Nothing tells when the first span is written: a slow machine gets more time.
  let finished = await after(3000);
  for (let ms = 6000; finished.stdout === "" && ms <= 48_000; ms *= 2) finished = await after(ms);
  expect(finished).toMatchObject({ code: 130, stderr: "bigvae: stopped before the end\n" });
  const lines = jsonLines<{ text: string }>(finished);
  const written = lines
    .slice(0, -1)
    .map(({ text }) => text)
    .join("");
  expect(written).not.toBe("");
  expect(lines.at(-1)).toMatchObject({ text: written, error: "stopped before the end" });
});

it("data of no text is refused, and nothing is written", async () => {
  const path = await file("empty.txt", "");
  const output = join(folder, "rows");
  const tokenizer = ["--tokenizer", `${tinyFolder}/base`];
  for (const words of [
    ["prepare", path, ...tokenizer, "--output", output],
    ["tokenizer", path, "--output", output],
  ]) {
    const { code, stderr } = await bigvae(["data", ...words]);
    expect(stderr).toMatch(/^bigvae: .*empty\.txt: expected at least one text, got none; [^\n]*\n$/);
    expect(code).toBe(2);
  }
  expect(await readdir(folder)).not.toContain("rows");
});
