/** What is special of a memory in a folder: its file, its index, and who waits while it is compacted. */
import { statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { openDatabase } from "../../src/formats/database.js";
import { conditionOf } from "../../src/memory/folder/filter.js";
import { KIND } from "../../src/memory/folder/schema.js";
import { VectorIndex } from "../../src/memory/folder/vectorIndex.js";
import { openMemory, repairMemory } from "../../src/memory/index.js";
import { atFolder, idsOf, inFolder, inMemory, recordOf, recordsOf, SPACE } from "./make.js";

describe("a memory in a folder", () => {
  it("looks for records with a tag among those alone", () =>
    inFolder(async (folder) => {
      const { database, lock } = await openDatabase(folder, KIND);
      const { sql, values } = conditionOf({ tags: ["fifth", "mod3"], after: 5 })!;
      const plan = database.all(`EXPLAIN QUERY PLAN SELECT id FROM records WHERE ${sql} ORDER BY id`, values);
      expect(plan.map(({ detail }) => detail)).toContain("SEARCH records USING INTEGER PRIMARY KEY (rowid=?)");
      database.close();
      await lock.release();
    }));

  it("is smaller after compacting, and finds the same", () =>
    inMemory(atFolder, recordsOf(900), async (memory, folder) => {
      await memory.delete(Array.from({ length: 600 }, (_, i) => i + 1));
      const search = async () => memory.search({ z: recordOf(7000).z });
      const [before, found] = [await bytesOf(folder), await search()];
      const compacted = memory.compact();
      // Whoever reads meanwhile waits.
      expect(await search()).toEqual(found);
      await compacted;
      expect(await bytesOf(folder)).toBeLessThan(0.7 * before);
      expect(await search()).toEqual(found);
      expect(await memory.verify()).toEqual({ records: 300, problems: [] });
      expect(await memory.add([recordOf(1)])).toEqual([901]);
    }));

  it("answers whoever asks while it is compacted, and indexes that are begun while records are added", () =>
    inMemory(atFolder, recordsOf(300), async (memory) => {
      await memory.setNote("limits", "7");
      const compacted = memory.compact();
      let isDone = false;
      void compacted.finally(() => {
        isDone = true;
      });
      let asked = 0;
      for (; !isDone; asked++) {
        expect([await memory.count(), await memory.note("limits")]).toEqual([300, "7"]);
        expect((await memory.search({ text: "number7" }))[0]!.record.id).toBe(8);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(asked).toBeGreaterThan(1);
      const metrics = ["inner", "l2"] as const;
      const searches = metrics.map((metric) => memory.search({ z: recordOf(7).z, metric, count: 1 }));
      await Promise.all([
        memory.add(recordsOf(50, 300)),
        ...searches,
        memory.add(recordsOf(50, 350)),
        memory.compact(),
      ]);
      expect(await memory.verify()).toEqual({ records: 400, problems: [] });
    }));

  it("keeps what was added where the index cannot be saved, says so, and brings the index up to it later", () =>
    inFolder(async (folder) => {
      const warnings: string[] = [];
      const memory = await openMemory(folder, SPACE, { onWarning: (warning) => warnings.push(warning) });
      await memory.add(recordsOf(10));
      vi.spyOn(VectorIndex.prototype, "add").mockRejectedValueOnce(new Error("a full disk"));
      expect(await memory.add(recordsOf(10, 10))).toEqual(Array.from({ length: 10 }, (_, i) => 11 + i));
      expect(warnings).toEqual([expect.stringMatching(/^a full disk; the records are kept/)]);
      expect(idsOf(await memory.search({ z: recordOf(15).z, count: 1 }))).toEqual([16]);
      expect(await memory.verify()).toEqual({ records: 20, problems: [] });
      await memory.close();
    }));

  it("is not repaired where there is none, nor in a database", () =>
    inFolder(async (folder) => {
      await expect(repairMemory(join(folder, "nowhere"))).rejects.toMatchObject({ kind: "usage" });
      await expect(repairMemory("s3://bucket/stories")).rejects.toThrow(/expected a folder, got a database/);
    }));
});

async function bytesOf(folder: string): Promise<number> {
  return (await readdir(folder)).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}
