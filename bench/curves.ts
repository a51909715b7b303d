/**
 * How cost grows on a random model of SmolLM2-135M's shape: npx tsc -p bench && node dist-bench/bench/curves.js [--what context,drafts] [--runs 3] [--threads 2]
 * A written token behind contexts of 64 to 8,192 tokens, and a span of avg by the number of its drafts, 1 to 64. Prints a JSON line for each point, at last the
 * straight line through them, and draws docs/speed/context.svg and docs/speed/drafts.svg.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Engine } from "../src/engine/engine.js";
import { Rng } from "../src/rng.js";
import { onnxNodeRuntime } from "../src/runtime/onnxNode.js";
import { AVG_PRESETS, avg } from "../src/sampling/avg.js";
import type { LatentModel } from "../src/sampling/model.js";
import { randomAdapters, randomBase, SMOLLM2, Z_DIM } from "./model.js";

/** Untyped JavaScript; from dist-bench/bench the sources are two folders up. */
const { chart } = await import(new URL("../../scripts/chart.mjs", import.meta.url).href);

const { values: flags } = parseArgs({
  options: {
    what: { type: "string", default: "context,drafts" },
    runs: { type: "string", default: "3" },
    threads: { type: "string", default: "2" },
  },
});

const CONTEXTS = [64, 256, 1024, 2048, 4096, 8192];
const DRAFTS = [1, 2, 4, 8, 16, 32, 64];
/** Tokens that are timed behind a context. */
const TOKENS = 16;
/** avg writes drafts of twice as many. */
const SPAN = 16;

const config = { ...SMOLLM2, maxPositionEmbeddings: 8192 + 128 };
const rng = Rng.fromSeed(1);
const randomIds = (count: number) => Array.from({ length: count }, () => rng.integer(config.vocabSize));
const runtime = onnxNodeRuntime({ threads: Number(flags.threads) });
const engine = new Engine({ runtime, base: randomBase(config), vae: randomAdapters(config), form: "merged" });

/** A point of a curve: the median of some runs, the least and the most. */
interface Point {
  x: number;
  value: number;
  low: number;
  high: number;
}

/** `once` measures once; its first value, in which sessions are made, is left out. */
async function pointOf(x: number, once: () => Promise<number>): Promise<Point> {
  const values: number[] = [];
  for (let run = 0; run <= Number(flags.runs); run++) {
    const value = await once();
    if (run > 0) values.push(value);
  }
  values.sort((a, b) => a - b);
  const rounded = (value: number) => Number(value.toPrecision(3));
  const median = values[values.length >> 1]!;
  return { x, value: rounded(median), low: rounded(values[0]!), high: rounded(values.at(-1)!) };
}

/** Milliseconds of a token of one row behind a context. */
async function msOfToken(context: readonly number[]): Promise<number> {
  let [first, last] = [0, 0];
  const onToken = () => {
    last = performance.now();
    first ||= last;
  };
  const row = { z: rng.normals(Z_DIM), rngKey: rng.fork("noise").key };
  await engine.write([row], { writer: "router", context, nTokens: TOKENS + 1, tau: 0.9, onToken });
  return (last - first) / TOKENS;
}

/** Seconds of a span of avg: drafts, their latents, and the span from the mean. */
async function secondsOfSpan(nAvg: number): Promise<number> {
  const latent: LatentModel = {
    encode: (spans) => engine.encode(spans.map((ids) => ({ ids }))),
    write: (rows, context, options) => engine.write(rows, { ...options, writer: "router", context }),
    score: async () => [],
    tokenizer: { encode: () => [], decode: () => "" },
  };
  const options = { rng, nSteps: 1, nAvg, tau: 0.9, noise: 1, span: SPAN, cfgScale: 1 };
  const started = performance.now();
  for await (const _ of avg(latent, randomIds(64), randomIds(64), options, AVG_PRESETS.repository));
  return (performance.now() - started) / 1000;
}

/** The least-squares line through the points, and the largest distance from it as a share of the value. */
function straightLine(points: readonly Point[]) {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean((point) => point.x), mean(({ value }) => value)];
  const slope = mean((point) => (point.x - x) * (point.value - y)) / mean((point) => (point.x - x) ** 2);
  const at = (of: number) => y + slope * (of - x);
  const off = Math.max(...points.map((point) => Math.abs(at(point.x) / point.value - 1)));
  return {
    slope: Number(slope.toPrecision(3)),
    at_0: Number(at(0).toPrecision(3)),
    largest_share_off: Number(off.toFixed(2)),
  };
}

const curves = {
  context: {
    title: "A written token by the length of its context",
    xLabel: "tokens of the context",
    yLabel: "ms a token",
    label: "one row, fp32",
    xs: CONTEXTS,
    measure: (length: number) => {
      const context = randomIds(length);
      return pointOf(length, () => msOfToken(context));
    },
  },
  drafts: {
    title: "A span of avg by the number of its drafts",
    xLabel: `drafts of ${2 * SPAN} tokens`,
    yLabel: "seconds a span",
    label: "fp32",
    xs: DRAFTS,
    measure: (count: number) => pointOf(count, () => secondsOfSpan(count)),
  },
};

const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
mkdirSync("docs/speed", { recursive: true });
for (const [name, { xs, measure, label, title, xLabel, yLabel }] of Object.entries(curves)) {
  if (!flags.what.split(",").includes(name)) continue;
  const points: Point[] = [];
  for (const x of xs) {
    const point = await measure(x);
    points.push(point);
    print({ curve: name, ...point });
  }
  print({ curve: name, line: straightLine(points) });
  const lines = [{ label, color: 0, dashed: false, points }];
  writeFileSync(`docs/speed/${name}.svg`, chart({ title, xLabel, yLabel, yFrom: 0, lines }));
}
await engine.close();
