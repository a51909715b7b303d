/** Disks that refuse, and processes that end, while a memory's file is replaced: what was kept stays. */
import fs from "node:fs";
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, it, vi } from "vitest";
import { nodeFileOps } from "../../src/formats/fileOps.js";
import { openMemory, repairMemory } from "../../src/memory/index.js";
import { inFolder, killedMemory, recordOf, recordsOf, SPACE } from "./make.js";

afterEach(() => vi.restoreAllMocks());

/**
 * A disk on which nothing more is written to files of that name, from the call of what it returns on, or from the first write to their log on.
 */
function fillDisk(name: string, fromLogOn = false): () => void {
  const files = new Map<number, string>();
  const [open, write] = [fs.openSync, fs.writeSync];
  let isFull = false;
  vi.spyOn(fs, "openSync").mockImplementation((path, ...rest) => {
    const file = open(path, ...rest);
    files.set(file, String(path));
    return file;
  });
  vi.spyOn(fs, "writeSync").mockImplementation(((file: number, ...rest: [Uint8Array, number, number, number]) => {
    if (fromLogOn && files.get(file)?.endsWith(`${name}-wal`)) isFull = true;
    if (isFull && files.get(file)?.endsWith(name)) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    return write(file, ...rest);
  }) as typeof fs.writeSync);
  return () => {
    isFull = true;
  };
}

/** All records of the memory in a folder, and nothing else wrong with it. */
async function expectWhole(folder: string, count: number): Promise<void> {
  const memory = await openMemory(folder);
  expect(await memory.verify()).toEqual({ records: count, problems: [] });
  expect((await memory.record(count)).text).toBe(recordOf(count - 1).text);
  await memory.close();
}

it("keeps the old file where a repair cannot write the new one whole", () =>
  inFolder(async (folder) => {
    const memory = await openMemory(folder, SPACE);
    await memory.add(recordsOf(40));
    await memory.close();
    // The draft's log is written, the draft itself is not.
    fillDisk("memory.db.repair", true);
    await expect(repairMemory(folder)).rejects.toMatchObject({ kind: "disk" });
    vi.restoreAllMocks();
    expect((await readdir(folder)).filter((name) => name.includes("repair"))).toEqual([]);
    await expectWhole(folder, 40);
  }));

it("keeps everything where compacting cannot close the file whole, and goes on", () =>
  inFolder(async (folder) => {
    const fill = fillDisk("memory.db");
    const memory = await openMemory(folder, SPACE);
    await memory.add(recordsOf(20));
    await memory.compact();
    await memory.add(recordsOf(20, 20));
    fill();
    await expect(memory.compact()).rejects.toMatchObject({ kind: "disk" });
    vi.restoreAllMocks();
    expect((await memory.record(40)).text).toBe(recordOf(39).text);
    await memory.add(recordsOf(5, 40));
    await memory.close();
    await expectWhole(folder, 45);
  }));

it("never plays an old log into a repaired file", () =>
  inFolder(async (root) => {
    const folder = await killedMemory(root);
    // The process ends before the draft has the file's name.
    const rename = nodeFileOps.rename;
    vi.spyOn(nodeFileOps, "rename").mockImplementation(async (from, to) => {
      if (!from.endsWith(".repair")) return rename(from, to);
      expect(await readdir(folder)).not.toContain("memory.db-wal");
      throw new Error("killed");
    });
    await expect(repairMemory(folder)).rejects.toThrow("killed");
    vi.restoreAllMocks();
    const damaged = join(folder, "memory.db.damaged");
    await copyFile(damaged, join(folder, "memory.db"));
    await copyFile(`${damaged}-wal`, join(folder, "memory.db-wal"));
    expect(await repairMemory(folder)).toEqual({ records: 40, lost: [], lostNotes: [], lostChanges: false });
    await expectWhole(folder, 40);
    const memory = await openMemory(folder);
    expect(await memory.note("limits")).toBe("7");
    await memory.close();
  }));
