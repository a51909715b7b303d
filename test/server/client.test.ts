/** The typed client on the real server, and alone. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client, ServerError } from "../../src/client/index.js";
import { readEvents } from "../../src/remote/eventReader.js";
import type { Server } from "../../src/server/serve.js";
import { startServer, until } from "./server.js";

let server: Server;
let client: Client;
let memory: string;
beforeAll(async () => {
  memory = await mkdtemp(join(tmpdir(), "bigvae-served-memory-"));
  server = await startServer({ memory, strategies: join(memory, "strategies") });
  client = new Client({ url: `${server.url}/` });
});
afterAll(async () => {
  await server.close();
  await rm(memory, { recursive: true });
});

const metric = async (name: string) => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)![1]);
};

describe("the client", () => {
  it("calls every route", async () => {
    expect((await client.models()).data[0]!.id).toBe("pocket");
    const { latents } = await client.encode({ texts: ["The fox found a lamp.", "It rained."] });
    const zs = latents.map(({ mean }) => mean);
    const { texts } = await client.decode({ zs });
    expect(texts).toEqual(["The fox found a lamp.", "It rained."]);
    // A latent may be an array of floats too.
    expect((await client.decode({ zs: [Float32Array.from(zs[0]!) as unknown as number[]] })).texts).toEqual([texts[0]]);
    expect((await client.reconstruct({ texts })).reconstructions.map((each) => each.reconstruction)).toEqual(texts);
    const line = await client.interpolate({ from: texts[0]!, to: zs[1]!, steps: 2 });
    expect(line.texts.map(({ text }) => text)).toEqual(texts);
    expect((await client.mix({ parts: [{ weight: 1, source: texts[0]! }] })).text).toBe(texts[0]);
    const generated = await client.generate({ sampler: "guide", prompt: "An owl.", nSteps: 1, seed: 1 });
    const traced = await client.trace({ sampler: "guide", prompt: "An owl.", nSteps: 1, seed: 1 });
    expect(traced.text).toBe(generated.text);
    expect(traced.latents[0]).toHaveLength(1025);
    expect((await client.plan({ terminal: "They danced.", nSteps: 1, nAvg: 1 })).spans).toHaveLength(1);
    expect((await client.embeddings({ model: "pocket", input: texts })).data[0]!.embedding).toEqual(zs[0]);
    expect(await client.addToMemory({ records: texts.map((text) => ({ text })) })).toEqual({ ids: [1, 2] });
    const { found } = await client.searchMemory({ near: zs[1]!, count: 1 });
    expect(found[0]).toMatchObject({ id: 2, text: "It rained." });
    const long = "The fox found a lamp by the river. ".repeat(8);
    expect(await client.calibrateMemory({ texts: [long], nAvg: 1 })).toMatchObject({ coverage: 0.5, texts: 1 });
    expect(await client.deleteFromMemory({ ids: [2] })).toEqual({ deleted: 1 });
    expect((await client.memory()).records).toBe(1);
    const { plan } = await client.makePlan({ sources: ["A storm came up.", "They came home."] });
    const edited = await client.editPlan({ plan, number: 1, remove: true });
    expect(edited).toEqual({ plan: [plan[1]] });
    expect((await client.mergePlans({ plans: [edited.plan, plan], append: true })).plan).toHaveLength(3);
    const { waypoints } = await client.showPlan({ plan });
    expect(waypoints.map(({ decoded }) => decoded)).toEqual(["A storm came up.", "They came home."]);
    const search = { by: "search" as const, sources: ["They danced."], steps: 2, nAvg: 1, beam: 1, seed: 1 };
    const kinds: string[] = [];
    for await (const event of client.stream("makePlan", search)) {
      kinds.push(event.kind);
      if (event.kind === "result") expect(event.answer).toEqual(await client.makePlan(search));
    }
    expect(kinds).toEqual(["step", "result"]);
    expect(await client.saveStrategy({ name: "home", plan, examples: [zs[0]!] })).toEqual({ name: "home", version: 1 });
    expect((await client.showStrategy({ name: "home@1" })).plan).toEqual(plan);
    const names = ["home", "home"];
    expect(await client.mergeStrategies({ name: "both", names })).toMatchObject({ from: ["home@1", "home@1"] });
    expect(await client.removeStrategy({ name: "home" })).toEqual({ removed: 1 });
    expect((await client.strategies()).strategies).toEqual([
      { name: "both", versions: [1], examples: 2, waypoints: 2 },
    ]);
    const ask = { model: "pocket", prompt: "The owl", max_tokens: 8, seed: 1 };
    const { choices } = await client.completions(ask);
    let streamed = "";
    for await (const part of client.streamCompletions(ask)) streamed += part.choices[0]!.text;
    expect(streamed).toBe(choices[0]!.text);
  });

  it("tells a stream piece by piece, and the whole at the end", async () => {
    const request = { sampler: "guide" as const, prompt: "An owl.", nSteps: 2, ignoreEos: true, seed: 1 };
    let text = "";
    let spans = 0;
    for await (const event of client.stream("generate", request)) {
      if (event.kind === "token") text += event.text;
      else if (event.kind === "span") expect(event.span).toBe(++spans);
      else if (event.kind === "result") expect(event.answer).toMatchObject({ text, spans: { length: spans } });
    }
    expect(spans).toBe(2);
  });

  it("calls work off where the loop is left, and by a signal", async () => {
    const long = { sampler: "generate" as const, prompt: "An owl.", nSteps: 250, ignoreEos: true };
    for await (const event of client.stream("generate", long)) if (event.kind === "span") break;
    expect(await until(async () => (await metric("bigvae_requests_active")) === 0, 3000)).toBe(true);
    const controller = new AbortController();
    const run = client.generate(long, controller.signal);
    await until(async () => (await metric("bigvae_requests_active")) === 1, 3000);
    controller.abort();
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(await until(async () => (await metric("bigvae_requests_active")) === 0, 3000)).toBe(true);
  });

  it("throws what the server refuses", async () => {
    const error = await client.mix({ parts: [] }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ status: 400, code: "invalid_value", param: "parts" });
    const stream = client.stream("generate", { sampler: "guide" });
    await expect(stream.next()).rejects.toMatchObject({ status: 400, message: /prompt/ });
    await expect(new Client({ url: "http://127.0.0.1:1" }).models()).rejects.toThrow("fetch failed");
  });
});

it("events are read however they are cut", async () => {
  const text = 'event: span\r\ndata: {"a":"\u2603"}\n\n: a comment\n\ndata: one\ndata: two\n\ndata: cut';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 7, 1000]) {
    const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    );
    const events: object[] = [];
    for await (const event of readEvents(new Blob(parts).stream() as ReadableStream<Uint8Array>)) events.push(event);
    expect(events).toEqual([
      { event: "span", data: '{"a":"\u2603"}' },
      { event: "message", data: "one\ntwo" },
    ]);
  }
});
