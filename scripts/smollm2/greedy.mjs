/**
 * Writes test/fixtures/smollm2/greedy.json: what llama.cpp makes of 20 prompts, greedily, on the F32 image of a GGUF file.
 * node scripts/smollm2/greedy.mjs folder model.gguf model.f32.gguf     (folder: where node-llama-cpp is installed)
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, quantised, image] = process.argv.slice(2);
if (!folder || !quantised || !image) throw new Error("usage: greedy.mjs folder model.gguf model.f32.gguf");
const { getLlama } = await import(pathToFileURL(resolve(folder, "node_modules/node-llama-cpp/dist/index.js")).href);

const TOKENS = 32;
const PROMPTS = [
  "The capital of France is",
  "Once upon a time, in a village by the sea, there lived",
  "Water boils at 100 degrees Celsius, which is",
  "The three primary colours are",
  "def fibonacci(n):\n    ",
  "Dear Mr. Thompson,\n\nThank you for your letter of 14 March 1987.",
  '"I don\'t think we should go in there," she whispered.',
  "To bake a simple loaf of bread, you first",
  "In 1969, Neil Armstrong",
  "The mitochondria of a cell",
  "1, 2, 3, 5, 8, 13,",
  "Roses are red,\nviolets are blue,\n",
  "Ingredients:\n- 2 eggs\n- 250 g flour\n- ",
  "Shakespeare wrote",
  "The café's owner, José, smiled and",
  "Photosynthesis is the process by which",
  "Q: What is the tallest mountain on Earth?\nA:",
  "The old clock struck midnight, and the door",
  "Breaking news: scientists have discovered",
  "If all cats are mammals and all mammals are animals, then",
];

const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: image, gpuLayers: 0 });
const context = await model.createContext({
  contextSize: 256,
  threads: 1,
  flashAttention: false,
  experimentalKvCacheKeyType: "F32",
  experimentalKvCacheValueType: "F32",
});
const sequence = context.getSequence();

/** Reads tokens; returns the likeliest next one, its log probability and by how much its logit leads the second's. */
async function next(ids) {
  const last = [ids.at(-1), { generateNext: { token: true, logits: true, options: { temperature: 0 } } }];
  const read = await sequence.controlledEvaluate([...ids.slice(0, -1), last]);
  const { token, logits } = read.at(-1).next;
  const sorted = Float64Array.from(logits.values()).sort().reverse();
  const logProbability = -Math.log(sorted.reduce((sum, logit) => sum + Math.exp(logit - sorted[0]), 0));
  return { id: token, logProbability, lead: sorted[0] - sorted[1] };
}

const cases = [];
let least = Number.POSITIVE_INFINITY;
for (const prompt of PROMPTS) {
  await sequence.clearHistory();
  // Plain text, nothing added: the file's tokenizer asks for no beginning token.
  const ids = Array.from(model.tokenize(prompt, false));
  const written = [];
  for (let read = ids; written.length < TOKENS; read = [written.at(-1).id]) written.push(await next(read));
  least = Math.min(least, ...written.map(({ lead }) => lead));
  cases.push({
    prompt,
    ids,
    continuation: written.map(({ id }) => id),
    logProbabilities: written.map(({ logProbability }) => Number(logProbability.toFixed(6))),
  });
  console.log(JSON.stringify(prompt), "->", JSON.stringify(model.detokenize(written.map(({ id }) => id))));
}

const packageJson = JSON.parse(await readFile(resolve(folder, "node_modules/node-llama-cpp/package.json"), "utf8"));
const facts = {
  model: "SmolLM2-135M-Instruct, Q4_1, every tensor dequantised to F32",
  sha256: createHash("sha256")
    .update(await readFile(quantised))
    .digest("hex"),
  writer: `node-llama-cpp ${packageJson.version}, llama.cpp ${llama.llamaCppRelease.release}, CPU, F32 key-value cache, no flash attention`,
};
const lines = [
  ...Object.entries(facts).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`),
  `"cases": [\n${cases.map((entry) => JSON.stringify(entry)).join(",\n")}\n]`,
];
const fixture = new URL("../../test/fixtures/smollm2/greedy.json", import.meta.url);
await writeFile(fixture, `{\n${lines.join(",\n")}\n}\n`);
console.log(`${cases.length} prompts; the least lead of a logit over the second: ${least}`);
await llama.dispose();
