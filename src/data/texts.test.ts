import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { listInputs, type TextOptions } from "./inputs.js";
import { splitOf } from "./splits.js";
import { readTexts, type TextRecord } from "./texts.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-texts-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function write(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function records(path: string, options?: TextOptions): Promise<TextRecord[]> {
  const found: TextRecord[] = [];
  for (const file of (await listInputs([path])).files)
    for await (const record of readTexts(file, options)) found.push(record);
  return found;
}

const texts = async (path: string, options?: TextOptions) => (await records(path, options)).map(({ text }) => text);

describe("a text", () => {
  it.each([1, 70_000])(
    "is a line of .txt, however long the file is and whatever ends its lines (%d lines)",
    async (repeats) => {
      const lines = Array.from(
        { length: repeats },
        (_, i) => `The mill turns for the ${i}th time, and the river runs past it.`,
      );
      const path = await write("a.txt", `\ufeff${lines.join("\r\n\r\n \r\n")}\r\n`);
      const found = await records(path);
      expect(found.map(({ text }) => text)).toEqual(lines);
      expect(found.at(-1)!.line).toBe(3 * repeats - 2);
      expect(found[0]!.where).toBe(`${path}, line 1`);
    },
  );

  it("is a whole file where that is asked for", async () => {
    expect(await texts(await write("a.txt", "one\r\n\r\ntwo\n"), { whole: true })).toEqual(["one\n\ntwo"]);
    expect(await texts(await write("b.txt", " \n \n"), { whole: true })).toEqual([]);
  });

  it("is the named field of a record, in each form of records", async () => {
    const lines = '{"body":"one"}\n\n{"body":" "}\n{"body":"two"}\n';
    const found = await records(await write("a.jsonl", lines), { field: "body" });
    expect(found.map(({ text, line }) => [text, line])).toEqual([
      ["one", 1],
      ["two", 4],
    ]);
    expect(await texts(await write("a.jsonl.gz", gzipSync(lines)), { field: "body" })).toEqual(["one", "two"]);
    expect((await texts("test/fixtures/parquet/texts.parquet", { field: "split" })).slice(0, 2)).toEqual([
      "validation",
      "train",
    ]);
  });

  it("that is missing is refused with the fields there are", async () => {
    const path = await write("a.jsonl", '{"body":"one","id":1}\n');
    await expect(records(path)).rejects.toMatchObject({
      kind: "format",
      message: `${path}, line 1: expected a text in the field "text", got the fields "body", "id"; name the field that holds it by \`field\``,
    });
    expect(await texts(path, { field: "body" })).toEqual(["one"]);
  });

  it("that is not UTF-8 is refused, in .txt, .jsonl and .parquet", async () => {
    const latin = Buffer.from('{"text":"caf\xe9"}\n', "latin1");
    for (const path of [await write("a.txt", latin), await write("a.jsonl", latin)])
      await expect(records(path)).rejects.toMatchObject({
        kind: "format",
        message: expect.stringMatching(/near line 1: expected UTF-8, got other bytes/),
      });
    await expect(records("test/fixtures/parquet/not-utf8.parquet")).rejects.toMatchObject({
      kind: "format",
      message: expect.stringMatching(/not-utf8\.parquet, row 1: expected UTF-8 in the column "text", got other bytes/),
    });
    await expect(records(await write("b.jsonl", '{"text":"\\ud800"}'))).rejects.toMatchObject({ kind: "format" });
  });
});

describe("a Parquet file that is sound and not read is unsupported, by name", () => {
  const parquet = async () => new Uint8Array(await readFile("test/fixtures/parquet/texts.parquet"));

  it("for its codec", async () => {
    const bytes = await parquet();
    // In the metadata of each column: field codec (i32) ZSTD, then field num_values (i64).
    const [zstd, lzo] = [6 << 1, 3 << 1];
    let columns = 0;
    for (let at = 0; at < bytes.length - 2; at++)
      if (bytes[at] === 0x15 && bytes[at + 1] === zstd && bytes[at + 2] === 0x16) {
        bytes[at + 1] = lzo;
        columns++;
      }
    expect(columns).toBe(3 * 4);
    await expect(records(await write("lzo.parquet", bytes))).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(
        /lzo\.parquet: .*, got parquet unsupported compression codec: LZO; write it again, /,
      ),
    });
  });

  it("for its encryption", async () => {
    const bytes = await parquet();
    bytes.set(new TextEncoder().encode("PARE"), bytes.length - 4);
    await expect(records(await write("secret.parquet", bytes))).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/secret\.parquet: .*, got an encrypted one; /),
    });
  });

  it("and a damaged one is malformed", async () => {
    const bytes = (await parquet()).subarray(200);
    await expect(records(await write("cut.parquet", bytes))).rejects.toMatchObject({ kind: "format" });
  });
});

it("a line beyond all measure is unsupported", async () => {
  const path = await write("long.txt", new Uint8Array(2 ** 26 + 2 ** 18).fill(0x61));
  for (const whole of [false, true])
    await expect(texts(path, { whole })).rejects.toMatchObject({
      kind: "unsupported",
      message: expect.stringMatching(/long\.txt, line 1: expected at most 2\^26 characters, got more/),
    });
});

it("an id beyond 2^53 gives the split of all its digits, as a row of Parquet with that id does", async () => {
  const ids = ["9007199254740993", "-9223372036854775807", "18446744073709551615"];
  const lines = ids.map(
    (id) => `{"text":"1234567890123456789 \\" 0.1234567890123456789","x":0.1234567890123456789,"id":${id}}`,
  );
  const found = await records(await write("a.jsonl", lines.join("\n")));
  expect(found.map(({ id }) => id)).toEqual(ids);
  expect(found.map(splitOf)).toEqual(ids.map((id) => splitOf({ text: "", id: String(BigInt(id)) })));
  expect(found[0]!.text).toBe('1234567890123456789 " 0.1234567890123456789');
  const small = await records(
    await write("b.jsonl", '{"text":"x","id":7}\n{"text":"x","id":1.5}\n{"text":"x","id":"7a"}'),
  );
  expect(small.map(({ id }) => id)).toEqual(["7", "1.5", "7a"]);
});

it("labels of a line are its strings, by their names", async () => {
  const lines = [
    { text: "one", factors: { who: "fox", age: 3, where: "mill" } },
    { text: "two", factors: { age: 3 } },
    { text: "three", factors: "fox" },
    { text: "four", factors: null },
    { text: "five" },
  ];
  const path = await write("labelled.jsonl", lines.map((line) => JSON.stringify(line)).join("\n"));
  const found = (await records(path)).map(({ text, factors }) => ({ text, factors }));
  expect(found).toEqual([
    { text: "one", factors: { who: "fox", where: "mill" } },
    { text: "two" },
    { text: "three" },
    { text: "four" },
    { text: "five" },
  ]);
});

describe("a folder", () => {
  it("is read with what links in it lead to, each folder once, and says what it leaves out", async () => {
    const blobs = join(folder, "blobs");
    const snapshot = join(folder, "snapshots", "main");
    const elsewhere = join(folder, "elsewhere");
    for (const path of [blobs, snapshot, elsewhere]) await mkdir(path, { recursive: true });
    await writeFile(join(blobs, "4f2a"), "linked\n");
    await writeFile(join(elsewhere, "b.txt"), "below\n");
    await writeFile(join(snapshot, "notes.md"), "no");
    await writeFile(join(snapshot, "README.md"), "no");
    await writeFile(join(snapshot, "LICENSE"), "no");
    await symlink(join(blobs, "4f2a"), join(snapshot, "a.txt"));
    await symlink(elsewhere, join(snapshot, "data"));
    await symlink(snapshot, join(elsewhere, "up"));
    await symlink(join(folder, "nowhere"), join(snapshot, "c.txt"));
    const { files, leftOut } = await listInputs([snapshot]);
    expect(files.map(({ path }) => path.slice(snapshot.length + 1))).toEqual(["a.txt", join("data", "b.txt")]);
    expect(files.map(({ sizeBytes }) => sizeBytes)).toEqual([7, 6]);
    expect(leftOut).toBe("2 .md, 1 folder that was read already, 1 link to nothing, 1 without ending");
    expect(await texts(snapshot)).toEqual(["linked", "below"]);
  });

  it("of which all is read says nothing; one of which nothing is read is refused with what it holds", async () => {
    await write("a.txt", "one");
    expect(await listInputs([folder])).not.toHaveProperty("leftOut");
    await rm(join(folder, "a.txt"));
    await write("a.csv", "a,b");
    await expect(listInputs([folder])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/got 1 \.csv;/),
    });
    await expect(listInputs([join(folder, "a.csv")])).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/got \.csv;/),
    });
  });
});
