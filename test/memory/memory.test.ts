/** What a memory keeps, finds and refuses, compared with what is computed by hand. */
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cosine, distance, dot, LatentSpace, nearest } from "../../src/latent/index.js";
import { exportedSpace, type Memory, type MemoryFilter, type NewRecord, openMemory } from "../../src/memory/index.js";
import { idsOf, inFolder, inMemory, plainRecord, recordOf, recordsOf, SPACE, z } from "./make.js";
import { FORMS } from "./objectStorage.js";

describe.each(FORMS)("a memory in %s", (_, placeIn) => {
  /** A memory of records for one test, in its place; its folder is free for other things. */
  const withMemory = (records: readonly NewRecord[], work: (memory: Memory, folder: string) => Promise<void>) =>
    inMemory(placeIn, records, work);

  it("keeps every field over closing and opening, in the order of adding", () =>
    inFolder(async (folder) => {
      const memory = await openMemory(placeIn(folder), SPACE, { now: () => 77 });
      const records = [...recordsOf(6), plainRecord("without time", z(1))];
      expect(await memory.add(records.slice(0, 3))).toEqual([1, 2, 3]);
      expect(await memory.add(records.slice(3))).toEqual([4, 5, 6, 7]);
      await memory.close();
      const again = await openMemory(placeIn(folder));
      expect(again.space).toEqual(SPACE);
      for (const [i, record] of records.entries())
        expect(await again.record(i + 1)).toEqual({
          time: 77,
          ...record,
          id: i + 1,
          tags: [...(record.tags ?? [])].sort(),
        });
      await again.close();
      await again.close();
      const closed = { kind: "usage", message: expect.stringMatching(/expected an open memory, got a closed one/) };
      await expect(again.add(records)).rejects.toMatchObject(closed);
      await expect(again.search({ z: z(1) })).rejects.toMatchObject(closed);
      await expect(again.count()).rejects.toMatchObject(closed);
    }));

  it("finds by cosine, inner product and distance as computed by hand", () => {
    // Long, near and aligned each win by one measure.
    const vectors = [z(10, 6), z(1, 0.5), z(3, 0), z(0, 1)];
    const query = z(1, 0);
    return withMemory(
      vectors.map((vector, i) => plainRecord(`v${i}`, vector)),
      async (memory) => {
        const by = async (metric: "cosine" | "inner" | "l2") => memory.search({ z: query, metric, count: 2 });
        expect(idsOf(await by("cosine"))).toEqual([3, 2]);
        expect(idsOf(await by("inner"))).toEqual([1, 3]);
        expect(idsOf(await by("l2"))).toEqual([2, 4]);
        expect((await by("cosine")).map(({ similarity }) => similarity)).toEqual([1, cosine(query, vectors[1]!)]);
        expect((await by("inner")).map(({ similarity }) => similarity)).toEqual([10, 3]);
        expect((await by("l2")).map(({ similarity }) => similarity)).toEqual([-0.5, -Math.SQRT2]);
      },
    );
  });

  it.each(["cosine", "inner", "l2"] as const)("finds by %s through the index what it finds among all", (metric) =>
    withMemory(recordsOf(700), async (memory) => {
      let same = 0;
      for (let i = 0; i < 20; i++) {
        const query = recordOf(10_000 + i).z;
        const [found, exact] = [
          await memory.search({ z: query, metric }),
          await memory.search({ z: query, metric, exact: true }),
        ];
        const measure = { cosine, inner: dot, l2: (a: Float32Array, b: Float32Array) => -distance(a, b) }[metric];
        const byHand = recordsOf(700)
          .map((record, at) => ({ id: at + 1, similarity: measure(query, record.z) }))
          .sort((a, b) => b.similarity - a.similarity)
          .slice(0, 10);
        expect(exact.map(({ record, similarity }) => ({ id: record.id, similarity }))).toEqual(byHand);
        same += idsOf(found).filter((id) => idsOf(exact).includes(id)).length;
      }
      expect(same).toBeGreaterThanOrEqual(198);
    }),
  );

  it("compares latents of several slots as `similar` does, by keys and slot by slot", () =>
    inFolder(async (folder) => {
      const shape = { zDim: 8, slots: 4, span: 64 };
      const space = new LatentSpace(shape);
      const memory = await openMemory(placeIn(folder), { ...SPACE, ...shape });
      const records = recordsOf(60, 0, space.width);
      await memory.add(records);
      const query = recordOf(999, space.width).z;
      for (const by of ["key", "match"] as const) {
        const expected = nearest(
          space,
          query,
          records.map((record) => record.z),
          10,
          by,
        );
        const found = await memory.search({ z: query, by });
        expect(found.map(({ record, similarity }) => ({ index: record.id - 1, similarity }))).toEqual(expected);
      }
      await memory.close();
    }));

  it("finds by words, the one with more of the rarer first, and nothing without them", () =>
    withMemory(
      ["a fox by the river", "a fox and a lamp by the river", "a baker by the river"].map((text) =>
        plainRecord(text, z(1)),
      ),
      async (memory) => {
        const found = await memory.search({ text: "lamp fox" });
        expect(idsOf(found)).toEqual([2, 1]);
        expect(found[0]!.relevance).toBeGreaterThan(found[1]!.relevance!);
        expect(await memory.search({ text: "castle" })).toEqual([]);
        await expect(memory.search({ text: "?!" })).rejects.toThrow(/letters or digits/);
      },
    ));

  it("finds by both: what is near the top of both lists comes before what leads one", () => {
    const between = Array.from({ length: 20 }, (_, i) => plainRecord("a bridge", z(1, 1 + i)));
    const far = plainRecord("a lamp, a lamp", z(-1, 0));
    return withMemory(
      [plainRecord("a castle", z(1, 0)), plainRecord("a lamp", z(1, 0.2)), far, ...between],
      async (memory) => {
        expect(idsOf(await memory.search({ z: z(1, 0), text: "lamp" }))[0]).toBe(2);
        expect(idsOf(await memory.search({ z: z(1, 0) }))[0]).toBe(1);
        expect(idsOf(await memory.search({ text: "lamp" }))[0]).toBe(3);
      },
    );
  });

  it.each<[string, MemoryFilter, (record: NewRecord) => boolean]>([
    ["tags", { tags: ["fifth", "mod3"] }, ({ tags = [] }) => tags.includes("fifth") && tags.includes("mod3")],
    ["time", { after: 1100, before: 1150 }, ({ time = 0 }) => time >= 1100 && time < 1150],
    ["score", { minScore: 0.25, maxScore: 0.75 }, ({ score = -1 }) => score >= 0.25 && score <= 0.75],
    ["words", { words: "lamp riv" }, ({ text }) => /\blamp\b/.test(text) && /\briver\b/.test(text)],
    [
      "all together",
      { tags: ["fifth"], words: "fox", after: 1010 },
      ({ tags = [], text, time = 0 }) => tags.includes("fifth") && /fox/.test(text) && time >= 1010,
    ],
  ])("filters by %s", (_, filter, fits) =>
    withMemory(recordsOf(300), async (memory) => {
      const fitting = recordsOf(300).flatMap((record, i) => (fits(record) ? [{ id: i + 1, ...record }] : []));
      expect(fitting.length).toBeGreaterThan(1);
      expect(await memory.ids(filter)).toEqual(fitting.map(({ id }) => id));
      const query = recordOf(5000).z;
      const nearest = fitting.sort((a, b) => cosine(query, b.z) - cosine(query, a.z)).slice(0, 3);
      expect(idsOf(await memory.search({ z: query, filter, count: 3 }))).toEqual(nearest.map(({ id }) => id));
    }),
  );

  it("filters by what most records fit, through the index", () =>
    withMemory(recordsOf(2600), async (memory) => {
      const filter = { after: 1100 };
      const query = recordOf(5000).z;
      const found = await memory.search({ z: query, filter });
      expect(found.every(({ record }) => record.time >= 1100)).toBe(true);
      expect(idsOf(found)).toEqual(idsOf(await memory.search({ z: query, filter, exact: true })));
    }));

  it("gives the mean of what was found", () =>
    withMemory(
      [plainRecord("a", z(1, 0)), plainRecord("b", z(0.9, 0.4)), plainRecord("c", z(-1, 0))],
      async (memory) => {
        const centre = memory.centroid(await memory.search({ z: z(1, 0.1), count: 2 }));
        expect([...centre.slice(0, 2)]).toEqual([expect.closeTo(0.95), expect.closeTo(0.2)]);
        expect(() => memory.centroid([])).toThrow(/at least one record/);
      },
    ));

  it("forgets what was deleted, in every search, and gives its id to nobody", () =>
    withMemory(recordsOf(200), async (memory) => {
      const { z: query, text } = recordOf(41);
      expect(idsOf(await memory.search({ z: query, count: 1 }))).toEqual([42]);
      await memory.delete([42, 200]);
      expect(await memory.count()).toBe(198);
      expect(idsOf(await memory.search({ z: query, count: 150 }))).not.toContain(42);
      expect(idsOf(await memory.search({ text: text.split(" ")[0]! }))).toEqual([]);
      await expect(memory.record(42)).rejects.toMatchObject({ kind: "usage" });
      await expect(memory.delete([1, 42])).rejects.toMatchObject({ kind: "usage" });
      expect((await memory.record(1)).text).toBe(recordOf(0).text);
      expect(await memory.add([recordOf(0)])).toEqual([201]);
    }));

  it("says that records came or went, and gives latents without those that went", () =>
    withMemory([], async (memory) => {
      const before = await memory.changes();
      const ids = await memory.add(recordsOf(3, 500));
      expect(await memory.changes()).toBe(before + 1);
      await memory.delete([ids[1]!]);
      expect(await memory.changes()).toBe(before + 2);
      await memory.setNote("limits", "7");
      expect(await memory.changes()).toBe(before + 2);
      const latents = await memory.recordLatents(ids);
      expect(latents.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
      expect(latents[0]!.z).toEqual(recordOf(500).z);
      expect(latents[0]!.contextZ).toEqual(recordOf(500).contextZ);
    }));

  it("comes back from its export, with its latents and contexts", () =>
    withMemory(recordsOf(40), async (memory, folder) => {
      await memory.delete([3]);
      const target = join(folder, "exported");
      expect(await memory.exportTo(target)).toBe(39);
      await expect(memory.exportTo(target)).rejects.toThrow(/another folder/);
      const copy = await openMemory(placeIn(join(folder, "copy")), await exportedSpace(target));
      expect(await copy.importFrom(target)).toBe(39);
      const [from, to] = [await memory.ids(), await copy.ids()];
      for (const [i, id] of from.entries())
        expect(await copy.record(to[i]!)).toEqual({ ...(await memory.record(id)), id: to[i] });
      const lines = await readFile(join(target, "records-1.jsonl"), "utf8");
      await writeFile(join(target, "records-1.jsonl"), lines.replace('"ids":[', '"ids":[-1,'));
      await expect(copy.importFrom(target)).rejects.toThrow(/part 1, memory: record 1: expected `ids`/);
      const facts = await readFile(join(target, "memory.json"), "utf8");
      await writeFile(join(target, "memory.json"), facts.replace('"records": 39', '"records": 38'));
      await expect(copy.importFrom(target)).rejects.toThrow(/expected 38 records, got 39/);
      await writeFile(join(target, "memory.json"), facts);
      await writeFile(join(target, "z-1.npy"), "none");
      await expect(copy.importFrom(target)).rejects.toMatchObject({ kind: "format" });
      expect(await copy.count()).toBe(39);
      await copy.close();
    }));

  it("says what is kept of an export whose second part is damaged", () =>
    withMemory(recordsOf(3), async (memory, folder) => {
      const target = join(folder, "exported");
      await memory.exportTo(target);
      const facts = await readFile(join(target, "memory.json"), "utf8");
      const two = { '"records": 3': '"records": 6', '"parts": 1': '"parts": 2' };
      await writeFile(
        join(target, "memory.json"),
        Object.entries(two).reduce((text, [from, to]) => text.replace(from, to), facts),
      );
      await copyFile(join(target, "records-1.jsonl"), join(target, "records-2.jsonl"));
      await writeFile(join(target, "z-2.npy"), "none");
      await expect(memory.importFrom(target)).rejects.toThrow(
        /z-2\.npy.*; the 3 records of the parts before it are kept/,
      );
      expect(await memory.count()).toBe(6);
    }));

  it("keeps every character of a text and of a note, U+0000 among them, and refuses what is none", () =>
    withMemory([plainRecord("a lamp\0 and a \uFEFFfox", z(1))], async (memory, folder) => {
      await memory.setNote("odd", "\0");
      const text = "\uFEFFbegins\0\0";
      await memory.add([plainRecord(text, z(2))]);
      expect((await memory.search({ text: "fox" }))[0]!.record.text).toBe("a lamp\0 and a \uFEFFfox");
      expect((await memory.record(2)).text).toBe(text);
      expect(await memory.note("odd")).toBe("\0");
      expect(await memory.verify()).toEqual({ records: 2, problems: [] });
      const target = join(folder, "exported");
      await memory.exportTo(target);
      expect(await memory.importFrom(target)).toBe(2);
      expect((await memory.record(4)).text).toBe(text);
      for (const change of [{ text: "\uD800" }, { tags: ["\0"] }])
        await expect(memory.add([{ ...recordOf(1), ...change }])).rejects.toMatchObject({ kind: "usage" });
    }));

  it("refuses latents of another space, and says which", () =>
    inFolder(async (folder) => {
      await (await openMemory(placeIn(folder), SPACE)).close();
      const other = { ...SPACE, encoder: "f".repeat(64) };
      await expect(openMemory(placeIn(folder), other)).rejects.toMatchObject({ kind: "mismatch" });
      await expect(openMemory(placeIn(folder), other)).rejects.toThrow(
        /expected latents of base bbb.*encoder eee.*got those of.*encoder fff.*; use the model/,
      );
      const memory = await openMemory(placeIn(folder), SPACE);
      await expect(memory.add([plainRecord("short", z(1).slice(1))])).rejects.toMatchObject({ kind: "mismatch" });
      await expect(memory.search({ z: z(1).slice(1) })).rejects.toMatchObject({ kind: "mismatch" });
      await memory.close();
    }));

  it.each<[string, object]>([
    ["nonFinite", { z: z(Number.NaN) }],
    ["usage", { z: [1, 2] }],
    ["usage", { ids: [1.5] }],
    ["usage", { ids: [] }],
    ["usage", { score: Number.NaN }],
    ["usage", { tags: [""] }],
    ["usage", { time: 0.5 }],
    ["usage", { text: 5 }],
  ])("refuses a record with an error of kind %s: %j", (kind, change) =>
    withMemory([], async (memory) => {
      const records = [recordOf(1), { ...recordOf(2), ...change } as NewRecord];
      await expect(memory.add(records)).rejects.toMatchObject({ kind, message: expect.stringContaining("record 2") });
      expect(await memory.count()).toBe(0);
    }),
  );

  it("refuses a query for nothing, and a place without a memory", () =>
    withMemory(recordsOf(2), async (memory, folder) => {
      await expect(memory.search({})).rejects.toMatchObject({ kind: "usage" });
      await expect(memory.search({ z: z(1), count: 0 })).rejects.toMatchObject({ kind: "usage" });
      await expect(memory.search({ z: z(1), metric: "l2", by: "match" })).rejects.toMatchObject({ kind: "usage" });
      await expect(openMemory(placeIn(join(folder, "none")))).rejects.toMatchObject({ kind: "usage" });
      expect(await readdir(folder)).not.toContain("none");
    }));
});
