/** A model and rows small enough that a training step takes milliseconds. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stories } from "../../src/corpus/stories/index.js";
import { prepare } from "../../src/data/index.js";
import { type BaseModel, baseOfTensors } from "../../src/engine/baseModel.js";
import { parseConfig } from "../../src/model/config.js";
import { weightShapes } from "../../src/model/weights.js";
import { Rng } from "../../src/rng.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import { loadTokenizer, type Tokenizer, trainBpe, WordCounts } from "../../src/tokenizer/index.js";
import type { NewRun } from "../../src/train/index.js";
import { FlatTensors } from "../../src/train/loop/flatTensors.js";
import { writeBase } from "../../src/train/run/baseFolder.js";
import type { BASE_OPTIONS } from "../../src/train/run/options/base.js";
import type { ROUTER_OPTIONS } from "../../src/train/run/options/router.js";
import type { VAE_OPTIONS } from "../../src/train/run/options/vae.js";

export const runtime = onnxNodeRuntime({ threads: 1 });

const END = "<|endoftext|>";
const SPECIAL = { bos_token: END, eos_token: END, pad_token: END };

/** Vocabulary of 270. */
export function tinyTokenizer(extra = ""): Tokenizer {
  const texts = [...storyTexts(3), extra.repeat(100)];
  return loadTokenizer(trainBpe(WordCounts.of(texts), { vocabSize: 270, specialTokens: [END] }), SPECIAL);
}

function storyTexts(count: number): string[] {
  return Array.from(stories(1, count, 0), ({ text }) => text);
}

/** Rows of 64 tokens, few enough that 12 steps are more than an epoch. */
export async function tinyRows(folder: string, tokenizer: Tokenizer, count = 5): Promise<string> {
  const input = join(folder, "texts.jsonl");
  const lines = storyTexts(count).map((text, i) =>
    JSON.stringify({ id: `${i}`, text, split: i === 0 ? "validation" : "train" }),
  );
  await mkdir(folder, { recursive: true });
  await writeFile(input, lines.join("\n"));
  const output = join(folder, "rows");
  await prepare({ inputs: [input], tokenizer, output, length: 64 });
  return output;
}

export const tinyConfig = (vocabSize: number) =>
  parseConfig({
    model_type: "llama",
    vocab_size: vocabSize,
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    rms_norm_eps: 1e-5,
    max_position_embeddings: 64,
    tie_word_embeddings: true,
  });

/** A base with random weights. */
export function tinyBase(vocabSize: number): BaseModel {
  const config = tinyConfig(vocabSize);
  const weights = new FlatTensors(weightShapes(config));
  const rng = Rng.fromSeed("tiny base");
  for (const [name, shape] of weights.shapes) {
    const values = weights.values(name);
    for (let i = 0; i < values.length; i++) values[i] = shape.length === 1 ? 1 : 0.1 * rng.normal();
  }
  return baseOfTensors(config, weights.tensors);
}

/** A base in a folder. */
export async function writeTinyBase(folder: string, tokenizer: Tokenizer): Promise<void> {
  const { config, weights } = tinyBase(tokenizer.vocabSize);
  await mkdir(folder, { recursive: true });
  await writeBase(folder, config, tokenizer, { tensors: weights.tensors });
}

/** What a tiny run is given: a base in base/ and rows of its tokenizer in rows/. */
export async function writeTinyData(folder: string): Promise<void> {
  const tokenizer = tinyTokenizer();
  await tinyRows(folder, tokenizer);
  await writeTinyBase(join(folder, "base"), tokenizer);
}

/** What the options of all runs have in common: batches of 2, 2 microbatches, a step saved in 100. */
function tinyRun(folder: string, output: string) {
  return {
    output,
    preprocessed: join(folder, "rows"),
    batchSize: 2,
    gradientAccumulationSteps: 2,
    lr: 1e-2,
    lrDecay: "constant" as const,
    warmup: 2,
    weightDecay: 0.01,
    saveEvery: 100,
    evalEvery: 100,
    seed: 7,
    threads: 1,
  };
}

/** A base of the shape of `tinyConfig`, on the data of `writeTinyData`. */
export function tinyBaseRun(folder: string, output: string): NewRun<typeof BASE_OPTIONS> {
  const shape = { hiddenSize: 16, intermediateSize: 24, layers: 2, heads: 2, kvHeads: 1, maxPositions: 64 };
  return { ...tinyRun(folder, output), tokenizer: join(folder, "base"), ...shape, contextLength: 15 };
}

/** A VAE of spans of 8 tokens, on the data of `writeTinyData`. */
export function tinyVaeRun(folder: string, output: string): NewRun<typeof VAE_OPTIONS> {
  const vae = { rank: 2, alpha: 2, span: 8, zDim: 8, klRamp: 10, shortSpans: 0.5 };
  return { ...tinyRun(folder, output), model: join(folder, "base"), ...vae };
}

/** A router on the VAE at `startFrom`. */
export function tinyRouterRun(folder: string, output: string, startFrom: string): NewRun<typeof ROUTER_OPTIONS> {
  return { ...tinyRun(folder, output), model: join(folder, "base"), startFrom, contextLength: 24, indexStep: 4 };
}
