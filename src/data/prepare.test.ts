import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BigVaeError } from "../errors.js";
import { lockFolder } from "../formats/lock.js";
import { openSafetensors } from "../formats/safetensorsFiles.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { type PrepareOptions, prepare } from "./prepare.js";
import { Shards } from "./shards.js";

/** A token a byte, the end token 256. */
const tokenizer = {
  vocabSize: 257,
  eosId: 256,
  encode: (text: string) => [...new TextEncoder().encode(text)],
  toJson: () => ({ model: "bytes" }),
} as unknown as Tokenizer;

let folder: string;
let output: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-data-"));
  output = join(folder, "out");
});
afterEach(() => rm(folder, { recursive: true }));

const options = (more: Partial<PrepareOptions> = {}): PrepareOptions => ({
  inputs: [join(folder, "in")],
  tokenizer,
  output,
  length: 16,
  rowsPerShard: 4,
  ...more,
});

async function input(name: string, content: string | Uint8Array) {
  await mkdir(join(folder, "in"), { recursive: true });
  await writeFile(join(folder, "in", name), content);
}

function jsonLines(texts: string[], split?: string): string {
  return texts.map((text, i) => `${JSON.stringify({ id: `t${i}`, text, split })}\n`).join("");
}

/** All texts of a split, read back from its rows. */
async function readTexts(split: "train" | "validation" | "test", columns = 16): Promise<string[]> {
  const shards = await Shards.open(output, split);
  const bytes: number[] = [];
  for (let i = 0; i < shards.rowCount(columns); i++) {
    const { inputIds, attentionMask } = await shards.row(i, columns);
    bytes.push(...inputIds.filter((_, at) => attentionMask[at] === 1));
  }
  await shards.close();
  const texts: string[] = [];
  for (let begin = 0, end = bytes.indexOf(256); end >= 0; begin = end + 1, end = bytes.indexOf(256, begin))
    texts.push(new TextDecoder().decode(Uint8Array.from(bytes.slice(begin, end))));
  return texts;
}

const poem = Array.from({ length: 40 }, (_, i) => `Verse ${i}: ${"la ".repeat(i % 7)}\u2028é.`);

describe("prepare", () => {
  it("packs texts with end tokens into shards of rows and pads the last row", async () => {
    await input("a.jsonl", jsonLines(poem, "train"));
    const seen: number[] = [];
    const summary = await prepare(options({ onProgress: ({ bytesDone }) => seen.push(bytesDone) }));
    expect(await readTexts("train")).toEqual(poem);
    const tokens = poem.reduce((sum, text) => sum + tokenizer.encode(text).length + 1, 0);
    expect(summary).toMatchObject({ records: 40, resumed: false, tokens: { train: tokens, validation: 0, test: 0 } });
    expect(summary.rows.train).toBe(Math.ceil(tokens / 16));
    expect(seen.at(-1)).toBe((await readFile(join(folder, "in", "a.jsonl"))).length);
    const shard = await openSafetensors(join(output, "train-00000.safetensors"));
    expect(shard.info("input_ids")).toMatchObject({ dtype: "I32", shape: [4, 16] });
    expect(shard.info("attention_mask")).toMatchObject({ dtype: "I32", shape: [4, 16] });
    await shard.close();
  });

  it("lists every shard's sha256 in manifest.json", async () => {
    await input("a.jsonl", jsonLines(poem, "test"));
    await prepare(options());
    const { splits } = JSON.parse(await readFile(join(output, "manifest.json"), "utf8"));
    expect(splits.test.shards.length).toBeGreaterThan(5);
    for (const { name, sha256 } of splits.test.shards) {
      const bytes = await readFile(join(output, name));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
    }
  });

  it("takes .txt, .jsonl.gz and .parquet, in the order of their names", async () => {
    await input("a.txt", "One text,\r\n\r\nand another.\r\n");
    await input("b.jsonl.gz", gzipSync('{"body":"no"}\n'.replace("body", "text")));
    await input("c.md", "not read");
    const parquet = "test/fixtures/parquet/texts.parquet";
    const leftOut: string[] = [];
    const inputs = [join(folder, "in"), parquet];
    const summary = await prepare(options({ inputs, onLeftOut: (what) => leftOut.push(what) }));
    expect(leftOut).toEqual(["1 .md"]);
    expect(summary.records).toBe(28);
    const texts = (await Promise.all((["train", "validation", "test"] as const).map((s) => readTexts(s)))).flat();
    expect(texts).toHaveLength(28);
    expect(texts).toEqual(expect.arrayContaining(["One text,", "and another."]));
    expect((await readTexts("validation")).filter((text) => text.startsWith("Row"))).toHaveLength(5);
    expect(texts).toContain("Row 24: the tide comes in, é, and goes out.");
  });

  it("takes a .txt as one text, and blank texts not at all", async () => {
    await input("a.txt", "One text\r\n\r\nin one file.\r\n");
    await input("b.jsonl", jsonLines([" ", "two", "\n"], "train"));
    expect((await prepare(options({ whole: true }))).records).toBe(2);
    const texts = (await Promise.all((["train", "validation", "test"] as const).map((s) => readTexts(s)))).flat();
    expect(texts.sort()).toEqual(["One text\n\nin one file.", "two"]);
    await expect(prepare(options())).rejects.toThrow(/expected whole true as it was begun with, got none/);
  });

  it("splits by the hash of the id, or of the text", async () => {
    const lines = Array.from({ length: 2000 }, (_, i) => JSON.stringify({ text: `text ${i}` }));
    await input("a.jsonl", lines.join("\n"));
    await prepare(options({ rowsPerShard: 1000 }));
    const [validation, test] = [await readTexts("validation"), await readTexts("test")];
    for (const [texts, low] of [
      [validation, 0],
      [test, 2],
    ] as const) {
      expect(texts.length).toBeGreaterThan(20);
      for (const text of texts) {
        const h = Number.parseInt(createHash("sha256").update(text).digest("hex").slice(0, 8), 16) % 100;
        expect([low, low + 1]).toContain(h);
      }
    }
  });

  it("goes on after an abort at any record and gives the same files", async () => {
    await input("a.jsonl", jsonLines(poem));
    await input(
      "b.jsonl.gz",
      gzipSync(
        jsonLines(
          poem.map((text) => `b ${text}`),
          "dev",
        ),
      ),
    );
    await prepare(options({ output: join(folder, "straight") }));
    for (const stopAfter of [1, 13, 40, 41, 70]) {
      const target = join(folder, `stopped-${stopAfter}`);
      let encoded = 0;
      const controller = new AbortController();
      const encode = (text: string) => {
        if (++encoded === stopAfter) controller.abort();
        return tokenizer.encode(text);
      };
      const stopped = prepare(
        options({ output: target, tokenizer: { ...tokenizer, encode }, signal: controller.signal }),
      );
      await expect(stopped).rejects.toMatchObject({ kind: "aborted" });
      expect(existsSync(join(target, ".lock"))).toBe(false);
      await prepare(options({ output: target }));
      const names = await readdir(join(folder, "straight"));
      expect(await readdir(target)).toEqual(names);
      for (const name of names)
        expect(await readFile(join(target, name))).toEqual(await readFile(join(folder, "straight", name)));
    }
  });

  it("does not go on where another version has begun", async () => {
    await input("a.txt", `${poem.join("\n")}\n`);
    const controller = new AbortController();
    const encode = (text: string) => {
      if (existsSync(join(output, "train-00000.safetensors"))) controller.abort();
      return tokenizer.encode(text);
    };
    const stopped = prepare(options({ tokenizer: { ...tokenizer, encode }, signal: controller.signal }));
    await expect(stopped).rejects.toMatchObject({ kind: "aborted" });
    const path = join(output, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    const withVersion = (version: unknown) => writeFile(path, JSON.stringify({ ...manifest, version }));
    expect(manifest.complete).toBe(false);
    for (const [version, got] of [
      [1, "version 1, unfinished"],
      [3, "version 3, unfinished"],
    ] as const) {
      await withVersion(version);
      const message = `${path}: expected a manifest of version 2, got ${got}; delete the folder and prepare the data again`;
      await expect(prepare(options())).rejects.toMatchObject({ kind: "unsupported", message });
    }
    await withVersion("1");
    await expect(prepare(options())).rejects.toMatchObject({ kind: "format" });
    await withVersion(2);
    expect(await prepare(options())).toMatchObject({ records: 40, resumed: true });
  });

  it("takes finished rows of version 1, and none of a later one", async () => {
    await input("a.jsonl", jsonLines(poem));
    const first = await prepare(options());
    const path = join(output, "manifest.json");
    const manifest = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...manifest, version: 1 }));
    expect(await prepare(options())).toEqual({ ...first, resumed: true });
    await writeFile(path, JSON.stringify({ ...manifest, version: 3 }));
    await expect(prepare(options())).rejects.toMatchObject({ kind: "unsupported" });
  });

  it("only reports when all is done", async () => {
    await input("a.jsonl", jsonLines(poem));
    const first = await prepare(options());
    const again = await prepare(options({ tokenizer: { ...tokenizer, encode: () => expect.unreachable() } }));
    expect(again).toEqual({ ...first, resumed: true });
  });

  it("refuses another tokenizer, length or input than the folder was begun with", async () => {
    await input("a.jsonl", jsonLines(poem));
    await prepare(options());
    await expect(prepare(options({ length: 32 }))).rejects.toThrow(/expected length 16 as it was begun with, got 32/);
    const other = { ...tokenizer, toJson: () => ({ model: "other" }) };
    await expect(prepare(options({ tokenizer: other }))).rejects.toThrow(
      /expected tokenizerSha256 .* as it was begun with/,
    );
    await input("b.jsonl", jsonLines(["more"]));
    await expect(prepare(options())).rejects.toMatchObject({ kind: "mismatch" });
  });

  it("refuses a second writer by its PID", async () => {
    await input("a.jsonl", jsonLines(poem));
    await mkdir(output);
    const lock = await lockFolder(output);
    await expect(prepare(options())).rejects.toThrow(`a lock of process ${process.pid};`);
    await lock.release();
    await prepare(options());
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ["a.jsonl", '{"text":"ok"}\n\n{"text":\n', /a\.jsonl, line 3: expected JSON/],
    [
      "a.jsonl",
      '{"text":"ok"}\n{"body":"x"}\n',
      /a\.jsonl, line 2: expected a text in the field "text", got the fields "body"/,
    ],
    ["a.jsonl", '{"text":"x","split":"holdout"}', /split of a text: expected train, .*, got "holdout"/],
    ["a.jsonl", Uint8Array.of(0x7b, 0xff), /near line 1: expected UTF-8, got other bytes/],
    ["a.jsonl.gz", gzipSync(jsonLines(poem)).subarray(0, 60), /a\.jsonl\.gz/],
    ["a.parquet", "PAR1 no", /a\.parquet: expected a readable Parquet file, got/],
    ["a.txt", Uint8Array.of(0xff, 0xfe), /expected UTF-8, got other bytes/],
    ["a.csv", "a,b", /got 1 \.csv/],
  ])("refuses a malformed %s", async (name, content, message) => {
    await input(name, content);
    await expect(prepare(options())).rejects.toThrow(message);
    await expect(prepare(options())).rejects.toMatchObject({ name: "BigVaeError" });
  });

  it("names file and line of a text that the tokenizer cannot say", async () => {
    await input("a.jsonl", jsonLines(["one", "two\u0004", "three"]));
    const encode = (text: string) => {
      if (text.includes("\u0004"))
        throw new BigVaeError("mismatch", {
          subject: "tokenizer",
          expected: "a token",
          got: "none",
          remedy: "leave it out",
        });
      return tokenizer.encode(text);
    };
    const failing = prepare(options({ tokenizer: { ...tokenizer, encode } }));
    await expect(failing).rejects.toThrow(/a\.jsonl, line 2, tokenizer: expected a token, got none/);
  });

  it("refuses a tokenizer without end token and a folder whose shard was cut short", async () => {
    await input("a.jsonl", jsonLines(poem));
    await expect(prepare(options({ tokenizer: { ...tokenizer, eosId: undefined } }))).rejects.toThrow(
      /an end token \(eos_token\), got none/,
    );
    await prepare(options());
    await writeFile(join(output, "train-00001.safetensors"), "");
    await expect(prepare(options())).rejects.toThrow(/train-00001\.safetensors: expected \d+ bytes, got 0;/);
  });
});
