/** Damage that SQLite itself does not tell: of a log, of notes, of what a repair reads. */
import fs from "node:fs";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { openDatabase } from "../../src/formats/database.js";
import { KIND } from "../../src/memory/folder/schema.js";
import { openMemory, repairMemory } from "../../src/memory/index.js";
import { inFolder, killedMemory, recordsOf, SPACE } from "./make.js";

const FRAME = 24 + 4096;

/** Changes a byte of a file. */
async function flip(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at]! ^= 4;
  await writeFile(path, bytes);
}

/** Where the frames of a log are that end a change. SQLite repeats one to fill a sector: the first of them counts. */
async function commitsOf(log: string): Promise<number[]> {
  const bytes = await readFile(log);
  const starts = Array.from({ length: Math.floor((bytes.length - 32) / FRAME) }, (_, i) => 32 + i * FRAME);
  const pageAt = (at: number) => bytes.subarray(at + 24, at + FRAME);
  return starts.filter((at) => bytes.readUInt32BE(at + 4) > 0 && !pageAt(at).equals(pageAt(at - FRAME)));
}

it.each([
  ["the header", () => 5],
  ["a page", (commits: number[]) => commits.at(-3)! + 100],
  ["a salt", (commits: number[]) => commits.at(-3)! + 9],
  ["a checksum", (commits: number[]) => commits.at(-2)! + 17],
])("says that changes are lost behind damage of a log, in %s, and keeps it", (_, where) =>
  inFolder(async (root) => {
    const folder = await killedMemory(root);
    const log = join(folder, "memory.db-wal");
    await flip(log, where(await commitsOf(log)));
    await expect(openMemory(folder)).rejects.toMatchObject({
      kind: "format",
      message: expect.stringMatching(/memory\.db-wal.*repair/),
    });
    expect(await readdir(folder)).toContain("memory.db-wal");
    const repaired = await repairMemory(folder, SPACE);
    expect(repaired).toMatchObject({ lostChanges: true });
    expect(await readdir(folder)).toEqual(expect.arrayContaining(["memory.db.damaged", "memory.db.damaged-wal"]));
    const memory = await openMemory(folder);
    expect(await memory.verify()).toEqual({ records: repaired.records, problems: [] });
    await memory.close();
  }),
);

it("opens a memory whose log ends in the middle of a change", () =>
  inFolder(async (root) => {
    const folder = await killedMemory(root);
    const log = join(folder, "memory.db-wal");
    const commits = await commitsOf(log);
    await truncate(log, commits.at(-1)! + 500);
    const memory = await openMemory(folder);
    // The note was the last change.
    expect([await memory.count(), await memory.note("limits")]).toEqual([40, undefined]);
    await memory.close();
  }));

it("tells of damaged notes, and keeps the others", () =>
  inFolder(async (folder) => {
    const memory = await openMemory(folder, SPACE);
    await memory.add(recordsOf(3));
    for (const name of ["sound", "bad"]) await memory.setNote(name, "7");
    await memory.close();
    const { database, lock } = await openDatabase(folder, KIND);
    database.run("UPDATE facts SET value = '8' WHERE name = 'note bad'");
    database.close();
    await lock.release();
    const damaged = await openMemory(folder);
    expect((await damaged.verify()).problems).toEqual([{ message: expect.stringContaining("note bad") }]);
    await damaged.close();
    expect(await repairMemory(folder)).toEqual({ records: 3, lost: [], lostNotes: ["bad"], lostChanges: false });
    expect(await readdir(folder)).toContain("memory.db.damaged");
    const repaired = await openMemory(folder);
    expect([await repaired.note("sound"), await repaired.note("bad")]).toEqual(["7", undefined]);
    expect((await repaired.verify()).problems).toEqual([]);
    await repaired.close();
  }));

it("counts as lost what the disk cannot read, and keeps the file under a second name", () =>
  inFolder(async (folder) => {
    const memory = await openMemory(folder, SPACE);
    await memory.add(recordsOf(200));
    await memory.close();
    const path = join(folder, "memory.db");
    const bad = Math.floor((await readFile(path)).indexOf("number100 ") / 4096) * 4096;
    const read = fs.readSync;
    vi.spyOn(fs, "readSync").mockImplementation(((...given: [number, Uint8Array, number, number, number]) => {
      if (Number(given[4]) === bad && given[3] === 4096) throw Object.assign(new Error("EIO"), { code: "EIO" });
      return read(...given);
    }) as typeof fs.readSync);
    const { records, lost } = await repairMemory(folder);
    vi.restoreAllMocks();
    expect(lost).toContain(101);
    expect(records + lost.length).toBe(200);
    expect(records).toBeGreaterThan(100);
    const repaired = await openMemory(folder);
    expect(await repaired.verify()).toEqual({ records, problems: [] });
    await repaired.close();
  }));

it("does not advise a repair where one has failed", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "memory.db"), "no database, though it is long enough for one".repeat(50));
    await expect(repairMemory(folder)).rejects.toMatchObject({
      kind: "format",
      message: expect.stringMatching(/; restore a copy of the folder, or import an export into a new memory$/),
    });
  }));

it("changes nothing of a database of another program", () =>
  inFolder(async (folder) => {
    const { database, lock } = await openDatabase(folder, {
      ...KIND,
      schema: "CREATE TABLE facts (name, value);",
      version: 9,
    });
    database.exec("PRAGMA journal_mode = DELETE");
    database.close();
    await lock.release();
    const path = join(folder, "memory.db");
    const before = await readFile(path);
    await expect(openMemory(folder, SPACE)).rejects.toMatchObject({ kind: "format" });
    expect((await readFile(path)).equals(before)).toBe(true);
  }));
