/** What callers give a loaded model, and what they get. */
import type { Posterior } from "../latent/index.js";
import type { SamplingOptions, Written } from "../sampling/model.js";
import type { SpelledSpan } from "../sampling/runText.js";
import type { SamplerInputs } from "../sampling/samplers.js";

/** Where a model's adapters lie, and how much of the machine it may take. */
export interface LoadOptions {
  /** Folder of the adapters, where they do not lie beside the base. */
  adapters?: string;
  /** Threads of the engine; the machine's cores by default. */
  threads?: number;
  /** "merged" is faster, "unmerged" needs less memory; chosen by the free memory by default. */
  form?: "merged" | "unmerged";
  /** Most memory that the model may take, in bytes; the free memory by default. A larger model is refused. */
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

/** How the decoder writes a latent. */
export interface DecodeOptions {
  /** logits = base + cfgScale * (decoder - base); 1, the default, is the decoder alone. Below 1 the base mends what lies between texts (`mixScale`). */
  cfgScale?: number;
  /** Text that stands before the decoded one. */
  prefix?: string;
  /** Tokens at most; by default as long as z says, a span where it does not. */
  nTokens?: number;
  /** Temperature; 0, the default, is greedy. */
  tau?: number;
  /** Names the random numbers that tokens are drawn with, 0 by default; without effect at tau 0. */
  seed?: number;
  /** Aborts between two tokens, with the error "aborted". */
  signal?: AbortSignal;
}

/** How the decoder writes several latents. */
export interface DecodeAllOptions extends Omit<DecodeOptions, "cfgScale"> {
  /** One scale for all, or one for each. */
  cfgScale?: number | readonly number[];
}

/** How the router goes on from a latent: nTokens is two spans and tau 0.9 by default. */
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

/** Texts and options of a sampler's run; what is left out is MiniHF's. */
export interface GenerateOptions
  extends Partial<Omit<SamplingOptions, "rng">>,
    Pick<SamplerInputs, "preset" | "averaging" | "nStarts"> {
  /** The topic; several for user-avg. */
  prompt?: string | readonly string[];
  /** Text that is continued. */
  context?: string;
  /** Where a plan starts; a random latent by default. */
  start?: string;
  /** Where a plan ends. */
  terminal?: string;
  /** Example texts whose common features are kept to. */
  task?: readonly string[];
  /** Names the noise of the whole run; 0 by default. */
  seed?: number;
  /** Called with each piece of text as it is written. */
  onText?(piece: string): void;
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
