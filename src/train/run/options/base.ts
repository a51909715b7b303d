/** Options of `train base`. */
import { oneOf, path, positive, real, whole } from "./kinds.js";
import { SHARED_OPTIONS } from "./shared.js";
import type { OptionTable } from "./table.js";

/** The shape of a base, which one that is trained further keeps. */
export const SHAPE_OPTIONS = {
  hiddenSize: { kind: whole(2), default: 256, description: "hidden size D" },
  intermediateSize: { kind: whole(1), default: 640, description: "width of the MLP" },
  layers: { kind: whole(1), default: 6, description: "number of layers" },
  heads: { kind: whole(1), default: 4, description: "number of attention heads" },
  kvHeads: { kind: whole(1), default: 2, description: "number of key-value heads" },
  ropeTheta: { kind: real(1), default: 10000, description: "base of the rotary frequencies" },
  maxPositions: { kind: whole(1), default: 512, description: "context window of the finished model in tokens" },
} as const satisfies OptionTable;

/** Options of a run that trains a base. */
export const BASE_OPTIONS = {
  ...SHARED_OPTIONS,
  tokenizer: {
    kind: path("path"),
    required: true,
    place: "tokenizer.json, a model's folder, a .gguf file or a hub name",
    description: "tokenizer.json, a model's folder, a .gguf file or a hub name",
  },
  ...SHAPE_OPTIONS,
  startFrom: {
    kind: path("folder"),
    place: "a folder of an earlier run",
    description: "base to initialize from, which keeps its shape",
  },
  contextLength: { kind: whole(1), default: 256, description: "tokens per row" },
  batchSize: { kind: whole(1), default: 8, description: "rows per microbatch" },
  gradientAccumulationSteps: { kind: whole(1), default: 4, description: "microbatches per step" },
  lr: { kind: positive, default: 2e-3, free: true, description: "peak learning rate" },
  lrDecay: {
    kind: oneOf("constant", "cosine"),
    default: "cosine",
    description: "decay of the learning rate: constant, or cosine, to a tenth of the peak",
  },
  warmup: { kind: whole(0), default: 100, description: "steps of linear warm-up" },
  weightDecay: { kind: real(0), default: 0.1, description: "decoupled weight decay of matrices" },
  clipNorm: { kind: positive, default: 1, free: true, description: "maximum gradient norm" },
  saveEvery: { kind: whole(1), default: 200, free: true, description: "checkpoint interval in steps" },
  evalEvery: { kind: whole(1), default: 200, free: true, description: "evaluation interval in steps" },
  seed: { kind: whole(0), default: 1, description: "seed of initial weights and row order" },
} as const satisfies OptionTable;
