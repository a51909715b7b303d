/** The server with the pocket model on loopback: streams of many users beside one at a time, embeddings of many texts beside one by one. */
import { fileURLToPath } from "node:url";
import { Client } from "../src/client/index.js";
import { Rng } from "../src/rng.js";
import { serve } from "../src/server/serve.js";

const POCKET = fileURLToPath(new URL("../../pocket", import.meta.url));
const STREAMS = 32;
const TEXTS = 128;
const WORDS =
  "the owl fox baker lost found a lamp button key under near old bridge house river and then sang slept".split(" ");

export interface ServeFigures {
  job: string;
  serial_per_s: number;
  together_per_s: number;
  ratio: number;
  /** Of a new stream's first token beside all others. */
  first_token_ms?: number;
}

/** Medians over runs; a run is some seconds. */
export async function* serveFigures(threads: number, runs: number): AsyncGenerator<ServeFigures> {
  const server = await serve({
    model: POCKET,
    load: { threads },
    port: 0,
    seed: 1,
    version: "bench",
    maxActive: 2 * STREAMS,
  });
  try {
    await server.loaded;
    const client = new Client({ url: server.url });
    yield await streams(client, runs);
    yield await embeddings(client, runs);
  } finally {
    await server.close();
  }
}

/** Prompts, contexts and samplers of all kinds. */
function request(i: number) {
  const rng = Rng.fromSeed(i);
  const text = (words: number) => Array.from({ length: words }, () => rng.pick(WORDS)).join(" ");
  const sampler = (["generate", "guide", "prose"] as const)[i % 3]!;
  return { sampler, prompt: text(4 + (i % 9)), context: text((7 * i) % 60), nSteps: 2, ignoreEos: true, seed: i };
}

async function streams(client: Client, runs: number): Promise<ServeFigures> {
  let firstTokenMs = 0;
  /** Tokens that one stream brings, by those of its spans. */
  const tokensOf = async (i: number, isMeasured = false): Promise<number> => {
    const start = performance.now();
    let tokens = 0;
    for await (const event of client.stream("generate", request(i))) {
      if (event.kind === "token" && isMeasured && firstTokenMs === 0) firstTokenMs = performance.now() - start;
      if (event.kind === "span") tokens += event.ids.length;
    }
    return tokens;
  };
  await tokensOf(0);
  const serial: number[] = [];
  const together: number[] = [];
  for (let run = 0; run < runs; run++) {
    serial.push(await perSecond(async () => (await tokensOf(1)) + (await tokensOf(2)) + (await tokensOf(3))));
    together.push(
      await perSecond(async () => {
        const all = Array.from({ length: STREAMS - 1 }, (_, i) => tokensOf(i));
        await new Promise((resolve) => setTimeout(resolve, 500));
        const counts = await Promise.all([...all, tokensOf(STREAMS - 1, true)]);
        return counts.reduce((sum, count) => sum + count, 0);
      }),
    );
  }
  return { ...figures(`${STREAMS} streams, tokens`, serial, together), first_token_ms: Math.round(firstTokenMs) };
}

async function embeddings(client: Client, runs: number): Promise<ServeFigures> {
  const rng = Rng.fromSeed(5);
  const { data } = await client.models();
  const model = data[0]!.id;
  const input = Array.from({ length: TEXTS }, () => Array.from({ length: 64 }, () => 10 + rng.integer(2000)));
  const embed = (rows: number[][]) => client.embeddings({ model, input: rows, encoding_format: "base64" });
  await embed(input.slice(0, 8));
  const serial: number[] = [];
  const together: number[] = [];
  for (let run = 0; run < runs; run++) {
    serial.push(
      await perSecond(async () => {
        for (const row of input) await embed([row]);
        return TEXTS;
      }),
    );
    together.push(await perSecond(async () => (await embed(input)).data.length));
  }
  return figures(`embeddings of ${TEXTS} texts of 64 tokens, texts`, serial, together);
}

async function perSecond(work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const count = await work();
  return count / ((performance.now() - start) / 1000);
}

function figures(job: string, serial: number[], together: number[]): ServeFigures {
  const [one, all] = [serial, together].map((values) => values.sort((a, b) => a - b)[values.length >> 1]!) as [
    number,
    number,
  ];
  return { job, serial_per_s: Math.round(one), together_per_s: Math.round(all), ratio: Number((all / one).toFixed(2)) };
}
