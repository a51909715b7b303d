/**
 * Greedy decoding of one row beside llama.cpp's, in turns, on the same GGUF file and as many threads:
 *   npm i --no-save --ignore-scripts node-llama-cpp@3.21.1 && npm run build
 *   node bench/llamaCpp.mjs FILE.gguf --quant int8|int4 [--threads 2] [--runs 5] [--tokens 64]
 * Prints milliseconds a token of every run, their medians and the ratio, and whether both wrote the same tokens.
 */
import { availableParallelism, cpus } from "node:os";
import { parseArgs } from "node:util";
import { getLlama, LlamaLogLevel } from "node-llama-cpp";
import { BigVae } from "../dist/index.js";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quant: { type: "string", default: "int8" },
    threads: { type: "string", default: `${availableParallelism()}` },
    runs: { type: "string", default: "5" },
    tokens: { type: "string", default: "64" },
  },
});
const [path] = positionals;
if (!path) {
  process.stderr.write("usage: node bench/llamaCpp.mjs FILE.gguf --quant int8|int4\n");
  process.exit(2);
}
const [threads, runs, count] = [flags.threads, flags.runs, flags.tokens].map(Number);
const PROMPT = "Once upon a time there was a little girl who lived in a house near the sea. Every morning she";

const llama = await getLlama({ gpu: false, logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath: path });
const context = await model.createContext({ contextSize: 512, threads });
const sequence = context.getSequence();
const prompt = model.tokenize(PROMPT);

async function theirs() {
  await sequence.clearHistory();
  const ids = [];
  let started = 0;
  for await (const id of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    if (ids.length === 0) started = performance.now();
    ids.push(id);
    if (ids.length > count) break;
  }
  return { ids, ms: (performance.now() - started) / count };
}

const vae = await BigVae.load(path, { quant: flags.quant, threads });

async function ours() {
  const ids = [];
  let started = 0;
  const onToken = (_row, id) => {
    if (ids.length === 0) started = performance.now();
    ids.push(id);
  };
  const options = {
    writer: "base",
    context: prompt,
    nTokens: count + 1,
    tau: 0,
    onToken,
    endless: true,
    stopId: vae.tokenizer.eosId,
  };
  await vae.engine.write([{ rngKey: [1, 2, 3, 4] }], options);
  return { ids, ms: (performance.now() - started) / count };
}

await theirs();
await ours();
const times = { llamaCpp: [], bigvae: [] };
let same = 0;
for (let run = 0; run < runs; run++) {
  const [a, b] = [await theirs(), await ours()];
  times.llamaCpp.push(a.ms);
  times.bigvae.push(b.ms);
  same = a.ids.findIndex((id, i) => id !== b.ids[i]);
}
await vae.close();
const rounded = (list) => list.map((ms) => Number(ms.toFixed(1)));
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const ratio = median(times.llamaCpp) / median(times.bigvae);
const result = {
  file: path.split(/[\\/]/).at(-1),
  quant: flags.quant,
  cpu: cpus()[0]?.model,
  threads,
  llama_cpp_ms: rounded(times.llamaCpp),
  bigvae_ms: rounded(times.bigvae),
  ratio: Number(ratio.toFixed(2)),
  equal_tokens: same === -1 ? count + 1 : same,
};
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
