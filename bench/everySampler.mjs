/**
 * Every sampler once on a model, guidance, a long context, and how soon an abort is heard: npm run build && node bench/everySampler.mjs BASE ADAPTERS
 * [--quant none|int8|int4|nf4] [--context 2048] [--span 4] [--threads 2]
 * Prints a JSON line for each: seconds and tokens. It shows that a large base does all that a small one does; the tests see to what is written.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { BigVae } from "../dist/index.js";
import { samplers, waypoint } from "../dist/sampling/index.js";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quant: { type: "string", default: "none" },
    context: { type: "string", default: "2048" },
    span: { type: "string", default: "4" },
    threads: { type: "string", default: `${availableParallelism()}` },
  },
});
const [base, adapters] = positionals;
if (!adapters) {
  process.stderr.write("usage: node bench/everySampler.mjs BASE ADAPTERS [--quant none|int8|int4|nf4]\n");
  process.exit(2);
}
const TEXT = "Once upon a time there was a little girl who lived near the sea.";
const span = Number(flags.span);
const print = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const seconds = (started) => Number(((performance.now() - started) / 1000).toFixed(2));

const started = performance.now();
const vae = await BigVae.load(base, { adapters, quant: flags.quant, threads: Number(flags.threads) });
print({ load: flags.quant, seconds: seconds(started) });

const [goal] = await vae.encode([TEXT]);
for (const [name, { needs, takes }] of Object.entries(samplers)) {
  const known = { nSteps: 1, nAvg: 2, nStarts: 2 };
  const numbers = Object.entries(known).filter(([option]) => takes.includes(option));
  const texts = { prompt: TEXT, start: TEXT, terminal: TEXT, task: [TEXT], plan: [waypoint(goal.mean)] };
  await run(name, name, Object.fromEntries([...numbers, ...needs.map((input) => [input, texts[input]])]));
}
await run("generate, cfgScale 1.5", "generate", { prompt: TEXT, nSteps: 1, cfgScale: 1.5 });

async function run(label, name, inputs) {
  const started = performance.now();
  const writing = vae.generate(name, { ...inputs, span, ignoreEos: true, context: TEXT });
  let step = await writing.next();
  while (!step.done) step = await writing.next();
  print({ sampler: label, seconds: seconds(started), tokens: step.value.ids.length });
}

/** A context of many tokens, then some tokens behind it. */
const contextLength = Number(flags.context);
const piece = vae.tokenizer.encode(TEXT);
const context = Array.from({ length: contextLength }, (_, i) => piece[i % piece.length]);
const row = { z: new Float32Array(vae.width).fill(0.1), rngKey: [1, 2, 3, 4] };
const writing = { writer: "router", context, nTokens: 8, tau: 0.9, endless: true, stopId: vae.tokenizer.eosId };
{
  const started = performance.now();
  let [first, last] = [0, 0];
  const onToken = () => {
    last = performance.now();
    first ||= last;
  };
  await vae.engine.write([row], { ...writing, onToken });
  const ms = Number(((last - first) / 7).toFixed(0));
  print({ context: contextLength, read_s: Number(((first - started) / 1000).toFixed(2)), ms_a_token: ms });
}

/** Milliseconds from an abort to its error: while a context is read, and between tokens. */
for (const [place, behind] of [
  ["while the context is read", { afterMs: 1000 }],
  ["while tokens are written", { afterTokens: 3 }],
]) {
  const controller = new AbortController();
  let aborted = 0;
  const abort = () => {
    aborted = performance.now();
    controller.abort();
  };
  let count = 0;
  const onToken = () => {
    if (++count === behind.afterTokens) abort();
  };
  const own = { ...writing, nTokens: 64, context: behind.afterTokens ? context.slice(0, 16) : context, onToken };
  const written = vae.engine.write([row], { ...own, signal: controller.signal });
  if (behind.afterMs) setTimeout(abort, behind.afterMs);
  const error = await written.then(
    () => undefined,
    (error) => error,
  );
  print({
    abort: place,
    heard: error?.kind ?? "not at all",
    ms: Math.round(performance.now() - aborted),
    tokens: count,
  });
}
await vae.close();
