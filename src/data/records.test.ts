import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { listInputs, readRecords } from "./records.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-records-"));
});
afterAll(() => rm(folder, { recursive: true }));

it("labels of a line are its strings, by their names", async () => {
  const path = join(folder, "labelled.jsonl");
  const lines = [
    { text: "one", factors: { who: "fox", age: 3, where: "mill" } },
    { text: "two", factors: { age: 3 } },
    { text: "three", factors: "fox" },
    { text: "four", factors: null },
    { text: "five" },
  ];
  await writeFile(path, lines.map((line) => JSON.stringify(line)).join("\n"));
  const records = [];
  for (const file of await listInputs([path]))
    for await (const { text, factors } of readRecords(file, "text", 0, { bytesRead: 0 }))
      records.push({ text, factors });
  expect(records).toEqual([
    { text: "one", factors: { who: "fox", where: "mill" } },
    { text: "two" },
    { text: "three" },
    { text: "four" },
    { text: "five" },
  ]);
});
