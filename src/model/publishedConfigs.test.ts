/** config.json as published with Llama, Mistral, SmolLM2 and TinyLlama: every field is read, and the weights are as many as published. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type ModelConfig, parseConfig } from "./config.js";
import { weightShapes } from "./weights.js";

const fixture = new URL("../../test/fixtures/configs/published.json", import.meta.url);
const published = JSON.parse(readFileSync(fixture, "utf8")) as Record<string, unknown>;

/** Llama-2-7B; the others are told by how they differ. */
const llama2: ModelConfig = {
  vocabSize: 32000,
  hiddenSize: 4096,
  intermediateSize: 11008,
  numHiddenLayers: 32,
  numAttentionHeads: 32,
  numKeyValueHeads: 32,
  headDim: 128,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { kind: "default" },
  maxPositionEmbeddings: 4096,
  tieWordEmbeddings: false,
};
const llama3: ModelConfig = {
  ...llama2,
  vocabSize: 128256,
  intermediateSize: 14336,
  numKeyValueHeads: 8,
  ropeTheta: 500000,
  maxPositionEmbeddings: 8192,
};
const stretched = { kind: "llama3", lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 } as const;
const mistral = { ...llama2, intermediateSize: 14336, numKeyValueHeads: 8, maxPositionEmbeddings: 32768 };

/** What is read, and how many parameters the model has. */
const EXPECTED: Record<string, { config: ModelConfig; parameters: number }> = {
  "Llama-2-7b": { config: llama2, parameters: 6_738_415_616 },
  "Meta-Llama-3-8B": { config: llama3, parameters: 8_030_261_248 },
  "Llama-3.1-8B": {
    config: { ...llama3, maxPositionEmbeddings: 131072, ropeScaling: { ...stretched, factor: 8 } },
    parameters: 8_030_261_248,
  },
  "Llama-3.2-1B": {
    config: {
      ...llama3,
      hiddenSize: 2048,
      intermediateSize: 8192,
      numHiddenLayers: 16,
      headDim: 64,
      maxPositionEmbeddings: 131072,
      ropeScaling: { ...stretched, factor: 32 },
      tieWordEmbeddings: true,
    },
    parameters: 1_235_814_400,
  },
  "Mistral-7B-v0.1": { config: { ...mistral, slidingWindow: 4096 }, parameters: 7_241_732_096 },
  "Mistral-7B-v0.3": { config: { ...mistral, vocabSize: 32768, ropeTheta: 1e6 }, parameters: 7_248_023_552 },
  "SmolLM2-135M": {
    config: {
      ...llama2,
      vocabSize: 49152,
      hiddenSize: 576,
      intermediateSize: 1536,
      numHiddenLayers: 30,
      numAttentionHeads: 9,
      numKeyValueHeads: 3,
      headDim: 64,
      ropeTheta: 100000,
      maxPositionEmbeddings: 8192,
      tieWordEmbeddings: true,
    },
    parameters: 134_515_008,
  },
  "TinyLlama-1.1B": {
    config: {
      ...llama2,
      hiddenSize: 2048,
      intermediateSize: 5632,
      numHiddenLayers: 22,
      numKeyValueHeads: 4,
      headDim: 64,
      maxPositionEmbeddings: 2048,
    },
    parameters: 1_100_048_384,
  },
};

describe("config.json as published", () => {
  it.each(Object.entries(EXPECTED))("of %s", (name, { config, parameters }) => {
    const parsed = parseConfig(published[name]);
    expect(parsed).toEqual(config);
    const sizes = Array.from(weightShapes(parsed).values(), (shape) => shape.reduce((size, dim) => size * dim, 1));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameters);
  });

  it("is tested for each of the fixture", () => {
    expect(Object.keys(published).sort()).toEqual(Object.keys(EXPECTED).sort());
  });
});
