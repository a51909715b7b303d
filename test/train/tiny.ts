/** A model and rows small enough that a training step takes milliseconds. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stories } from "../../src/corpus/stories/index.js";
import { prepare } from "../../src/data/index.js";
import type { BaseModel } from "../../src/engine/baseModel.js";
import { parseConfig } from "../../src/model/config.js";
import { weightShapes } from "../../src/model/weights.js";
import { Rng } from "../../src/rng.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import { loadTokenizer, type Tokenizer, trainBpe, WordCounts } from "../../src/tokenizer/index.js";
import { FlatTensors } from "../../src/train/loop/flatTensors.js";
import { type TrainBaseOptions, writeBase } from "../../src/train/run/trainBase.js";
import type { TrainRouterOptions } from "../../src/train/run/trainRouter.js";
import type { TrainVaeOptions } from "../../src/train/run/trainVae.js";

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
  return { config, weights: weights.tensors };
}

/** A base in a folder, as the command reads it. */
export async function writeTinyBase(folder: string, tokenizer: Tokenizer): Promise<void> {
  const { config, weights } = tinyBase(tokenizer.vocabSize);
  await mkdir(folder, { recursive: true });
  await writeBase(folder, config, tokenizer, { tensors: weights });
}

/** What the options of all runs have in common: batches of 2, 2 microbatches, a step saved in 100. */
export function tinyRun(output: string, preprocessed: string, tokenizer: Tokenizer) {
  return {
    output,
    preprocessed,
    tokenizer,
    batchSize: 2,
    accumulation: 2,
    epochs: 1,
    lr: 1e-2,
    warmup: 2,
    lrDecay: "constant" as const,
    betas: [0.9, 0.99] as const,
    eps: 1e-8,
    weightDecay: 0.01,
    seed: 7,
    resume: false,
    saveEvery: 100,
    evalEvery: 100,
  };
}

type Common = ReturnType<typeof tinyRun>;

export function tinyBaseRun(common: Common): TrainBaseOptions {
  return { ...common, config: tinyConfig(common.tokenizer.vocabSize), context: 15 };
}

export function tinyVaeRun(common: Common): TrainVaeOptions {
  return {
    ...common,
    base: tinyBase(common.tokenizer.vocabSize),
    baseSha256: "0".repeat(64),
    rank: 2,
    alpha: 2,
    noiseScale: 1,
    span: 8,
    gap: 8,
    zDim: 8,
    slots: 1,
    klWeight: 0.1,
    klRampSteps: 10,
    dropPrefix: 0.5,
    shiftedSpans: false,
    encodeLast: false,
    shortSpans: 0.5,
    edgeWeights: true,
    sampleTexts: ["The fox ran."],
  };
}

export function tinyRouterRun(common: Common, vae: TrainRouterOptions["vae"]): TrainRouterOptions {
  const { base, baseSha256, noiseScale } = tinyVaeRun(common);
  return { ...common, base, baseSha256, noiseScale, vae, context: 24, indexStep: 4, sampleTexts: ["The fox ran."] };
}
