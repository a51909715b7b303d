/** Drafts that are recalled in place of written ones, on a model and a memory whose distances are known. */
import { describe, expect, it } from "vitest";
import { LatentSpace } from "../latent/index.js";
import type { FoundRecord, MemoryQuery, NewRecord } from "../memory/index.js";
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
  const latentModel: LatentModel = {
    tokenizer,
    encode: async (spans) => spans.map((ids) => ({ mean: Float32Array.of(ids[0]!) })),
    write: async (batch, _context, { nTokens }) => {
      rows.push(batch.length);
      return batch.map((_, i) => Array.from({ length: nTokens }, () => 10 + i));
    },
    score: async () => [],
  };
  return { latentModel, rows };
}

/** Records by distance, as a memory finds them. */
function memory(records: (NewRecord & { id: number })[]) {
  const added: NewRecord[] = [];
  return {
    added,
    latents: LatentSpace.plain,
    search: async ({ z, count, filter }: MemoryQuery): Promise<FoundRecord[]> =>
      records
        .filter(({ tags = ["draft 3 3 on"] }) => tags.includes(filter!.tags![0]!))
        .map((record) => ({ record: { tags: [], time: 0, ...record }, similarity: -Math.abs(record.z[0]! - z![0]!) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, count),
    add: async (more: readonly NewRecord[]) => {
      added.push(...more);
      return more.map((record) => records.push({ ...record, id: records.length + 1 }));
    },
  };
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
    expect(drafts.counts).toEqual({ asked: 3, recalled: 2 });
    expect(drafts.share).toBe(2 / 3);
  });

  it("recalls none of another kind, and looks beyond those that are used up", async () => {
    const others = Array.from({ length: 200 }, (_, i) => kept(i + 1, 5, i < 150 ? 99 : 5));
    const store = memory([...others, { ...kept(300, 5, 5), tags: ["draft 6 3"] }]);
    const drafts = new RecalledDrafts(store, tokenizer, { distance: 2 });
    expect(idsOf(await drafts.forRun().recall(place, 2))).toEqual([151, 152]);
    expect(idsOf(await drafts.forRun().recall({ ...place, kind: "6 3" }, 2))).toEqual([300]);
  });

  it("recalls none twice in a run, none that the run wrote, and none more than 8 times", async () => {
    const drafts = new RecalledDrafts(memory([kept(1, 5, 5)]), tokenizer, { distance: 2 });
    const run = drafts.forRun();
    expect(idsOf(await run.recall(place, 1))).toEqual([1]);
    expect(await run.recall(place, 1)).toEqual([]);
    await run.keep(place, [{ ids: [5], z: Float32Array.of(5) }]);
    expect(await run.recall(place, 1)).toEqual([]);
    const later: number[] = [];
    for (let i = 0; i < 16; i++) later.push(...idsOf(await drafts.forRun().recall(place, 1)));
    expect(later).toEqual([...new Array(7).fill(1), ...new Array(8).fill(2), ...[]]);
  });
});

describe("SamplingRun.drafts", () => {
  it("writes and keeps those that are missing alone", async () => {
    const { latentModel, rows } = model();
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
    expect(store.added).toMatchObject([
      { ids: [10, 10, 10], text: "101010", contextZ: place.context, tags: ["draft 3 3 on"] },
    ]);
    // Without a context there is no place to compare.
    await run.drafts(from, [], 3, 3);
    expect(rows).toEqual([1, 4]);
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
