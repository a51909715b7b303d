/** What is special of a memory in LanceDB: many processes, versions, its indices, and what it is refused for. */
import { readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openMemory } from "../../src/memory/index.js";
import { library } from "../../src/memory/lance/library.js";
import { output } from "../process.js";
import {
  atDatabase,
  atFolder,
  hasLance,
  idsOf,
  inFolder,
  inMemory,
  recordOf,
  recordsOf,
  recordsTable,
  SPACE,
  z,
} from "./make.js";
import { DATABASES } from "./objectStorage.js";

const WRITERS = 2;
const BATCHES = 8;

const run = (program: string, ...values: string[]) =>
  output(process.execPath, ["--input-type=module", "-e", program, ...values], { cwd: "." });

/** Adds batches of records with its own name as their tag, deletes the first of each, and prints the ids that it was given. */
const WRITER = `
  const { openMemory } = await import("./dist/memory/index.js");
  const [place, name] = process.argv.slice(1);
  const memory = await openMemory(place, ${JSON.stringify(SPACE)});
  const given = [];
  for (let batch = 0; batch < ${BATCHES}; batch++) {
    const ids = await memory.add(Array.from({ length: 3 + batch }, (_, i) => ({ text: name + " " + batch + " " + i, ids: [i], z: new Float32Array(8).fill(i + 1), tags: [name] })));
    await memory.delete([ids[0]]);
    given.push(ids);
  }
  await memory.close();
  console.log(JSON.stringify(given));`;

describe.skipIf(!hasLance)("a memory in LanceDB", () => {
  it.each(DATABASES)(
    "in %s is written by several processes at a time, begun by them too, and read meanwhile",
    (_, placeIn) =>
      inFolder(async (folder) => {
        const place = placeIn(folder);
        const writing = Promise.all(Array.from({ length: WRITERS }, (_, i) => run(WRITER, place, `writer${i}`)));
        let isDone = false;
        const done = writing.finally(() => {
          isDone = true;
        });
        const seen: number[] = [];
        const reader = await openMemory(place, SPACE);
        while (!isDone) {
          seen.push(await reader.count());
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        const given = (await done).map((line) => JSON.parse(line) as number[][]);
        const all = given.flat(2);
        // Nobody was given the id of another, and each batch has ids one behind the other.
        expect(new Set(all).size).toBe(all.length);
        for (const batch of given.flat()) expect(batch).toEqual(batch.map((_, i) => batch[0]! + i));
        const kept = given.map((batches) => batches.flatMap((ids) => ids.slice(1)).sort((a, b) => a - b));
        for (const [i, ids] of kept.entries()) {
          expect(await reader.ids({ tags: [`writer${i}`] })).toEqual(ids);
          expect((await reader.record(ids[0]!)).tags).toEqual([`writer${i}`]);
        }
        // It saw them come while it was open.
        expect(seen.some((count) => count > 0 && count < kept.flat().length)).toBe(true);
        expect(await reader.verify()).toEqual({ records: kept.flat().length, problems: [] });
        expect((await reader.add([recordOf(1)]))[0]).toBeGreaterThan(Math.max(...all));
        await reader.close();
      }),
  );

  it("sees at the next call what another has changed, and that it has", () =>
    inMemory(atDatabase, recordsOf(5), async (memory, folder) => {
      const other = await openMemory(atDatabase(folder));
      const before = await memory.changes();
      await other.add([recordOf(70)]);
      await other.setNote("limits", "8");
      expect((await memory.search({ z: recordOf(70).z, count: 1 }))[0]!.record.id).toBe(6);
      expect([await memory.count(), await memory.note("limits")]).toEqual([6, "8"]);
      await other.delete([6]);
      expect(await memory.changes()).toBe(before + 2);
      await expect(memory.record(6)).rejects.toMatchObject({ kind: "usage" });
      await expect(memory.delete([6])).rejects.toMatchObject({ kind: "usage" });
      await other.close();
    }));

  it("finds by words and exactly what a folder finds, with the same measures", () =>
    inFolder(async (folder) => {
      const odd = ["Café CAFE café.", "the fox, the fox: a fox", "it's 'quoted' \\ %"].map((text, i) => ({
        ...recordOf(600 + i),
        text,
      }));
      const records = [...recordsOf(300), ...odd, { ...recordOf(700), z: z(0) }];
      const both = [await openMemory(atFolder(folder), SPACE), await openMemory(atDatabase(folder), SPACE)] as const;
      const [inFolder, inDatabase] = both;
      for (const memory of both) {
        await memory.add(records);
        await memory.delete([17]);
      }
      for (const query of [
        ...["lamp fox", "cafe", "it's", "fox"].map((text) => ({ text, count: 40 })),
        { text: "lamp river river", filter: { tags: ["fifth"], words: "fo" } },
        ...(["cosine", "inner", "l2"] as const).map((metric) => ({
          z: recordOf(900).z,
          metric,
          exact: true,
          count: 30,
        })),
        { z: recordOf(901).z, count: 400 },
        { z: recordOf(902).z, text: "owl button" },
      ]) {
        const [expected, found] = [await inFolder.search(query), await inDatabase.search(query)];
        expect(expected.length).toBeGreaterThan(0);
        expect(found.map(({ record, similarity }) => ({ record, similarity }))).toEqual(
          expected.map(({ record, similarity }) => ({ record, similarity })),
        );
        for (const [i, { relevance = 0 }] of expected.entries())
          expect(found[i]!.relevance ?? 0).toBeCloseTo(relevance, 6);
      }
      for (const memory of both) await memory.close();
    }));

  it("finds through LanceDB's indices, which compacting makes and brings up to the records, and takes less", () =>
    inFolder(async (folder) => {
      const later = () => Date.now() + 7_200_000;
      const memory = await openMemory(atDatabase(folder), SPACE, { now: later });
      for (let batch = 0; batch < 5; batch++) await memory.add(recordsOf(900, 900 * batch));
      await memory.delete(Array.from({ length: 300 }, (_, i) => i + 1));
      const bytes = await sizeOf(folder);
      await memory.compact();
      await memory.add(recordsOf(20, 4500));
      let same = 0;
      for (let i = 0; i < 20; i++) {
        const query = recordOf(10_000 + i).z;
        const exact = idsOf(await memory.search({ z: query, exact: true }));
        same += idsOf(await memory.search({ z: query })).filter((id) => exact.includes(id)).length;
      }
      expect(same).toBeGreaterThanOrEqual(180);
      expect(idsOf(await memory.search({ z: recordOf(4510).z, count: 1 }))).toEqual([4511]);
      expect(idsOf(await memory.search({ text: "number4510" }))).toEqual([4511]);
      expect(idsOf(await memory.search({ text: "number700" }))).toEqual([701]);
      expect(idsOf(await memory.search({ text: "number7" }))).toEqual([]);
      await memory.compact();
      expect(await sizeOf(folder)).toBeLessThan(2 * bytes);
      expect(await memory.verify()).toEqual({ records: 4220, problems: [] });
      await memory.close();
    }));

  it("names the record whose bytes were changed, in every call that reads it", () =>
    inMemory(atDatabase, recordsOf(40), async (memory, folder) => {
      const records = await recordsTable(join(folder, "database"));
      await records.update({ where: "id = 7", values: { time: 5 } });
      await records.update({ where: "id = 8", values: { latents_checksum: 5 } });
      await records.update({ where: "id = 9", values: { words: " another " } });
      await records.delete("id = 10");
      await expect(memory.record(7)).rejects.toThrow(/record 7: .*another checksum; remove the record/);
      await expect(memory.search({ z: recordOf(7).z, exact: true })).rejects.toThrow(/record 8: /);
      await expect(memory.recordLatents([8])).rejects.toMatchObject({ kind: "format" });
      await expect(memory.record(10)).rejects.toThrow(/record 10: .*no record/);
      const { records: sound, problems } = await memory.verify();
      expect([sound, problems.map(({ id }) => id).sort()]).toEqual([36, [10, 7, 8, 9]]);
      await memory.delete([7, 8, 9]);
      expect((await memory.verify()).problems.map(({ id }) => id)).toEqual([10]);
      // A lost one is written down as deleted, as its message advises.
      await memory.delete([10]);
      expect(await memory.verify()).toEqual({ records: 36, problems: [] });
      await expect(memory.delete([10])).rejects.toThrow(/record 10: .*none of that id/);
    }));

  it("is the same where its folder is moved to", () =>
    inFolder(async (folder) => {
      const memory = await openMemory(atDatabase(folder), SPACE);
      await memory.add(recordsOf(20));
      await memory.delete([3]);
      await memory.close();
      await rename(join(folder, "database"), join(folder, "moved"));
      const moved = await openMemory(`lance:${join(folder, "moved")}`, SPACE);
      expect(await moved.add(recordsOf(1, 50))).toEqual([21]);
      await moved.compact();
      expect(await moved.verify()).toEqual({ records: 20, problems: [] });
      expect(await readdir(folder)).toEqual(["moved"]);
      await moved.close();
    }));

  it("removes one record of two that have one id, and drops copies when it is compacted", () =>
    inMemory(atDatabase, recordsOf(4), async (memory, folder) => {
      const records = await recordsTable(join(folder, "database"));
      await records.add(await records.query().where("id < 3").toArrow());
      await inMemory(atDatabase, recordsOf(4, 100), async (_, other) => {
        const others = await recordsTable(join(other, "database"));
        await records.add(await others.query().where("id = 3").toArrow());
      });
      const problems = async () => (await memory.verify()).problems.map(({ message }) => message);
      const copy = (id: number) => `record ${id}: it is there twice; compact the memory`;
      const another = "record 3: another record has its id; remove the one that is shown";
      expect(await problems()).toEqual([copy(1), copy(2), another]);
      const shown = (await memory.record(3)).text;
      await memory.delete([1, 3, 4]);
      expect([await memory.ids(), await memory.count()]).toEqual([[1, 2, 3], 4]);
      expect([recordOf(2).text, recordOf(102).text]).toContain((await memory.record(3)).text);
      expect((await memory.record(3)).text).not.toBe(shown);
      expect((await memory.record(1)).text).toBe(recordOf(0).text);
      await memory.compact();
      expect([await memory.ids(), await memory.count()]).toEqual([[1, 2, 3], 3]);
      expect(await problems()).toEqual([]);
      await memory.delete([1]);
      await expect(memory.delete([1])).rejects.toMatchObject({ kind: "usage" });
      expect(await problems()).toEqual([]);
    }));

  it("keeps what several note, compact and delete at the same time", () =>
    inFolder(async (folder) => {
      const place = atDatabase(folder);
      const open = await Promise.all(Array.from({ length: 4 }, () => openMemory(place, SPACE)));
      await open[0]!.add(recordsOf(20));
      await Promise.all(open.map((memory, i) => memory.setNote(i % 2 === 0 ? "shared" : `own${i}`, `${i}`)));
      const [first, second] = [open[0]!, open[1]!];
      expect([await first.note("own1"), await second.note("own3")]).toEqual(["1", "3"]);
      expect(["0", "2"]).toContain(await second.note("shared"));
      expect(await second.note("toString")).toBeUndefined();
      await Promise.all(open.map((memory) => memory.compact()));
      const deletions = await Promise.allSettled([first.delete([1, 2]), second.delete([2, 3])]);
      for (const deletion of deletions)
        if (deletion.status === "rejected") expect(deletion.reason).toMatchObject({ kind: "usage" });
      expect((await first.verify()).problems).toEqual([]);
      expect(await second.search({ z: recordOf(4).z, count: 2 ** 30 })).toHaveLength(await first.count());
      for (const memory of open) await memory.close();
    }));

  it.each(["lance:", "s3://", "gs:///stories", "gcs://bucket/stories", "lance:s3://bucket/stories"])(
    "is not named %s",
    async (place) => {
      await expect(openMemory(place, SPACE)).rejects.toThrow(/expected a folder, lance:PATH, s3:\/\/BUCKET\/PATH, /);
    },
  );

  it("leaves a database with another table of its name alone", () =>
    inFolder(async (folder) => {
      const uri = join(folder, "database");
      const connection = await library("tests").lance.connect(uri);
      await connection.createTable("memory", [{ pages: 5 }]);
      for (const space of [SPACE, undefined])
        await expect(openMemory(atDatabase(folder), space)).rejects.toMatchObject({
          kind: "format",
          message: expect.stringMatching(/got another table with the name memory; name another database$/),
        });
      expect(await connection.tableNames()).toEqual(["memory"]);
    }));

  it("tells of a file that is gone or damaged in one sentence", () =>
    inFolder(async (folder) => {
      const memory = await openMemory(atDatabase(folder), SPACE);
      await memory.add(recordsOf(20));
      await memory.close();
      const data = await dataOf(folder);
      const [file] = await readdir(data);
      const bytes = await readFile(join(data, file!));
      await writeFile(join(data, file!), bytes.subarray(0, 100));
      const broken = await openMemory(atDatabase(folder));
      await expect(broken.record(3)).rejects.toMatchObject({ kind: expect.stringMatching(/format|disk/) });
      await broken.close();
    }));

  it("says what to install where LanceDB is not there", async () => {
    const program = `
      import Module from "node:module";
      const load = Module._load;
      Module._load = (name, ...rest) => {
        if (name === "@lancedb/lancedb") throw new Error("Cannot find module '@lancedb/lancedb'");
        return load(name, ...rest);
      };
      const { openMemory } = await import("./dist/memory/index.js");
      await openMemory("s3://bucket/stories").catch(({ kind, message }) => console.log(kind + ": " + message));`;
    expect(await run(program)).toMatch(
      /^unsupported: memory s3:\/\/bucket\/stories: expected .*Cannot find module.*; npm install @lancedb\/lancedb@0\.31\.0 apache-arrow@18\.1\.0/,
    );
  });
});

/** The folder of the records' files. */
async function dataOf(folder: string): Promise<string> {
  const names = await readdir(join(folder, "database"));
  return join(folder, "database", names.find((name) => name.startsWith("records-"))!, "data");
}

async function sizeOf(folder: string): Promise<number> {
  const data = await dataOf(folder);
  const files = (await readdir(data)).map((name) => readFile(join(data, name)));
  return (await Promise.all(files)).reduce((sum, { length }) => sum + length, 0);
}
