import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { writeSafetensors } from "../formats/safetensorsFiles.js";
import type { Tokenizer } from "../tokenizer/tokenizer.js";
import { prepare } from "./prepare.js";
import { Shards } from "./shards.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-shards-"));
});
afterEach(() => rm(folder, { recursive: true }));

const count = (begin: number, length: number) => Array.from({ length }, (_, i) => begin + i);

it("reads a foreign folder as train, rows cut to the columns asked for", async () => {
  const ids = BigInt64Array.from(count(0, 30), BigInt);
  await writeSafetensors(
    join(folder, "a.safetensors"),
    new Map([["input_ids", { dtype: "I64", shape: [3, 10], data: ids }]]),
  );
  const more = Int32Array.from(count(30, 7));
  await writeSafetensors(
    join(folder, "b.safetensors"),
    new Map([
      ["input_ids", { dtype: "I32", shape: [1, 7], data: more }],
      ["attention_mask", { dtype: "I32", shape: [1, 7], data: new Int32Array(7).fill(1, 1) }],
    ]),
  );
  const shards = await Shards.open(folder, "train");
  expect([1, 4, 7, 10, 11].map((columns) => shards.rowCount(columns))).toEqual([37, 7, 4, 3, 0]);
  const rows = await Promise.all(count(0, 7).map((i) => shards.row(i, 4)));
  expect(rows.map(({ inputIds }) => [...inputIds])).toEqual([0, 4, 10, 14, 20, 24, 30].map((begin) => count(begin, 4)));
  expect([...rows[6]!.attentionMask]).toEqual([0, 1, 1, 1]);
  await expect(shards.row(7, 4)).rejects.toThrow(/a number below 7, .*, got 7;/);
  expect(() => shards.rowCount(0)).toThrow(/a whole number of columns, at least 1, got 0/);
  expect((await Shards.open(folder, "validation")).rowCount(4)).toBe(0);
  await shards.close();
});

it("begins rows at a token where the stored row goes on long enough", async () => {
  const ids = Int32Array.of(1, 2, 9, 3, 4, 5, 9, 6, 7, 8, 2, 1);
  const data = new Map([["input_ids", { dtype: "I32", shape: [1, 12], data: ids }]] as const);
  await writeSafetensors(join(folder, "a.safetensors"), data);
  const shards = await Shards.open(folder, "train");
  const rows = async (columns: number) => {
    const read = await Promise.all(count(0, shards.rowCount(columns)).map((i) => shards.row(i, columns, 9)));
    return read.map(({ inputIds }) => [...inputIds]);
  };
  expect(await rows(4)).toEqual([
    [9, 3, 4, 5],
    [9, 6, 7, 8],
    [7, 8, 2, 1],
  ]);
  expect(await rows(7)).toEqual([[9, 3, 4, 5, 9, 6, 7]]);
  expect(await rows(12)).toEqual([[...ids]]);
  await shards.close();
});

it("drops pieces of the last row that are padding only", async () => {
  const tokenizer = { eosId: 9, encode: () => [1, 2, 3, 4, 5], toJson: () => ({}) } as unknown as Tokenizer;
  await writeSafetensors(join(folder, "x.safetensors"), new Map());
  const input = join(folder, "a.jsonl");
  await (await import("node:fs/promises")).writeFile(input, '{"text":"x","split":"test"}\n'.repeat(3));
  await prepare({ inputs: [input], tokenizer, output: join(folder, "out"), length: 16 });
  const shards = await Shards.open(join(folder, "out"), "test");
  expect([16, 8, 4, 2, 1].map((columns) => shards.rowCount(columns))).toEqual([2, 3, 5, 9, 18]);
  const full = await Promise.all(
    [16, 8, 4, 2, 1].map(async (columns) => (await shards.rowsWith(columns, columns)).length),
  );
  expect(full).toEqual([1, 2, 4, 9, 18]);
  expect([...(await shards.row(8, 2)).inputIds]).toEqual([5, 9]);
  // Padding is the end token: no row begins there.
  expect([...(await shards.row(8, 2, 9)).inputIds]).toEqual([5, 9]);
  await shards.close();
});

it("keeps few shards open, whatever the number of readers", async () => {
  for (const i of count(0, 40)) {
    const data = Int32Array.from(count(4 * i, 4));
    await writeSafetensors(
      join(folder, `s-${String(i).padStart(2, "0")}.safetensors`),
      new Map([["input_ids", { dtype: "I32", shape: [1, 4], data }]]),
    );
  }
  const shards = await Shards.open(folder, "train");
  const rows = await Promise.all(count(0, 400).map((i) => shards.row((i * 7) % 40, 4)));
  for (const [i, { inputIds }] of rows.entries()) expect([...inputIds]).toEqual(count(4 * ((i * 7) % 40), 4));
  await shards.close();
});

it("refuses folders without rows of ids", async () => {
  await expect(Shards.open(folder, "train")).rejects.toThrow(/expected manifest\.json or \*\.safetensors, got neither/);
  await expect(Shards.open(join(folder, "none"), "train")).rejects.toMatchObject({ kind: "format" });
  const data = new Float32Array(4);
  await writeSafetensors(
    join(folder, "a.safetensors"),
    new Map([["input_ids", { dtype: "F32", shape: [1, 4], data }]]),
  );
  await expect(Shards.open(folder, "train")).rejects.toMatchObject({
    kind: "unsupported",
    message: expect.stringMatching(/expected input_ids and attention_mask of I32 or I64, got F32; /),
  });
  const flat = { dtype: "I32", shape: [4], data: new Int32Array(4) } as const;
  await writeSafetensors(join(folder, "a.safetensors"), new Map([["input_ids", flat]]));
  await expect(Shards.open(folder, "train")).rejects.toMatchObject({
    kind: "format",
    message: expect.stringMatching(/expected input_ids, .*, got something else/),
  });
});

it("counts the tokens of rows, wherever another program has put its padding", async () => {
  const mask = Int32Array.of(0, 0, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1);
  const padded = new Map([
    ["input_ids", { dtype: "I32", shape: [2, 8], data: Int32Array.from(count(0, 16)) }],
    ["attention_mask", { dtype: "I32", shape: [2, 8], data: mask }],
  ] as const);
  await writeSafetensors(join(folder, "a.safetensors"), padded);
  const shards = await Shards.open(folder, "train");
  const kept = async (minTokens: number, columns: number) => [...(await shards.rowsWith(minTokens, columns))];
  expect(await kept(1, 4)).toEqual([0, 1, 3]);
  expect(await kept(2, 4)).toEqual([1]);
  expect(await kept(5, 8)).toEqual([0]);
  expect(await kept(6, 8)).toEqual([]);
  await shards.close();
});
