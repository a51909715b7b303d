/**
 * Hours of a server: npx tsc -p bench && node dist-bench/bench/soak.js [--minutes 60] [--clients 20] [--warm 15] [--threads 2] [--seed 1]
 * Clients of the pocket model ask for all kinds of things without a pause; a third of them leave before the answer. Prints a JSON line a minute: answers, failures,
 * resident memory of the server and of its engine, open files. At last the slope of each memory after the warm-up, in MB a minute, and the median of the last ten
 * minutes against that of the first ten after it. Reads /proc: Linux alone.
 */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Client } from "../src/client/index.js";
import { Rng } from "../src/rng.js";
import { serve } from "../src/server/serve.js";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    clients: { type: "string", default: "20" },
    warm: { type: "string", default: "15" },
    threads: { type: "string", default: "2" },
    seed: { type: "string", default: "1" },
  },
});
const [MINUTES, CLIENTS, WARM] = [Number(flags.minutes), Number(flags.clients), Number(flags.warm)];
const WORDS = "the owl fox baker lost found a lamp button key under near old bridge house river and then sang".split(
  " ",
);

const server = await serve({
  model: fileURLToPath(new URL("../../pocket", import.meta.url)),
  load: { threads: Number(flags.threads) },
  ...{ port: 0, seed: 1, version: "soak", maxActive: 2 * CLIENTS, maxWaiting: 10 * CLIENTS },
});
await server.loaded;
const client = new Client({ url: server.url });

/** A request of some kind, with texts that nobody asked for before. */
async function ask(rng: Rng, signal: AbortSignal | undefined): Promise<void> {
  const text = (words: number) => `${Array.from({ length: words }, () => rng.pick(WORDS)).join(" ")}.`;
  const [a, b] = [text(4 + rng.integer(12)), text(4 + rng.integer(12))];
  const seed = rng.integer(2 ** 31);
  switch (rng.integer(6)) {
    case 0:
      return void (await client.reconstruct({ texts: [a, b] }, signal));
    case 1:
      return void (await client.interpolate({ from: a, to: b, steps: 3 }, signal));
    case 2:
      return void (await client.embeddings({ model: "pocket", input: [a, b] }, signal));
    case 3:
      return void (await client.completions(
        { model: "pocket", prompt: a, max_tokens: 1 + rng.integer(40), seed },
        signal,
      ));
    case 4:
      return void (await client.generate(
        { sampler: "avg", prompt: a, context: text(rng.integer(80)), nSteps: 1, seed },
        signal,
      ));
    default:
      for await (const _ of client.stream("generate", { sampler: "guide", prompt: a, nSteps: 1, seed }, signal));
  }
}

let [answers, left, failures] = [0, 0, 0];
let isOver = false;
const clients = Array.from({ length: CLIENTS }, async (_, i) => {
  const rng = Rng.fromSeed(Number(flags.seed)).fork("client", i);
  while (!isOver) {
    const signal = rng.uniform() < 1 / 3 ? AbortSignal.timeout(1 + rng.integer(400)) : undefined;
    try {
      await ask(rng, signal);
      answers++;
    } catch (error) {
      if (signal?.aborted) left++;
      else {
        failures++;
        console.error(error);
      }
    }
  }
});

/** Process ids of the children of this one. */
function children(): number[] {
  const threads = readdirSync("/proc/self/task");
  return threads.flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
}

/** Megabytes of resident memory. */
function resident(pid: number | "self"): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kilobytes) / 1024;
}

const minutes: { server: number; engine: number; files: number }[] = [];
for (let minute = 1; minute <= MINUTES; minute++) {
  await sleep(60_000);
  const engine = children().reduce((sum, pid) => sum + resident(pid), 0);
  const now = { server: resident("self"), engine, files: readdirSync("/proc/self/fd").length };
  minutes.push(now);
  const shown = { server_mb: Math.round(now.server), engine_mb: Math.round(now.engine), files: now.files };
  console.log(JSON.stringify({ minute, answers, left, failures, ...shown }));
}
isOver = true;
await Promise.all(clients);
await server.close();

const warm = minutes.slice(WARM);
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;
/** Least squares, in MB a minute. */
function slope(values: number[]): number {
  const middle = (values.length - 1) / 2;
  const [up, down] = values.reduce(([u, d], y, x) => [u + (x - middle) * y, d + (x - middle) ** 2], [0, 0] as [
    number,
    number,
  ]);
  return up / down;
}
const figures = (of: "server" | "engine") => {
  const values = warm.map((each) => each[of]);
  const growth = median(values.slice(-10)) / median(values.slice(0, 10)) - 1;
  return { mb_per_minute: Number(slope(values).toFixed(2)), growth: Number(growth.toFixed(3)) };
};
if (warm.length > 1)
  console.log(
    JSON.stringify({
      minutes: MINUTES,
      clients: CLIENTS,
      answers,
      left,
      failures,
      server: figures("server"),
      engine: figures("engine"),
    }),
  );
