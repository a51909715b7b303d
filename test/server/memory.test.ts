/** The server's memory: records over HTTP, drafts that are recalled, and what a server without one says. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../src/server/serve.js";
import { eventsOf, type Failed, post, startServer } from "./server.js";

const TEXTS = ["The fox found a lamp.", "The fox found a lantern.", "It rained on the harbour all night."];
const LONG = "The fox found a lamp by the river and took it home. ".repeat(8);
let folder: string;
let server: Server;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-server-memory-"));
  server = await startServer({ memory: folder });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const ask = (path: string, body: object, url = server.url) => post(`${url}/memory/${path}`, body);
const shown = async (url = server.url) => {
  const response = await fetch(`${url}/memory`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe("records", () => {
  let ids: number[];
  it("are kept with the latents of their texts, or those that are given", async () => {
    const records = TEXTS.map((text, i) => ({ text, tags: [i < 2 ? "fable" : "weather"], score: i }));
    const { status, body } = await ask("add", { records });
    expect(status, JSON.stringify(body)).toBe(200);
    ids = body.ids;
    expect(ids).toHaveLength(3);
    expect((await shown()).body).toMatchObject({ records: 3, space: { zDim: 1024, slots: 32 }, recall: null });
    const [first] = (await ask("search", { near: TEXTS[0], count: 1, latents: true })).body.found;
    const encoded = await post(`${server.url}/latent/encode`, { texts: [TEXTS[0]] });
    expect(first).toMatchObject({ id: ids[0], text: TEXTS[0], tags: ["fable"], score: 0 });
    expect(first.z).toEqual(encoded.body.latents[0].mean);
    const own = await ask("add", { records: [{ text: "elsewhere", z: encoded.body.latents[0].mean }] });
    const [again] = (await ask("search", { near: TEXTS[0], text: "elsewhere", count: 1 })).body.found;
    expect(again.id).toBe(own.body.ids[0]);
    await ask("delete", { ids: own.body.ids });
  });

  it("are found by a text, a latent, words and filters, and their mean is decoded", async () => {
    const texts = (body: { found: { text: string }[] }) => body.found.map(({ text }) => text);
    expect(texts((await ask("search", { near: "A fox found the lamp.", count: 2 })).body).sort()).toEqual(
      TEXTS.slice(0, 2).sort(),
    );
    expect(texts((await ask("search", { text: "harbour" })).body)).toEqual([TEXTS[2]]);
    expect(texts((await ask("search", { near: TEXTS[0], filter: { tags: ["weather"] } })).body)).toEqual([TEXTS[2]]);
    expect(texts((await ask("search", { near: TEXTS[0], filter: { maxScore: 0 }, exact: true })).body)).toEqual([
      TEXTS[0],
    ]);
    const { body } = await ask("search", { near: TEXTS[2], count: 1, decode: true });
    expect(body.mean.text).toBe(TEXTS[2]);
  });

  it("that are wrong are refused whole, in one sentence", async () => {
    const failed = async (path: string, body: object) => (await ask(path, body)) as { status: number; body: Failed };
    const before = (await shown()).body.records;
    const short = await failed("add", { records: [{ text: "one" }, { text: "two", z: [1, 2] }] });
    expect(short.status).toBe(400);
    expect(short.body.error.message).toMatch(/1025/);
    expect((await failed("delete", { ids: [ids[0]!, 999] })).body.error.message).toMatch(/999/);
    expect((await failed("add", { records: [{ text: "" }] })).status).toBe(400);
    expect((await failed("search", {})).status).toBe(400);
    expect((await failed("search", { near: TEXTS[0], metric: "l2", by: "match" })).status).toBe(400);
    expect((await shown()).body.records).toBe(before);
  });
});

describe("drafts", () => {
  it("are recalled by a run that asks for them, once the memory is calibrated", async () => {
    const run = { sampler: "avg", prompt: LONG, nSteps: 1, nAvg: 2, memory: true };
    const refused = await post<Failed>(`${server.url}/latent/generate`, run);
    expect(refused.body.error.message).toMatch(
      /^memory: expected one that is calibrated, got one that is not; post texts to \/memory\/calibrate/,
    );
    const short = (await ask("calibrate", { texts: ["Too short."] })) as { body: Failed };
    expect(short.body.error.message).toMatch(/expected texts of at least 64 tokens/);
    const { body: recall } = await ask("calibrate", { texts: [LONG], coverage: 1, nAvg: 16, seed: 1 });
    expect(recall).toMatchObject({ coverage: 1, texts: 1, seed: 1 });
    const { records, ...memory } = (await shown()).body;
    expect(memory.recall).toEqual({ distance: recall.distance, coverage: 1, texts: 1 });
    const generate = (seed: number) => post(`${server.url}/latent/generate`, { ...run, seed });
    expect((await generate(1)).body.spans[0]).not.toHaveProperty("recalled");
    expect((await shown()).body.records).toBe((records as number) + 2);
    const { recalled } = (await generate(2)).body.spans[0];
    const kept = (await ask("search", { near: LONG, count: 9, filter: { tags: ["draft 64 64 on"] } })).body.found;
    expect(kept.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining(recalled));
    // A stream says the same of each span, and a trace of each draft.
    const stream = await post<string>(`${server.url}/latent/generate`, { ...run, seed: 3, stream: true });
    const span = JSON.parse(eventsOf(stream.body).find(({ event }) => event === "span")!.data);
    expect(span.recalled.length).toBeGreaterThan(0);
    const { trace } = (await post(`${server.url}/latent/trace`, { ...run, seed: 4 })).body;
    const traced = trace.find(({ kind }: { kind: string }) => kind === "span");
    const ids = traced.drafts.flatMap(({ recalled }: { recalled?: number }) => recalled ?? []);
    expect(ids.length).toBeGreaterThan(0);
  });
});

describe("a server", () => {
  it("without a memory says how to get one", async () => {
    const plain = await startServer();
    try {
      const { status, body } = await ask("search", { near: "fox" }, plain.url);
      expect(status).toBe(400);
      expect(body.error.message).toMatch(/^memory: expected a server with one, got one without; start it with memory/);
    } finally {
      await plain.close();
    }
  });

  it("does not start with a memory that another process has open", async () => {
    await expect(startServer({ memory: folder })).rejects.toMatchObject({ kind: "locked" });
  });

  it("that is closed while its model is loaded lets go of the memory", async () => {
    const own = await mkdtemp(join(tmpdir(), "bigvae-closed-memory-"));
    const { serve } = (await import(
      /* @vite-ignore */ new URL("../../dist/server/serve.js", import.meta.url).href
    )) as typeof import("../../src/server/serve.js");
    const closed = await serve({ port: 0, seed: 1, version: "0.0.0", load: { threads: 1 }, memory: own });
    await closed.close();
    await closed.loaded.catch(() => undefined);
    const next = await startServer({ memory: own });
    await next.close();
    await rm(own, { recursive: true });
  });
});
