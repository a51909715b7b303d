/**
 * Loading, memory and writing of a model: npm run build && node bench/load.mjs BASE [ADAPTERS] [--quant none|int8|int4|nf4] [--compute fp32|int8]
 * [--tokens 16] [--runs 3] [--threads 2] [--json]
 * Loads the model twice, in a process of its own each time. The packed files of the first load lie in a new folder, so that it packs, and the second reads them.
 * Prints seconds of each load, the peak of resident memory (VmHWM) of each process, what `bigvae show` estimates, seconds to encode a text, and
 * tokens a second of 1 and of 8 rows: medians of the second process. A base alone does not encode.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { readFacts } from "../dist/checkpoint/facts.js";
import { adapterBytes, adapterPlaces } from "../dist/checkpoint/layout.js";
import { neededBytes } from "../dist/host/memory.js";
import { readConfig } from "../dist/host/modelFiles.js";
import { BigVae } from "../dist/index.js";

const TEXT =
  "Once upon a time there was a little girl who lived in a house near the sea. Every morning she went to the beach.";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quant: { type: "string", default: "none" },
    compute: { type: "string", default: "fp32" },
    tokens: { type: "string", default: "16" },
    runs: { type: "string", default: "3" },
    threads: { type: "string", default: `${availableParallelism()}` },
    json: { type: "boolean", default: false },
    /** For the processes that this one starts: "load", or "work" to write after loading. */
    once: { type: "string" },
  },
});
const [base, adapters] = positionals;
if (!base) {
  process.stderr.write(
    "usage: node bench/load.mjs BASE [ADAPTERS] [--quant none|int8|int4|nf4] [--compute fp32|int8]\n",
  );
  process.exit(2);
}
const [tokens, runs, threads] = [flags.tokens, flags.runs, flags.threads].map(Number);

/** Highest resident memory of this process so far, in bytes. */
const peakBytes = () => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const rounded = (value, digits = 2) => Number(value.toFixed(digits));

/** Loads the model in this process and, at the second load, works with it. */
async function once(works) {
  const started = performance.now();
  const vae = await BigVae.load(base, {
    ...(adapters ? { adapters } : {}),
    ...(flags.quant === "none" ? {} : { quant: flags.quant }),
    ...(flags.compute === "fp32" ? {} : { compute: flags.compute }),
    threads,
  });
  const result = { load_s: (performance.now() - started) / 1000 };
  if (works) {
    if (adapters) result.encode_s = await secondsToEncode(vae);
    for (const rows of [1, 8]) result[`rows_${rows}_ms`] = await msOfStep(vae, rows);
  }
  result.peak_bytes = peakBytes();
  await vae.close();
  return result;
}

async function secondsToEncode(vae) {
  await vae.encode([TEXT]);
  const seconds = [];
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    await vae.encode([TEXT]);
    seconds.push((performance.now() - started) / 1000);
  }
  return median(seconds);
}

/** Milliseconds of a step in which each of `count` rows gets a token, the beginning left out. */
async function msOfStep(vae, count) {
  const z = new Float32Array(vae.width).fill(0.1);
  const rows = Array.from({ length: count }, (_, row) => ({ ...(adapters ? { z } : {}), rngKey: [1, 2, 3, row] }));
  const context = vae.tokenizer.encode(TEXT);
  const times = [];
  for (let run = 0; run <= runs; run++) {
    let [first, last] = [0, 0];
    const onToken = () => {
      last = performance.now();
      first ||= last;
    };
    await vae.engine.write(rows, {
      ...{ writer: adapters ? "decoder" : "base", context, nTokens: tokens + 1, tau: 1, onToken },
      ...{ endless: true, stopId: vae.tokenizer.eosId },
    });
    if (run > 0) times.push((last - first) / tokens); // the first run makes sessions and touches pages
  }
  return median(times);
}

/** What `bigvae show` says of this form. */
async function estimate() {
  const own = adapters
    ? {
        adapterBytes: await adapterBytes(adapters),
        adapters: (await adapterPlaces(adapters)).length,
        slots: (await readFacts(adapters)).slots ?? 1,
      }
    : { adapterBytes: 0 };
  const kept = flags.compute === "int8" ? "merged" : flags.quant === "none" ? "unmerged" : flags.quant;
  return neededBytes({ config: await readConfig(base), ...own }, kept);
}

/** The same command as another process, with its packed files in `cache`. */
function loadApart(cache, once) {
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2), "--once", once];
  const { stdout, status } = spawnSync(process.execPath, args, {
    env: { ...process.env, BIGVAE_CACHE: cache },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
  return JSON.parse(stdout);
}

async function main() {
  const cache = mkdtempSync(join(tmpdir(), "bigvae-load-"));
  process.on("exit", () => rmSync(cache, { recursive: true, force: true }));
  const first = loadApart(cache, "load");
  const later = loadApart(cache, "work");
  const shown = await estimate();
  const peak = Math.max(first.peak_bytes, later.peak_bytes);
  const result = {
    quant: flags.quant,
    compute: flags.compute,
    threads,
    first_load_s: rounded(first.load_s, 1),
    first_peak_gb: rounded(first.peak_bytes / 1e9),
    later_load_s: rounded(later.load_s, 1),
    later_peak_gb: rounded(later.peak_bytes / 1e9),
    shown_gb: rounded(shown / 1e9),
    shown_to_peak: rounded(shown / peak),
    ...(adapters ? { encode_s: rounded(later.encode_s, 3) } : {}),
    rows_1_ms: rounded(later.rows_1_ms, 1),
    rows_1_tokens_per_s: rounded(1000 / later.rows_1_ms),
    rows_8_ms: rounded(later.rows_8_ms, 1),
    rows_8_tokens_per_s: rounded(8000 / later.rows_8_ms),
  };
  const lines = [
    `first load     ${result.first_load_s} s, peak ${result.first_peak_gb} GB`,
    `later load     ${result.later_load_s} s, peak with writing ${result.later_peak_gb} GB`,
    `show's memory  ${result.shown_gb} GB, ${result.shown_to_peak} of the higher peak`,
    ...(adapters ? [`encode a text  ${result.encode_s} s`] : []),
    `write 1 row    ${result.rows_1_ms} ms a step, ${result.rows_1_tokens_per_s} tokens/s`,
    `write 8 rows   ${result.rows_8_ms} ms a step, ${result.rows_8_tokens_per_s} tokens/s`,
  ];
  process.stdout.write(flags.json ? `${JSON.stringify(result)}\n` : `${lines.join("\n")}\n`);
}

if (flags.once === undefined) await main();
else {
  process.stdout.write(JSON.stringify(await once(flags.once === "work")));
  process.exit(0);
}
