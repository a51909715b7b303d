/** Options that the runs share. */
import { DEVICES } from "../../../graph/index.js";
import { QUANTS } from "../../../weights/index.js";
import { model, oneOf, onOff, path, positive, properShare, real, threadCount, whole } from "./kinds.js";
import type { OptionTable, Settled } from "./table.js";

/** Options of every run. */
export const SHARED_OPTIONS = {
  preprocessed: {
    kind: path("folder"),
    required: true,
    place: "a folder of data prepare",
    description: "rows to train on: a folder of data prepare",
  },
  output: {
    kind: path("folder"),
    required: true,
    saved: false,
    description: "folder of the run and of the finished model",
  },
  epochs: { kind: positive, default: 1, free: true, description: "passes over the data" },
  steps: { kind: whole(1), free: true, description: "number of steps, in place of `epochs`" },
  gradientCheckpointing: {
    kind: onOff,
    default: false,
    description: "recompute activations in the backward pass: less memory, more time",
  },
  earlyStop: {
    kind: whole(1),
    free: true,
    description: "stop after n evaluations without a lower held-out loss, and keep the best parameters",
  },
  device: {
    kind: oneOf(...DEVICES),
    default: "cpu",
    free: true,
    description: "where a step is computed: webgpu is a GPU by Vulkan, Metal or Direct3D 12",
  },
  threads: { kind: threadCount, free: true, description: "threads; default: all cores" },
  resume: {
    kind: onOff,
    default: false,
    saved: false,
    description: "resume the run in `output`; no other option is needed",
  },
} as const satisfies OptionTable;

/** Options that train vae and train router share; the names are MiniHF's. */
export const ADAPTER_OPTIONS = {
  model: {
    kind: model,
    required: true,
    description: 'the frozen base: "pocket", a model\'s folder, a .gguf file or a hub name',
  },
  ...SHARED_OPTIONS,
  gradientAccumulationSteps: { kind: whole(1), default: 1, description: "microbatches per step" },
  lr: { kind: positive, default: 1e-4, free: true, description: "peak learning rate" },
  lrDecay: {
    kind: oneOf("constant", "cosine"),
    default: "constant",
    description: "decay of the learning rate: constant, as in MiniHF, or cosine, to a tenth of the peak",
  },
  warmup: { kind: whole(0), default: 0, description: "steps of linear warm-up" },
  weightDecay: { kind: real(0), default: 0, description: "decoupled weight decay of matrices" },
  clipNorm: { kind: positive, free: true, description: "maximum gradient norm; default: no clipping" },
  rank: { kind: whole(1), default: 32, description: "rank of the adapters" },
  alpha: { kind: positive, default: 8, description: "alpha of the adapters: their product is scaled by alpha / rank" },
  dropout: { kind: properShare, default: 0, description: "dropout on the inputs of the trained adapters" },
  latentNoise: {
    kind: real(0),
    default: 1,
    description: "noise scale in training: z = mean + x * s * eps; the finished z is scaled by 1/x",
  },
  quant: {
    kind: oneOf(...QUANTS),
    default: "none",
    description: "how the frozen base is kept in memory; nf4 is QLoRA's. Adapters are trained in fp32",
  },
  compute: {
    kind: oneOf("fp32", "int8", "auto"),
    default: "fp32",
    free: true,
    description:
      "products with the frozen base: fp32, as in MiniHF, int8, faster and rounded, or auto, int8 where this processor gains by it; evaluation is in fp32",
  },
  saveEvery: { kind: whole(1), default: 1000, free: true, description: "checkpoint interval in steps" },
  evalEvery: { kind: whole(1), default: 500, free: true, description: "evaluation interval in steps" },
  seed: { kind: whole(0), default: 1, description: "seed of initial weights, noise and row order" },
} as const satisfies OptionTable;

/** Options that a run has whatever it trains, settled. */
export type CommonOptions = Settled<typeof SHARED_OPTIONS> &
  Omit<
    Settled<typeof ADAPTER_OPTIONS>,
    "model" | "rank" | "alpha" | "dropout" | "latentNoise" | "quant" | "compute"
  > & {
    readonly batchSize: number;
  };

/** Options of a run that trains adapters, settled. */
export type AdapterOptions = Settled<typeof ADAPTER_OPTIONS> & CommonOptions;
