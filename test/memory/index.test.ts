/** The index of a memory comes from its records: grown, opened again, rebuilt or made again in parts, it finds the same. */
import { spawn } from "node:child_process";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDatabase } from "../../src/formats/database.js";
import { dot, norm } from "../../src/latent/index.js";
import { ROW_BYTES } from "../../src/memory/folder/codeTable.js";
import { RecordStore } from "../../src/memory/folder/recordStore.js";
import { KIND } from "../../src/memory/folder/schema.js";
import { VectorIndex } from "../../src/memory/folder/vectorIndex.js";
import { openMemory } from "../../src/memory/index.js";
import { METRICS } from "../../src/memory/types.js";
import { inFolder, recordOf, recordsOf, SPACE } from "./make.js";

const WIDTH = SPACE.zDim;
const SEGMENT = 300;
/** Records that a query asks for. */
const NEAREST = 5;
const QUERIES = Array.from({ length: 30 }, (_, i) => recordOf(9000 + i).z);

/** Records of a store, and how its index is opened with small segments. */
async function withStore(
  count: number,
  work: (open: () => Promise<VectorIndex>, store: RecordStore, folder: string, warnings: string[]) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const { database, lock } = await openDatabase(folder, KIND);
    const store = new RecordStore(database);
    store.reserve(0);
    addTo(store, count);
    const warnings: string[] = [];
    const open = () =>
      VectorIndex.open({
        ...{ folder, store, metric: "cosine", width: WIDTH, segmentRecords: SEGMENT },
        keyOf: (z) => z,
        onWarning: (warning) => warnings.push(warning),
      });
    await work(open, store, folder, warnings).finally(() => database.close());
    await lock.release();
  });
}

function addTo(store: RecordStore, count: number): { id: number; key: Float32Array }[] {
  const records = recordsOf(count, store.last());
  const whole = records.map(({ tags = [], time = 0, ...record }) => ({ ...record, tags, time }));
  return store.add(whole).map((id, i) => ({ id, key: records[i]!.z }));
}

/** What an index finds, as sets: equal distances may change places. */
function foundBy(index: VectorIndex): number[][] {
  return QUERIES.map((z) => index.search(z, NEAREST).sort((a, b) => a - b));
}

/** Share of the nearest of the first `count` records among what an index finds. */
function recall(index: VectorIndex, count: number): number {
  const records = recordsOf(count).map(({ z }, i) => ({ id: i + 1, z, norm: norm(z) }));
  let hits = 0;
  for (const query of QUERIES) {
    const nearest = records.toSorted((a, b) => dot(b.z, query) / b.norm - dot(a.z, query) / a.norm);
    const found = index.search(query, 3 * NEAREST);
    hits += nearest.slice(0, NEAREST).filter(({ id }) => found.includes(id)).length;
  }
  return hits / (NEAREST * QUERIES.length);
}

describe("an index", () => {
  it("finds the same, grown batch by batch or made at once", () =>
    withStore(0, async (open, store) => {
      const grown = await open();
      for (let batch = 0; batch < 10; batch++) await grown.add(addTo(store, 100));
      await grown.save();
      expect(recall(grown, 1000)).toBeGreaterThan(0.98);
      await grown.rebuild();
      expect(recall(grown, 1000)).toBeGreaterThan(0.98);
      expect(foundBy(await open())).toEqual(foundBy(grown));
    }));

  it("adds what came after it was saved, and keeps every id once", () =>
    withStore(350, async (open, store, folder) => {
      await (await open()).save();
      addTo(store, 500);
      const index = await open();
      expect(index.last).toBe(850);
      for (let id = 1; id <= 850; id++) expect(index.has(id)).toBe(true);
      for (const id of [1, 299, 300, 301, 600, 850]) expect(index.search(recordOf(id - 1).z, 1)).toEqual([id]);
      await index.save();
      expect((await readdir(folder)).filter((name) => name.endsWith(".codes"))).toHaveLength(3);
      expect(index.bytes).toBeGreaterThan(850 * WIDTH);
    }));

  it.each([
    ["a damaged", (path: string) => writeFile(path, "none")],
    ["a missing", (path: string) => rm(path)],
  ])("makes %s segment again, alone, and says so", (_, harm) =>
    withStore(1000, async (open, _, folder, warnings) => {
      const first = await open();
      await first.save();
      const files = (await readdir(folder)).filter((name) => name.endsWith(".codes")).sort();
      expect(files).toHaveLength(4);
      await harm(join(folder, files[1]!));
      const again = await open();
      expect(warnings).toEqual([expect.stringContaining(files[1]!)]);
      expect(foundBy(again)).toEqual(foundBy(first));
      const now = await readdir(folder);
      expect(files.filter((name) => now.includes(name))).toHaveLength(3);
      warnings.length = 0;
      await open();
      expect(warnings).toEqual([]);
    }),
  );

  it("is made anew without a look at what is saved", () =>
    withStore(350, async (open, _, folder, warnings) => {
      const saved = await open();
      await saved.save();
      const [file] = (await readdir(folder)).filter((name) => name.endsWith(".codes"));
      await rm(join(folder, file!));
      const anew = await VectorIndex.anew(saved.source);
      expect(recall(anew, 350)).toBeGreaterThan(0.98);
      expect(warnings).toEqual([]);
      expect((await readdir(folder)).filter((name) => name.endsWith(".codes"))).toHaveLength(2);
      expect((await open()).last).toBe(350);
      expect(warnings).toEqual([]);
    }));

  it("is made again where a release with another kind of index saved it, and its files go", () =>
    withStore(350, async (open, store, folder, warnings) => {
      const places = [{ file: "cosine-7.usearch", first: 1, last: 350, count: 350, bytes: 5, checksum: 1 }];
      store.setFact("index cosine", JSON.stringify(places));
      await writeFile(join(folder, "cosine-7.usearch"), "graph");
      const index = await open();
      expect(recall(index, 350)).toBeGreaterThan(0.98);
      await index.save();
      expect((await readdir(folder)).filter((name) => name.startsWith("cosine-"))).toHaveLength(2);
      expect(await readdir(folder)).not.toContain("cosine-7.usearch");
      expect(foundBy(await open())).toEqual(foundBy(index));
      expect(warnings).toEqual([]);
    }));

  it("takes another mean of its keys when it has grown from a single one", () =>
    withStore(0, async (open, store) => {
      const [one, many] = [await open(), await open()];
      for (const count of [1, 6, 993]) await one.add(addTo(store, count));
      await many.rebuild();
      expect(foundBy(one)).toEqual(foundBy(many));
    }));

  it("finds all records while it is made again", () =>
    withStore(4500, async (open) => {
      const index = await open();
      const look = () => QUERIES.slice(0, 2).map((z) => index.search(z, 200));
      const before = look();
      let isDone = false;
      const rebuilt = index.rebuild().finally(() => {
        isDone = true;
      });
      let looks = 0;
      for (; !isDone; looks++) {
        expect(look()).toEqual(before);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await rebuilt;
      expect(looks).toBeGreaterThan(2);
      expect(look()).toEqual(before);
    }));

  it("is made again without what came and went, where that is most of it", () =>
    withStore(5200, async (open, store) => {
      const keys = (index: VectorIndex) =>
        Array.from({ length: 5200 }, (_, i) => index.has(i + 1)).filter(Boolean).length;
      const index = await open();
      store.delete(Array.from({ length: 5000 }, (_, i) => i + 1));
      await index.settle(1000);
      expect(keys(index)).toBe(5200);
      await index.settle(store.count());
      expect(keys(index)).toBe(200);
      expect(foundBy(index)).toEqual(foundBy(await open()));
    }));

  it("takes at most 2.2 KB a span of 768 values", () =>
    inFolder(async (folder) => {
      const memory = await openMemory(folder, { ...SPACE, zDim: 768 });
      await memory.add(recordsOf(400, 0, 768));
      for (const metric of METRICS) await memory.search({ z: recordOf(1, 768).z, metric });
      await memory.close();
      const again = await openMemory(folder);
      for (const metric of METRICS) {
        const bytes = (await again.indexBytes(metric))! / 400;
        expect(bytes).toBe(ROW_BYTES);
        expect(bytes).toBeLessThan(2200);
      }
      await again.close();
    }));
});

describe("two processes", () => {
  const WRITER = `
    import { openMemory } from "./dist/memory/index.js";
    const memory = await openMemory(process.argv[1], ${JSON.stringify(SPACE)}, { waitMs: Number(process.argv[2]) });
    const record = { text: process.pid + "", ids: [1], z: new Float32Array(8).fill(1) };
    for (let i = 0; i < 20; i++) await memory.add(Array(50).fill(record));
    await memory.close();`;

  const write = (folder: string, waitMs: number) =>
    new Promise<{ code: number | null; errors: string }>((resolve) => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder, String(waitMs)]);
      let errors = "";
      child.stderr.on("data", (text) => {
        errors += text;
      });
      child.once("close", (code) => resolve({ code, errors }));
    });

  it("take turns where they wait, and all that both wrote is there", () =>
    inFolder(async (folder) => {
      const ended = await Promise.all([write(folder, 30_000), write(folder, 30_000)]);
      expect(ended).toEqual([0, 0].map((code) => ({ code, errors: "" })));
      const memory = await openMemory(folder);
      expect(await memory.count()).toBe(2000);
      expect(await memory.verify()).toEqual({ records: 2000, problems: [] });
      await memory.close();
    }));

  it("are told who has it open where they do not wait", () =>
    inFolder(async (folder) => {
      const memory = await openMemory(folder, SPACE);
      const { code, errors } = await write(folder, 0);
      expect(code).not.toBe(0);
      expect(errors).toContain(`a lock of process ${process.pid}`);
      await expect(openMemory(folder)).rejects.toMatchObject({ kind: "locked" });
      await memory.close();
    }));
});
