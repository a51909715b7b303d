/** What a sampler needs of a model, and what it gives: the whole of `sampling/` stands on these types. */
import type { Latent, LatentSpace, Posterior } from "../latent/index.js";
import type { Rng, RngKey } from "../rng.js";
import type { DraftMemory } from "./draftMemory.js";

/** A text as token ids, [T]. */
export type TokenIds = readonly number[];

/** A text as token ids, or a latent that stands for one: taken as it is, without noise. */
export type TextOrLatent = TokenIds | Latent;

/** What a number of texts have in common. */
export interface TaskVector {
  /** Their mean. */
  z: Latent;
  /** How many they are: it counts as much as they would. */
  examples: number;
}

/** An example of a task: a text, a latent, or what several texts have in common. */
export type Example = TextOrLatent | TaskVector;

/** The tokens of a text; a latent has none. */
export function tokensOf(source: TextOrLatent): TokenIds {
  return isLatent(source) ? [] : source;
}

/** Whether a latent stands in place of a text. */
export function isLatent(source: TextOrLatent): source is Latent {
  return source instanceof Float32Array;
}

/** A model that can be sampled from. A fake of it tests every sampler in milliseconds. */
export interface LatentModel {
  /** The space of its latents; default: plain vectors. */
  readonly space?: LatentSpace;
  /** Tokens of a context and of what is written after it, together, at most; default: no limit. */
  readonly maxPositions?: number;
  /** Posteriors of the spans' latents. */
  encode(spans: readonly TokenIds[], signal?: AbortSignal): Promise<Posterior[]>;
  /** The router's text from each z after the context: nTokens new tokens, or fewer, of which the last is the end token. */
  write(
    rows: readonly { z?: Latent; rngKey: RngKey; experts?: readonly ExpertShare[] }[],
    context: TokenIds,
    options: SpanOptions,
  ): Promise<TokenIds[]>;
  /** The router's log-likelihood of each target from its z after the context, mean per token. */
  score(rows: readonly { z: Latent; target: TokenIds }[], context: TokenIds, signal?: AbortSignal): Promise<number[]>;
  /** Gives samplers the beginning token, and shows them where a sentence ends. */
  readonly tokenizer: TextTokenizer;
}

/** What samplers need of a tokenizer. */
export interface TextTokenizer {
  /** Begins a text: a token of its own, or the end token where the model has none. */
  readonly beginId?: number;
  /** Ends a text, and a row that is written. */
  readonly eosId?: number;
  /** The ids of a text, with nothing added. */
  encode(text: string): number[];
  /** The text of ids, special tokens spelt out. */
  decode(ids: TokenIds): string;
}

/** An expert that has a share in what a span is written by. */
export interface ExpertShare {
  /** Its name. */
  name: string;
  /** Where it lies. */
  folder: string;
  /** Of its adapter. */
  sha256?: string;
  /** The factor of its outputs at every layer; those of a span sum to 1. */
  weight: number;
}

/** Says which experts write a span. */
export interface ExpertPolicy {
  /** The experts for a latent, the one with the largest share first; always the same for the same latent. */
  choose(z: Latent): readonly ExpertShare[];
}

/** How a batch of rows is written. */
export interface SpanOptions {
  /** What each row's text begins with, behind the context; writing goes on from there. */
  begun?: TokenIds;
  /** The end token is never chosen. */
  endless?: boolean;
  /** The base in place of the router: it goes on from the context alone, without a latent. */
  writer?: "base";
  /** New tokens of a row, at most. */
  nTokens: number;
  /** Temperature of the tokens; 0 is greedy. */
  tau: number;
  /** logits = base + cfgScale * (router - base). */
  cfgScale: number;
  /** Whether an end token ends no row. */
  ignoreEos?: boolean;
  /** Aborts between two tokens. */
  signal?: AbortSignal;
  /** Called with each token as it is drawn. */
  onToken?(row: number, id: number): void;
}

/** Options of every sampler. */
export interface SamplingOptions {
  /** All noise comes from here. */
  rng: Rng;
  /** Spans that are written, one a step. */
  nSteps: number;
  /** Drafts that are averaged. */
  nAvg: number;
  /** Temperature of tokens, 0.9 in MiniHF. */
  tau: number;
  /** Variance of the noise on latents: 1 draws from the posterior, 0 takes the mean. */
  noise: number;
  /** Tokens of a span: 64 in MiniHF. */
  span: number;
  /** logits = base + cfgScale * (router - base); 1 is the router alone. Default: by what each latent is mixed from (`mixScale`). */
  cfgScale?: number;
  /** In place of the sampler's own weights, by their names (`samplers[name].weights`). */
  weights?: Weights;
  /** Kept drafts, which take the places of drafts that fit as well, and keep what is written. */
  memory?: DraftMemory;
  /** Experts that write in place of the router, chosen for each span and draft by its latent. */
  experts?: ExpertPolicy;
  /** Whether every span has its full length, as the original writes it: an end token ends none. */
  ignoreEos?: boolean;
  /** Aborts the run between two tokens. */
  signal?: AbortSignal;
  /** Called with each token of a span as it is written; not for drafts. */
  onToken?(id: number): void;
  /** Called once, in words, where the window no longer holds the whole context. */
  onWarning?(text: string): void;
}

/** Weights of a mix, or shares of a pull, by name. */
export type Weights = Readonly<Record<string, number>>;

/** A latent and where it came from. */
export interface TracedLatent {
  /** [Z] */
  z: Latent;
  /** What it stands for in the run. */
  role: LatentRole;
  /** The tokens it was encoded from. */
  ids?: TokenIds;
  /** What it was mixed from. */
  parents: readonly {
    /** One of the mixed. */
    latent: TracedLatent;
    /** Its factor in the sum, before the length was set. */
    weight: number;
  }[];
  /** The length it was given after mixing. */
  norm?: number;
  /** How far its key was moved to that of its last parent, as a share of the way (`LatentSpace.towardKey`). */
  keyPull?: number;
}

/** Where a latent came from: a text's part in the run, chance, or other latents. */
export type LatentRole = "prompt" | "span" | "draft" | "task" | "start" | "terminal" | "waypoint" | "random" | "mix";

/** What a plan asked of a span, and what came of it. */
export interface PlanStep {
  /** Number of the waypoint that was asked for, from 1. */
  waypoint: number;
  /** Waypoints of the plan, those that were found on the way included. */
  waypoints: number;
  /** Spans written toward this waypoint so far. */
  tries: number;
  /** Whether a search during the run put the waypoint there. */
  isFound: boolean;
  /** The waypoint. */
  asked: TracedLatent;
  /** The latent of what was written. */
  written: TracedLatent;
  /** Similarity of the waypoint to what the context would have said by itself. */
  agreement: number;
  /** The waypoint's share in what the span was written from. */
  share: number;
  /** How far what was written is from the waypoint (`latentDistance`). */
  distance: number;
  /** Within which the waypoint is reached. */
  tolerance: number;
  /** Whether it is. */
  isReached: boolean;
}

/** One span as it was written. */
export interface Span {
  /** The new tokens, without the context. */
  ids: TokenIds;
  /** The latent it was written from. */
  latent: TracedLatent;
  /** The drafts that went into the latent. */
  drafts: readonly Draft[];
  /** Of a run along a plan: what was asked for, and how far from it the span is. */
  plan?: PlanStep;
  /** How it was written, so that it can be written again. */
  written: {
    /** Tokens before it. */
    context: TokenIds;
    /** Tokens asked for; the text may have ended before. */
    nTokens: number;
    /** Temperature. */
    tau: number;
    /** 1 is the router alone. */
    cfgScale: number;
    /** Whether an end token ended nothing. */
    ignoreEos?: boolean;
    /** Whether the end token was never chosen. */
    endless?: boolean;
    /** Who wrote it, where experts did. */
    experts?: readonly ExpertShare[];
    /** Names the stream of random numbers that its tokens were drawn with. */
    rngKey: RngKey;
  };
}

/** A continuation that was written to be encoded. */
export interface Draft {
  /** The new tokens, without the context. */
  ids: TokenIds;
  /** What it was written from; nothing where the base wrote it. */
  from?: TracedLatent;
  /** The latent of its end, where it was used. */
  latent: TracedLatent;
  /** Of a draft that was recalled, by what the memory knows it. */
  recalled?: number;
}

/** What the original function returns: the text, and the next topic where it writes one. */
export interface Written {
  /** The context, and the spans that the original counts as written. */
  ids: TokenIds;
  /** Topic of the next paragraph, from prose, paragraph and paragraph-topic. */
  next?: TokenIds;
}

/** Yields every span as it is written and returns the whole. */
export type Sampler = AsyncGenerator<Span, Written, void>;
