/** Drafts that are recalled in place of written ones, on a model and a memory whose distances are known. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import type { MemoryFilter, NewRecord } from "../memory/index.js";
import { Rng } from "../rng.js";
import type { LatentModel, TokenIds } from "../sampling/model.js";
import { SamplingRun } from "../sampling/samplingRun.js";
import { measureRecall, RecalledDrafts } from "./draftMemory.js";

const tokenizer = {
  eosId: 0,
  encode: (text: string) => Array.from(text, Number),
  decode: (ids: TokenIds) => ids.join(""),
};

/** A text's latent is its first token, on a line; draft number i of a batch begins with 10 + i. */
function model() {
  const rows: number[] = [];
  const encoded: string[] = [];
  const latentModel: LatentModel = {
    tokenizer,
    encode: async (spans) => {
      encoded.push(...spans.map((ids) => ids.join("")));
      return spans.map((ids) => ({ mean: Float32Array.of(ids[0]!) }));
    },
    write: async (batch, _context, { nTokens }) => {
      rows.push(batch.length);
      return batch.map((_, i) => Array.from({ length: nTokens }, () => 10 + i));
    },
    score: async () => [],
  };
  return { latentModel, rows, encoded };
}

/** Records in a list, as a memory gives them; reads of latents are counted. */
function memory(records: (NewRecord & { id: number })[]) {
  const added: NewRecord[] = [];
  const store = {
    added,
    read: 0,
    changed: 0,
    changes: async () => store.changed,
    latents: LatentSpace.plain,
    count: async () => records.length,
    ids: async ({ tags }: MemoryFilter) =>
      records.filter(({ tags: own = ["draft 3 3 on"] }) => own.includes(tags![0]!)).map(({ id }) => id),
    recordLatents: async (ids: readonly number[]) => {
      store.read += ids.length;
      return records.filter(({ id }) => ids.includes(id));
    },
    records: async (ids: readonly number[]) =>
      ids.map((id) => ({ tags: [], time: 0, ...records.find((record) => record.id === id)! })),
    add: async (more: readonly NewRecord[]) => {
      added.push(...more);
      store.changed++;
      return more.map((record) => {
        const id = Math.max(0, ...records.map(({ id }) => id)) + 1;
        records.push({ ...record, id });
        return id;
      });
    },
    delete: async (ids: readonly number[]) => {
      for (const id of ids)
        records.splice(
          records.findIndex((record) => record.id === id),
          1,
        );
      store.changed++;
    },
  };
  return store;
}
const kept = (id: number, z: number, context: number) => ({
  id,
  text: "",
  ids: [z],
  z: Float32Array.of(z),
  contextZ: Float32Array.of(context),
});
const place = { from: Float32Array.of(5), context: Float32Array.of(5), kind: "3 3 on" };
const idsOf = (drafts: readonly { id: number }[]) => drafts.map(({ id }) => id);

describe("RecalledDrafts", () => {
  it("recalls what is near in both, the nearest first", async () => {
    const store = memory([
      kept(1, 7, 5),
      kept(2, 4, 5),
      kept(3, 5, 8),
      kept(4, 8, 5),
      { ...kept(5, 5, 5), contextZ: undefined as never },
    ]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    expect(idsOf(await drafts.forRun().recall(place, 3))).toEqual([2, 1]);
    expect(drafts.counts).toMatchObject({ asked: 3, recalled: 2, kept: 0, dropped: 0 });
    expect(drafts.share).toBe(2 / 3);
  });

  it("recalls none of another kind, and looks beyond those that are used up", async () => {
    const others = Array.from({ length: 200 }, (_, i) => kept(i + 1, 5, i < 150 ? 99 : 5));
    const store = memory([...others, { ...kept(300, 5, 5), tags: ["draft 6 3"] }]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    expect(idsOf(await drafts.forRun().recall(place, 2))).toEqual([151, 152]);
    expect(idsOf(await drafts.forRun().recall({ ...place, kind: "6 3" }, 2))).toEqual([300]);
  });

  it("recalls none twice where two are asked for at once", async () => {
    const drafts = new RecalledDrafts(memory([kept(1, 5, 5), kept(2, 6, 5)]), tokenizer, { distance: 2 });
    const run = drafts.forRun();
    const both = await Promise.all([run.recall(place, 1), run.recall(place, 1)]);
    expect(both.map(idsOf)).toEqual([[1], [2]]);
  });

  it("recalls none twice in a run, none that the run wrote, and none more than 16 times", async () => {
    const drafts = new RecalledDrafts(memory([kept(1, 5, 5)]), tokenizer, { distance: 2 });
    const run = drafts.forRun();
    expect(idsOf(await run.recall(place, 1))).toEqual([1]);
    expect(await run.recall(place, 1)).toEqual([]);
    await run.keep(place, [{ ids: [5], z: Float32Array.of(5) }]);
    expect(await run.recall(place, 1)).toEqual([]);
    const later: number[] = [];
    for (let i = 0; i < 32; i++) later.push(...idsOf(await drafts.forRun().recall(place, 1)));
    // The least used first.
    expect(later).toEqual(Array.from({ length: 31 }, (_, i) => (i % 2 === 0 ? 2 : 1)));
  });

  it("reads a latent once, and again what others change", async () => {
    const store = memory([kept(1, 5, 5), kept(2, 5, 5)]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    for (let i = 0; i < 3; i++) await drafts.forRun().recall(place, 1);
    await drafts.forRun().keep(place, [{ ids: [5], z: Float32Array.of(5) }]);
    expect(idsOf(await drafts.forRun().recall(place, 9))).toEqual([3, 2, 1]);
    expect(store.read).toBe(2);
    await store.delete([1]);
    await store.add([{ ...kept(0, 5, 5), tags: ["draft 3 3 on"] }]);
    expect(idsOf(await drafts.forRun().recall(place, 9))).toEqual([4, 3, 2]);
    expect(store.read).toBe(3);
  });

  it("keeps no more than it may: those go that are used up, then the least used, then the oldest", async () => {
    const store = memory([kept(1, 1, 5), kept(2, 5, 5), kept(3, 5, 5), kept(4, 5, 5)]);
    const dropped: number[] = [];
    const added: number[] = [];
    const onChange = (change: { added?: readonly number[]; deleted?: readonly number[] }) => {
      added.push(...(change.added ?? []));
      dropped.push(...(change.deleted ?? []));
    };
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 }, { most: 4, onChange });
    // 1 is used up; 2 is used once; 3 and 4 are not.
    for (let i = 0; i < 16; i++) await drafts.forRun().recall({ ...place, from: Float32Array.of(1) }, 1);
    await drafts.forRun().recall(place, 1);
    for (let i = 0; i < 4; i++) await drafts.forRun().keep({ ...place }, [{ ids: [5], z: Float32Array.of(5) }]);
    expect(dropped).toEqual([1, 3, 4, 5]);
    expect(added).toEqual([5, 6, 7, 8]);
    expect(await store.count()).toBe(4);
    expect(drafts.counts).toMatchObject({ kept: 4, dropped: 4 });
    expect(idsOf(await drafts.forRun().recall(place, 9))).toEqual([6, 7, 8, 2]);
    expect(() => new RecalledDrafts(store, tokenizer, { distance: 2 }, { most: 0 })).toThrow(
      "`most`: expected a number of drafts, at least 1, got 0; leave it out for 10000",
    );
  });
});

describe("SamplingRun.drafts", () => {
  it("writes and keeps those that are missing alone", async () => {
    const { latentModel, rows, encoded } = model();
    const store = memory([kept(1, 5, 5), kept(2, 4, 5), kept(3, 6, 5)]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    const options = { rng: Rng.fromSeed(1), nSteps: 1, nAvg: 4, tau: 1, noise: 0, span: 3 };
    const run = new SamplingRun(latentModel, { ...options, memory: drafts.forRun() });
    const from = await run.mean([5, 5, 5], "span");
    const all = await run.drafts(from, [1], 3, 3, [5, 5, 5]);
    expect(all.map(({ ids, recalled }) => [ids[0], recalled])).toEqual([
      [5, 1],
      [4, 2],
      [6, 3],
      [10, undefined],
    ]);
    expect(rows).toEqual([1]);
    // The span that they go on from is the end of the text: it is encoded once.
    expect(encoded).toEqual(["555", "101010"]);
    expect(store.added).toMatchObject([
      { ids: [10, 10, 10], text: "101010", contextZ: place.context, tags: ["draft 3 3 on"] },
    ]);
    // Without a context there is no place to compare.
    await run.drafts(from, [], 3, 3);
    expect(rows).toEqual([1, 4]);
  });

  it("stand for those of the base too, near the end of the text", async () => {
    const { latentModel, rows, encoded } = model();
    const plain = (id: number, z: number, context: number) => ({ ...kept(id, z, context), tags: ["draft 3 plain"] });
    const store = memory([plain(1, 5, 5), plain(2, 4, 5), plain(3, 5, 9), kept(4, 5, 5)]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    const options = { rng: Rng.fromSeed(1), nSteps: 1, nAvg: 3, tau: 1, noise: 0, span: 3 };
    const run = new SamplingRun(latentModel, { ...options, memory: drafts.forRun() });
    const all = await run.plainDrafts([5, 5, 5], 3);
    expect(all.map(({ ids, recalled }) => [ids[0], recalled])).toEqual([
      [5, 1],
      [4, 2],
      [10, undefined],
    ]);
    expect(rows).toEqual([1]);
    expect(encoded).toEqual(["555", "101010"]);
    expect(store.added).toMatchObject([{ ids: [10, 10, 10], contextZ: place.context, tags: ["draft 3 plain"] }]);
  });
});

describe("measureRecall", () => {
  const vae = { ...model(), tokenizer: tokenizer as never, span: 3, space: LatentSpace.plain };

  it("gives the distance that a share of the drafts lies within", async () => {
    // Behind 555 and 777 drafts of tokens 10 to 13: distances 5 to 8 and 3 to 6.
    const texts = ["5551", "7771", "99"];
    const of = async (coverage: number) => (await measureRecall(vae, texts, { coverage, noise: 0 })).distance;
    expect(await of(1)).toBe(8);
    expect(await of(0.5)).toBe(5);
    expect(await of(0.01)).toBe(3);
    expect(await measureRecall(vae, texts)).toMatchObject({ coverage: 0.5, texts: 2 });
  });

  it("refuses a share that is none, and texts of less than a span", async () => {
    await expect(measureRecall(vae, ["555"], { coverage: 0 })).rejects.toThrow(
      /expected a share above 0, of at most 1, got 0/,
    );
    await expect(measureRecall(vae, ["12"])).rejects.toThrow(
      /expected texts of at least 3 tokens, got shorter ones alone/,
    );
  });
});
