/** What callers give a loaded model, and what they get. */
import type { Device } from "../graph/index.js";
import type { Latent, Posterior } from "../latent/index.js";
import type { ModelHashes } from "../remote/protocol.js";
import type { SamplingOptions, TaskVector, Written } from "../sampling/model.js";
import type { PlainSpan } from "../sampling/plain.js";
import type { SpelledSpan, Spelling } from "../sampling/runText.js";
import type { SamplerInputs } from "../sampling/samplers.js";
import type { TokenizerFiles } from "../tokenizer/index.js";
import type { Quant } from "../weights/index.js";
import type { ComputeChoice } from "./computeChoice.js";

/** Where a model comes from: files, or a server. */
export interface ModelSource {
  /** What its tokenizer is made of. */
  tokenizer(): Promise<TokenizerFiles>;
  /** What tells it from others. */
  hashes(): Promise<ModelHashes>;
}

/** Where a model's adapters lie, and how much of the machine it may take. */
export interface LoadOptions {
  /** Folder of the adapters, where they do not lie beside the base. */
  adapters?: string;
  /** Threads of the engine; default: all cores. */
  threads?: number;
  /**
   * Where the engine runs; default: "thread". In a "process" of its own, a crash of native code ends its calls with the error "unavailable",
   * and this process goes on.
   */
  isolation?: "thread" | "process";
  /** "merged" is faster, "unmerged" needs less memory; default: by the free memory. */
  form?: "merged" | "unmerged";
  /** How the base is kept in memory: "none" (fp32), "int8", "int4" or "nf4"; default: "none". Adapters stay in fp32. */
  quant?: Quant;
  /**
   * In what products with the base are computed: "fp32", or "int8", faster and rounded, which merges the adapters; not beside `quant`. "auto": "int8" where this
   * processor multiplies exactly and at least 1.3 times as fast in it (measured once), and memory has room for merged adapters. Default: "fp32".
   */
  compute?: ComputeChoice;
  /** Where the engine computes: "cpu", or "webgpu", a GPU by Vulkan, Metal or Direct3D 12; default: "cpu". */
  device?: Device;
  /** Most memory that the model may take, in bytes; default: the free memory. A larger model is refused. */
  memoryBytes?: number;
}

/** Numbers of a sampler whose original has no others (`samplers[name].defaults`). */
export const SAMPLING_DEFAULTS = { nSteps: 4, nAvg: 4, tau: 0.9, noise: 1 } as const;

/** A text in the latent space. */
export interface EncodedText extends Posterior {
  /** As it was given. */
  text: string;
  /** Its tokens with nothing added, [T]. */
  ids: number[];
  /** How much of it was taken from each token, the mean over its slots: [T], sums to 1. */
  poolWeights: Float32Array;
  /** How much of each slot was taken from each token: k rows [T], each sums to 1. */
  slotWeights: Float32Array[];
  /** True where the text has more tokens than the span that the model was trained on: it is encoded whole, less exactly. */
  longerThanSpan: boolean;
}

/** How the base alone reads texts. */
export interface EmbedOptions {
  /** Whether a token sees only those before it, as when the base writes; default: false, it sees all. */
  causal?: boolean;
  /** Aborts between two batches, with the error "aborted". */
  signal?: AbortSignal;
}

/** A text as a vector of the base alone. */
export interface EmbeddedText {
  /** As it was given. */
  text: string;
  /** Its tokens with nothing added, [T]. */
  ids: number[];
  /** The mean of its last hidden states, [D]. */
  mean: Float32Array;
}

/** How the decoder writes a latent. */
export interface DecodeOptions {
  /** logits = base + cfgScale * (decoder - base); 1, the default, is the decoder alone. Below 1 the base mends what lies between texts (`mixScale`). */
  cfgScale?: number;
  /** Text that stands before the decoded one. */
  prefix?: string;
  /** Maximum number of tokens; default: the length that z holds, else a span. */
  nTokens?: number;
  /** Temperature; 0, the default, is greedy. */
  tau?: number;
  /** Seed of the token noise, default: 0; no effect at tau 0. */
  seed?: number;
  /** Aborts between two tokens, with the error "aborted". */
  signal?: AbortSignal;
}

/** How the decoder writes several latents. */
export interface DecodeAllOptions extends Omit<DecodeOptions, "cfgScale"> {
  /** One scale for all, or one for each. */
  cfgScale?: number | readonly number[];
  /** Called with each piece of a text as it is written, and the number of its latent. */
  onText?(latent: number, piece: string): void;
}

/** How the router continues from a latent. Defaults: nTokens of two spans, tau 0.9. */
export interface ContinueOptions extends Omit<DecodeOptions, "prefix" | "cfgScale"> {
  /** Text that is continued. */
  context?: string;
  /** logits = base + cfgScale * (router - base); 1, the default, is the router alone. */
  cfgScale?: number;
}

/** A straight line, an arc, or a straight line whose length goes from that of a to that of b. */
export type InterpolationKind = "lerp" | "slerp" | "normLerp";
/** The weighted sum, the same at the weighted mean of the lengths, or the latent nearest to all. */
export type MixKind = "sum" | "normKept" | "medoid";

/** A text, or a latent that stands for one. */
export type TextOrLatent = string | Latent;

/** An example of a task: a text, a latent, or what several texts have in common. */
export type TaskExample = TextOrLatent | TaskVector;

/** Texts and options of a sampler's run; defaults are MiniHF's. A latent in place of a text is taken as it is, without noise. */
export interface GenerateOptions
  extends Partial<Omit<SamplingOptions, "rng">>,
    Pick<SamplerInputs, "preset" | "averaging" | "nStarts" | "nTries" | "plan"> {
  /** The topic; several for user-avg. */
  prompt?: TextOrLatent | readonly TextOrLatent[];
  /** Text that is continued. */
  context?: string;
  /** Where a plan starts; default: a random latent. */
  start?: TextOrLatent;
  /** Where a plan ends. */
  terminal?: TextOrLatent;
  /** Examples whose common features are kept to; a task vector counts as many as it was made of. */
  task?: readonly TaskExample[];
  /** Seed of the whole run; default: 0. */
  seed?: number;
  /** Called with each piece of text as it is written. */
  onText?(piece: string): void;
}

/** How the base goes on from a text: numbers and callbacks of a sampler's run. */
export type CompleteOptions = Pick<
  GenerateOptions,
  "nSteps" | "span" | "tau" | "seed" | "ignoreEos" | "signal" | "onToken" | "onText" | "onWarning"
>;

/** One span that the base has written, as text. */
export type CompletedSpan = PlainSpan & Spelling;

/** What the base has written, as text. */
export interface CompletedText extends Written {
  /** All of it decoded, the text that it goes on from in front, without special tokens. */
  text: string;
}

/** One span of a run, as text. The texts of all spans joined are what `onText` was told. */
export type GeneratedSpan = SpelledSpan;

/** What a sampler returns at its end, as text. */
export interface GeneratedText extends Written {
  /** All of it decoded, the context in front, without special tokens. */
  text: string;
  /** The next topic decoded, from the samplers that write one. */
  nextText?: string;
}
