/** What goes wrong around the real server: an engine that dies, full queues, readers that leave, an end while it works. */
import { spawn } from "node:child_process";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Server } from "../../src/server/serve.js";
import { MAIN } from "../cli/run.js";
import { eventsOf, type Failed, post, startServer, until } from "./server.js";

/** Writes for minutes. */
const LONG = { sampler: "generate", prompt: "The owl lost a button.", nSteps: 250, ignoreEos: true };
const SHORT = { model: "pocket", prompt: "The owl lost", max_tokens: 12, seed: 3, temperature: 0 };

const metric = async (url: string, name: string) => {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "m").exec(text)?.[1] ?? 0);
};
const active = (url: string) => metric(url, "bigvae_requests_active");
const write = (url: string, body: object, init: RequestInit = {}) => post(`${url}/latent/generate`, body, init);
const complete = (url: string, body: object, init: RequestInit = {}) => post(`${url}/v1/completions`, body, init);

describe("a server", () => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer({ maxActive: 4, maxWaiting: 4 });
  });
  afterAll(() => server.close());
  /** Streams of long texts, of which the first words have come. */
  const streams = async (count: number) => {
    const controllers = Array.from({ length: count }, () => new AbortController());
    const bodies = await Promise.all(
      controllers.map(async ({ signal }, i) => {
        const body = JSON.stringify({ ...LONG, seed: i, stream: true });
        const headers = { "content-type": "application/json" };
        const response = await fetch(`${server.url}/latent/generate`, { method: "POST", body, headers, signal });
        const reader = response.body!.getReader();
        await reader.read();
        return reader;
      }),
    );
    return { controllers, bodies };
  };

  it.each(["SIGKILL", "SIGABRT"] as const)("goes on when %s ends its engine", async (signal) => {
    const expected = (await complete(server.url, SHORT)).body.choices;
    const { bodies } = await streams(1);
    const waiting = write(server.url, LONG);
    await until(async () => (await active(server.url)) === 2, 3000);
    const { pid } = server.model.get().engine.link;
    const killed = performance.now();
    process.kill(pid!, signal);
    const { status, body, headers } = await waiting;
    expect(status).toBe(503);
    expect((body as Failed).error).toMatchObject({ type: "server_error", code: "unavailable" });
    expect(headers.get("retry-after")).toBe("1");
    let rest = "";
    for (;;) {
      const { value, done } = await bodies[0]!.read();
      if (done) break;
      rest += new TextDecoder().decode(value);
    }
    expect(eventsOf(rest).at(-1)).toMatchObject({ event: "error", data: expect.stringContaining("unavailable") });
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect(await until(async () => (await fetch(`${server.url}/readyz`)).status === 200, 10_000)).toBe(true);
    console.info(`back ${(performance.now() - killed).toFixed(0)} ms after ${signal}`);
    expect(server.model.get().engine.link.pid).not.toBe(pid);
    expect((await complete(server.url, SHORT)).body.choices).toEqual(expected);
    expect(await metric(server.url, "bigvae_engine_ends_total")).toBeGreaterThan(0);
  });

  it("frees the place of whoever leaves, at work or in the line, and goes on with the others", async () => {
    const expected = (await complete(server.url, SHORT)).body.choices;
    const { controllers } = await streams(3);
    const kept = complete(server.url, { ...SHORT, max_tokens: 200 });
    const alone = (await kept).body.choices;
    await streams(1).then(async ({ controllers: more }) => {
      const line = Array.from({ length: 4 }, () => new AbortController());
      const queued = line.map(({ signal }) => write(server.url, LONG, { signal }).catch((error: Error) => error.name));
      expect(await until(async () => (await metric(server.url, "bigvae_requests_waiting")) === 4, 3000)).toBe(true);
      for (const each of line) each.abort();
      expect(await Promise.all(queued)).toEqual(Array(4).fill("AbortError"));
      expect(await until(async () => (await metric(server.url, "bigvae_requests_waiting")) === 0, 3000)).toBe(true);
      expect(await active(server.url)).toBe(4);
      for (const each of [...controllers, ...more]) each.abort();
    });
    expect(await until(async () => (await active(server.url)) === 0, 2000)).toBe(true);
    // Nothing is written any more.
    const written = await metric(server.url, "bigvae_tokens_total");
    await wait(300);
    expect(await metric(server.url, "bigvae_tokens_total")).toBe(written);
    expect((await complete(server.url, { ...SHORT, max_tokens: 200 })).body.choices).toEqual(alone);
    expect((await complete(server.url, SHORT)).body.choices).toEqual(expected);
  });

  it("refuses at once what finds its line full, and answers all that it took", async () => {
    const { controllers } = await streams(4);
    const times: number[] = [];
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const start = performance.now();
        const { status, headers, body } = await complete(server.url, SHORT);
        if (status !== 429) return { status, body };
        // The line stays full until all that are too many were refused.
        if (times.push(performance.now() - start) === 96) for (const each of controllers) each.abort();
        expect(headers.get("retry-after")).toBe("1");
        expect((body as Failed).error).toMatchObject({ type: "rate_limit_error", code: "queue_full" });
        return { status, body: undefined };
      }),
    );
    const count = (of: number) => statuses.filter(({ status }) => status === of).length;
    expect([count(200), count(429)]).toEqual([4, 96]);
    // A hundred connections are opened within it, too.
    expect(times.sort((a, b) => a - b)[times.length >> 1]).toBeLessThan(500);
  });

  it("says how it is within 100 ms while it works", async () => {
    const { controllers } = await streams(4);
    const times: number[] = [];
    for (let i = 0; i < 20; i++) {
      const start = performance.now();
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      times.push(performance.now() - start);
      await wait(20);
    }
    for (const each of controllers) each.abort();
    expect(times.sort((a, b) => a - b)[10]).toBeLessThan(100);
  });
});

describe("the command", () => {
  const start = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, "serve", "--port", "0", "--threads", "1", "--json", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await Promise.race([until(() => stdout.includes("\n"), 20_000), ended]);
    const { url } = stdout.includes("\n") ? (JSON.parse(stdout) as { url: string }) : { url: "" };
    return { child, url, ended, stderr: () => stderr };
  };

  it("ends at SIGTERM: work is finished, new work refused, the exit code 0", async () => {
    const { child, url, ended } = await start();
    const working = write(url, { ...LONG, nSteps: 4 });
    await until(async () => (await active(url)) === 1, 3000);
    child.kill("SIGTERM");
    expect(await until(async () => (await fetch(`${url}/readyz`)).status === 503, 500)).toBe(true);
    const refused = await complete(url, SHORT);
    expect([refused.status, (refused.body as Failed).error.code]).toEqual([503, "closing"]);
    expect((await working).status).toBe(200);
    expect(await ended).toBe(0);
  });

  it("ends at once at a second signal", async () => {
    const { child, url, ended } = await start("--quiet");
    void write(url, LONG).catch(() => undefined);
    await until(async () => (await active(url)) === 1, 3000);
    child.kill("SIGINT");
    await wait(200);
    child.kill("SIGINT");
    expect(await Promise.race([ended, wait(3000, "still there")])).toBe(130);
  });

  it("exits with the model's error, and for a port that is taken", async () => {
    const none = await start("--model", "nowhere/at/all", "--quiet");
    expect(await none.ended).toBe(2);
    expect(none.stderr()).toMatch(/^bigvae: --model nowhere\/at\/all: expected/);
    const first = await start("--quiet");
    const second = await start("--quiet", "--port", new URL(first.url).port);
    expect(await second.ended).toBe(2);
    expect(second.stderr()).toMatch(
      /^bigvae: --port: expected one that is free on 127\.0\.0\.1, got \d+ \(EADDRINUSE\)/,
    );
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
  });
});
