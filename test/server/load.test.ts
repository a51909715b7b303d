/**
 * Many clients at once on the real server: each answer is what it is alone, whoever leaves in between. BIGVAE_LOAD=200 has as many clients, with
 * fifty requests each.
 */
import { connect } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Client } from "../../src/client/index.js";
import { Rng } from "../../src/rng.js";
import type { Server } from "../../src/server/serve.js";
import { startServer, until } from "./server.js";

const CLIENTS = Number(process.env.BIGVAE_LOAD ?? 4);
const REQUESTS = process.env.BIGVAE_LOAD ? 50 : 3;

let server: Server;
let client: Client;
beforeAll(async () => {
  server = await startServer({ maxActive: 64, maxWaiting: 200, headersTimeoutMs: 2000 });
  client = new Client({ url: server.url });
});
afterAll(() => server.close());

const active = async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(/^bigvae_requests_active (\d+)$/m.exec(text)![1]);
};

const TEXTS = [
  "The fox found a lamp.",
  "It rained on the village.",
  "My brother fixed the old radio.",
  "We danced by the fire.",
];
const text = (i: number) => TEXTS[i % TEXTS.length]!;
/** Greedy and without noise: a draw at the edge of two tokens may fall either way with the rounding of another batch. */
const KINDS: readonly ((i: number, signal?: AbortSignal) => Promise<string>)[] = [
  async (i, signal) =>
    (await client.reconstruct({ texts: [text(i), text(i + 1)] }, signal)).reconstructions
      .map((each) => each.reconstruction)
      .join("|"),
  async (i, signal) =>
    (await client.interpolate({ from: text(i), to: text(i + 2), steps: 4 }, signal)).texts
      .map((each) => each.text)
      .join("|"),
  async (i, signal) =>
    (await client.mix({ parts: [0, 1, 3].map((k) => ({ weight: 0.4, source: text(i + k) })) }, signal)).text,
  async (i, signal) =>
    (
      await client.generate(
        { sampler: "guide", prompt: text(i), context: text(i + 1).repeat(i % 4), nSteps: 2, tau: 0, noise: 0 },
        signal,
      )
    ).text,
  async (i, signal) =>
    (await client.generate({ sampler: "avg", prompt: text(i), nSteps: 1, nAvg: 3, tau: 0, noise: 0 }, signal)).text,
  async (i, signal) =>
    (await client.completions({ model: "pocket", prompt: text(i), max_tokens: 16 + (i % 20), temperature: 0 }, signal))
      .choices[0]!.text,
  async (i, signal) =>
    (await client.embeddings({ model: "pocket", input: text(i) }, signal)).data
      .map(({ embedding }) => (embedding as number[]).map((value) => value.toFixed(2)).slice(0, 8))
      .join(),
];
/** A request by its number. */
const ask = (i: number, signal?: AbortSignal) => KINDS[i % KINDS.length]!(Math.floor(i / KINDS.length), signal);
/** After that many numbers the requests repeat. */
const DIFFERENT = KINDS.length * 20;

it("gives many clients what each gets alone, while others leave at any moment", { timeout: 3_600_000 }, async () => {
  const rng = Rng.fromSeed("load");
  const plan = Array.from({ length: CLIENTS }, () =>
    Array.from({ length: REQUESTS }, () => ({
      number: rng.integer(DIFFERENT),
      leavesAfterMs: rng.uniform() < 0.3 ? 200 * rng.uniform() : undefined,
    })),
  );
  const answers = new Map<number, string>();
  const failures: unknown[] = [];
  const latencies: number[] = [];
  await Promise.all(
    plan.map(async (requests) => {
      for (const { number, leavesAfterMs } of requests) {
        const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(Math.ceil(leavesAfterMs));
        const start = performance.now();
        try {
          const answer = await ask(number, signal);
          if (answers.has(number)) expect(answer).toBe(answers.get(number));
          answers.set(number, answer);
          latencies.push(performance.now() - start);
        } catch (error) {
          if (!signal?.aborted) failures.push(error);
        }
      }
    }),
  );
  expect(failures).toEqual([]);
  expect(await until(async () => (await active()) === 0, 3000)).toBe(true);
  latencies.sort((a, b) => a - b);
  console.info(
    `${latencies.length} answers, p50 ${latencies[latencies.length >> 1]!.toFixed(0)} ms, p99 ${latencies[Math.floor(0.99 * latencies.length)]!.toFixed(0)} ms`,
  );
  expect(answers.size).toBeGreaterThan((CLIENTS * REQUESTS) / 3);
  for (const [number, answer] of [...answers].slice(0, 40))
    expect([number, await ask(number)]).toEqual([number, answer]);
});

it("closes connections that send their headers too slowly, and answers others meanwhile", {
  timeout: 30_000,
}, async () => {
  const port = Number(new URL(server.url).port);
  const closed: Promise<number>[] = [];
  const start = performance.now();
  for (let i = 0; i < 100; i++)
    closed.push(
      new Promise((resolve) => {
        const socket = connect(port, "127.0.0.1", () =>
          socket.write("POST /check-tokens HTTP/1.1\r\nhost: localhost\r\nx: "),
        );
        const drip = setInterval(() => socket.writable && socket.write("y"), 1000);
        socket.on("error", () => undefined);
        socket.resume().on("close", () => {
          clearInterval(drip);
          resolve(performance.now() - start);
        });
      }),
    );
  const times: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = performance.now();
    await client.models();
    times.push(performance.now() - before);
  }
  expect(times.sort((a, b) => a - b)[10]).toBeLessThan(100);
  expect(Math.max(...(await Promise.all(closed)))).toBeLessThan(6000);
});
