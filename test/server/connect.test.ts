/** The library and the command on the model of a server: what comes back is what a model that is loaded here gives. */
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BigVae } from "../../src/bigVae.js";
import { openMemory } from "../../src/operations/memories.js";
import type { Server } from "../../src/server/serve.js";
import { bigvae } from "../cli/run.js";
import { importBuilt } from "../host/built.js";
import { startServer } from "./server.js";

const TEXTS = ["The fox found a lamp.", "It rained on the old bridge."];
const KEY = "secret";
let server: Server;
let served: BigVae;
let local: BigVae;
let folder: string;
beforeAll(async () => {
  const { BigVae } = await importBuilt();
  folder = await mkdtemp(join(tmpdir(), "bigvae-connect-"));
  server = await startServer({ key: KEY });
  [served, local] = await Promise.all([
    BigVae.connect(server.url, { key: KEY }),
    BigVae.load("pocket", { threads: 1 }),
  ]);
});
afterAll(async () => {
  await served.close();
  await local.close();
  await server.close();
  await rm(folder, { recursive: true });
});

async function written(vae: BigVae) {
  const options = { prompt: TEXTS[0]!, nSteps: 2, nAvg: 2, seed: 3 };
  let told = "";
  const run = vae.generate("avg", { ...options, onText: (text) => void (told += text) });
  const texts: string[] = [];
  for await (const { text } of run) texts.push(text);
  expect(texts.join("")).toBe(told);
  return texts;
}

describe("a model on a server", () => {
  it("has the facts, tokenizer and hashes of the model", async () => {
    expect(served.facts).toEqual(local.facts);
    expect(served.tokenizer.encode("An owl.")).toEqual(local.tokenizer.encode("An owl."));
    expect(await served.hashes()).toEqual(await local.hashes());
  });

  it("encodes, decodes, scores, embeds and writes as one that is loaded here", async () => {
    const [there, here] = [await served.encode(TEXTS), await local.encode(TEXTS)];
    expect(there).toEqual(here);
    expect(await served.decodeAll(there.map(({ mean }) => mean))).toEqual(TEXTS);
    expect(await served.confidence(there)).toEqual(await local.confidence(here));
    expect(await served.embed(TEXTS, { causal: true })).toEqual(await local.embed(TEXTS, { causal: true }));
    expect(await written(served)).toEqual(await written(local));
  });

  it("shares its memories with models that are loaded here", async () => {
    const memory = await openMemory(served, join(folder, "memory"));
    const [fox] = await served.encode([TEXTS[0]!]);
    await memory.add([{ text: fox!.text, ids: fox!.ids, z: fox!.mean }]);
    await memory.close();
    await (await openMemory(local, join(folder, "memory"), { mustExist: true })).close();
  });

  it("ends work there where it is called off here, and after close", async () => {
    const { BigVae } = await importBuilt();
    const vae = await BigVae.connect(server.url, { key: KEY });
    const active = async () => {
      const text = await (await fetch(`${server.url}/metrics`, { headers: { authorization: `Bearer ${KEY}` } })).text();
      return Number(/^bigvae_requests_active (\d+)$/m.exec(text)![1]);
    };
    const z = (await vae.encode([TEXTS[0]!]))[0]!.mean;
    const controller = new AbortController();
    const endless = (signal?: AbortSignal) => vae.continue(z, { nTokens: 400, tau: 2, ...(signal ? { signal } : {}) });
    const [first, second] = [endless(controller.signal), endless()];
    controller.abort();
    await expect(first).rejects.toMatchObject({ kind: "aborted" });
    void vae.close();
    await expect(second).rejects.toBeInstanceOf(Error);
    await expect.poll(active, { timeout: 5000 }).toBe(0);
    await expect(vae.encode(TEXTS)).rejects.toMatchObject({ kind: "usage" });
  });

  it("says what is wrong with the address, the key or the server", async () => {
    const { BigVae } = await importBuilt();
    const failed = (url: string, key?: string) => BigVae.connect(url, key === undefined ? {} : { key });
    await expect(failed("nowhere")).rejects.toMatchObject({ kind: "usage" });
    await expect(failed(server.url, "wrong")).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/key/),
    });
    const gone = await startServer();
    await gone.close();
    await expect(failed(gone.url)).rejects.toMatchObject({
      kind: "unavailable",
      message: `server: expected one at ${gone.url}, got ECONNREFUSED; start it with bigvae serve, or check the address`,
    });
    const other = createServer((_, answer) => answer.end("<html>")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const page = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await expect(failed(page)).rejects.toMatchObject({
      kind: "unavailable",
      message: 'server: expected an answer of bigvae serve, got something else: "<html>"; check its address',
    });
    other.close();
    const large = Array.from({ length: 150 }, () => Float32Array.from({ length: served.width }, () => Math.PI / 3));
    await expect(served.decodeAll(large)).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(
        /give fewer texts at a time, or raise the limit of bigvae serve on the size of a request/,
      ),
    });
    const long = served.encode([`${"word ".repeat(600)}`]);
    await expect(long).rejects.toMatchObject({ kind: "usage", detail: { expected: expect.anything() } });
  });
});

describe("the command", () => {
  const env = { BIGVAE_API_KEY: KEY };
  it("takes the address of a server as its model, with the same output", async () => {
    const args = ["generate", "--prompt", TEXTS[0]!, "--steps", "1", "--seed", "2", "--sampler", "guide"];
    const there = await bigvae([...args, "--model", server.url], "", env);
    expect(there.code, there.stderr).toBe(0);
    expect(there.stdout).toBe((await bigvae(args)).stdout);
    const file = join(folder, "z.npy");
    expect((await bigvae(["encode", ...TEXTS, "--model", server.url, "--output", file], "", env)).code).toBe(0);
    const own = join(folder, "own.npy");
    await bigvae(["encode", ...TEXTS, "--output", own]);
    expect(await readFile(file)).toEqual(await readFile(own));
  });

  it("refuses experts of this machine", async () => {
    const args = ["generate", "--prompt", "An owl.", "--model", server.url, "--experts", folder];
    expect((await bigvae(args, "", env)).stderr).toMatch(
      /--experts: expected a model that is loaded here, got that of a server/,
    );
  });

  it("refuses flags of loading beside it", async () => {
    const { code, stderr } = await bigvae(["encode", "fox", "--model", server.url, "--quant", "int8"], "", env);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^bigvae: --quant: expected a model that is loaded here, got that of http.*; leave out --quant$/m,
    );
  });
});
