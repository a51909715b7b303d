/** The public door: a model with its tokenizer, the engine in its own thread, and every sampler by name. */
import { BigVaeError } from "./errors.js";
import {
  findModel,
  hashModel,
  type ModelHashes,
  type ModelPaths,
  openTokenizer,
  readConfig,
} from "./host/modelFiles.js";
import type { EngineFacts } from "./host/protocol.js";
import { RemoteEngine } from "./host/remoteEngine.js";
import { routerModel } from "./host/routerModel.js";
import { cutToLength, type Latent, LatentSpace, type Posterior, writeLimit } from "./latent/index.js";
import { Rng } from "./rng.js";
import { checkOptions } from "./sampling/checkOptions.js";
import type { LatentModel, SamplingOptions, Span, Written } from "./sampling/model.js";
import { Run } from "./sampling/run.js";
import { type SamplerInputs, type SamplerName, samplers } from "./sampling/samplers.js";
import { taskVector } from "./sampling/task.js";
import type { Tokenizer } from "./tokenizer/index.js";

/** Where a model's adapters lie, and how much of the machine it may take. */
export interface LoadOptions {
  /** Folder of the adapters, where they do not lie beside the base. */
  adapters?: string;
  /** Threads of the engine; the machine's cores where it is left out. */
  threads?: number;
  /** "merged" is faster, "unmerged" needs less memory; chosen by the free memory where it is left out. */
  form?: "merged" | "unmerged";
  /** Most memory that the model may take, in bytes; the free memory where it is left out. A larger model is refused. */
  memoryBytes?: number;
}

/** Steps of a sampler whose original says no other number. */
export const DEFAULT_STEPS = 4;

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
  /** Names the token noise, 0 where it is left out; without effect at tau 0. */
  seed?: number;
  /** Aborts between two tokens, with the error "aborted". */
  signal?: AbortSignal;
}

/** How the router goes on from a latent: nTokens is two spans and tau 0.9 where they are left out. */
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
  /** Where a plan starts; a random latent where it is left out. */
  start?: string;
  /** Where a plan ends. */
  terminal?: string;
  /** Example texts whose common features are kept to. */
  task?: readonly string[];
  /** Names the noise of the whole run; 0 where it is left out. */
  seed?: number;
}

/** One span of a run, as text. */
export interface GeneratedSpan extends Span {
  /** Its tokens decoded, without special ones. */
  text: string;
}

/** What a sampler returns at its end, as text. */
export interface GeneratedText extends Written {
  /** All of it decoded, the context in front, without special tokens. */
  text: string;
  /** The next topic decoded, from the samplers that write one. */
  nextText?: string;
}

/**
 * A loaded model.
 * @example
 * const vae = await BigVae.load("pocket");
 * const [a, b] = await vae.encode(["The fox found the lamp.", "The baker lost a key."]);
 * console.log(await vae.decode(vae.interpolate(a.mean, b.mean, 0.5)));
 * await vae.close();
 */
export class BigVae {
  /** This model as samplers see it. */
  readonly latentModel: LatentModel;
  /** The space of its latents. */
  readonly space: LatentSpace;

  private constructor(
    /** The base's tokenizer. */
    readonly tokenizer: Tokenizer,
    /** Positions of the base, width of z, tokens of a span, ae_scale. */
    readonly facts: EngineFacts,
    /** The thread that computes, for calls by token ids and rows. */
    readonly engine: RemoteEngine,
    /** Where base and adapters were read from. */
    readonly paths: ModelPaths,
  ) {
    this.space = LatentSpace.ofWidth(facts.zDim, facts.slots, facts.span);
    this.latentModel = routerModel(engine, tokenizer, this.space);
  }

  /**
   * Loads "pocket", a folder or a .gguf file, in a thread of its own.
   * Throws BigVaeError: "usage" for no model, "unsupported", "format", "mismatch", "nonFinite" for bad files, "memory" where it does not fit.
   */
  static async load(model = "pocket", options: LoadOptions = {}): Promise<BigVae> {
    const { adapters, ...engineOptions } = options;
    const paths = await findModel(model, adapters);
    // Another architecture is refused by its name before anything else is read.
    await readConfig(paths.base);
    const tokenizer = await openTokenizer(paths.base);
    const engine = await RemoteEngine.open({ ...paths, ...engineOptions });
    return new BigVae(tokenizer, engine.facts, engine, paths);
  }

  /** Aborts what is under way, frees the model and ends its thread. */
  close(): Promise<void> {
    return this.engine.close();
  }

  /** Width of z: the values of its slots and, where there are several, the length of its text. */
  get zDim(): number {
    return this.facts.zDim;
  }

  /** Tokens of a span. */
  get span(): number {
    return this.facts.span;
  }

  /** RMS of sampled latents: the radius at which random ones make sense. */
  get aeScale(): number {
    return this.facts.aeScale;
  }

  /** sha256 of the weights: what a trace names. */
  hashes(): Promise<ModelHashes> {
    return hashModel(this.paths);
  }

  /** Latents of texts. Throws "usage" for an empty text or one beyond the model's window; nothing is cut. */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<EncodedText[]> {
    if (!Array.isArray(texts))
      throw new BigVaeError("usage", `encode: expected a list of texts, got a ${typeof texts}; write encode([text])`);
    const rows = texts.map((text, i) => this.#ids(text, `text ${i}`));
    const encodings = await this.engine.encode(
      rows.map((ids) => ({ ids })),
      signal,
    );
    return encodings.map((encoding, i) => ({
      text: texts[i]!,
      ids: rows[i]!,
      ...encoding,
      longerThanSpan: rows[i]!.length > this.span,
    }));
  }

  /** A draw from the posterior of an encoded text, its variance times tau; from N(mean, tau) where a mean alone is given. */
  sample(posterior: Posterior | Latent, tau = 1, seed = 0): Latent {
    const of = posterior instanceof Float32Array ? { mean: posterior } : posterior;
    return this.space.sample(of, tau, Rng.fromSeed(seed).fork("sample"));
  }

  /** Text of a latent, by the decoder. */
  async decode(z: Latent, options: DecodeOptions = {}): Promise<string> {
    return (await this.decodeAll([z], options))[0]!;
  }

  /** Texts of latents, as one batch. `cfgScale` may be a scale for each. */
  async decodeAll(
    zs: readonly Latent[],
    options: Omit<DecodeOptions, "cfgScale"> & { cfgScale?: number | readonly number[] } = {},
  ): Promise<string[]> {
    const { prefix = "", nTokens, tau = 0, seed = 0, cfgScale = 1, signal } = options;
    const { space, tokenizer } = this;
    const rng = Rng.fromSeed(seed);
    const lengths = zs.map((z) => space.lengthOf(z));
    const context = prefix === "" ? [] : tokenizer.encode(prefix);
    const room = this.facts.maxPositions - context.length - 1;
    // A text that does not fit is refused by the engine; only what is beyond its length is cut.
    const ownLimit = (length: number) =>
      space.hasLength ? Math.min(writeLimit(length), Math.max(room, Math.ceil(length))) : this.span;
    const limits = lengths.map((length) => nTokens ?? ownLimit(length));
    const rows = zs.map((z, i) => ({
      z,
      noise: rng.fork("decode", i).key,
      nTokens: limits[i]!,
      cfgScale: typeof cfgScale === "number" ? cfgScale : cfgScale[i]!,
    }));
    const stop = tokenizer.eosId === undefined ? {} : { stopId: tokenizer.eosId };
    const written = await this.engine.write(rows, {
      writer: "decoder",
      context,
      beginId: tokenizer.bosId ?? tokenizer.eosId,
      nTokens: Math.max(...limits, 0),
      tau,
      ...stop,
      signal,
    });
    const keepsLength = nTokens === undefined && space.hasLength;
    return written.map((ids, i) =>
      tokenizer.decode(keepsLength ? cutToLength(ids, lengths[i]!, tokenizer.eosId) : ids, { skipSpecial: true }),
    );
  }

  /** Encode and decode: what the model makes of a text. */
  async reconstruct(text: string, options: DecodeOptions = {}): Promise<string> {
    const [encoded] = await this.encode([text], options.signal);
    return this.decode(encoded!.mean, options);
  }

  /** Text that says z and goes on after the context, by the router. */
  async continue(
    z: Latent,
    { context = "", nTokens = 2 * this.span, tau = 0.9, seed = 0, cfgScale = 1, signal }: ContinueOptions = {},
  ): Promise<string> {
    const noise = Rng.fromSeed(seed).fork("continue").key;
    const [ids] = await this.latentModel.write([{ z, noise }], this.tokenizer.encode(context), {
      nTokens,
      tau,
      cfgScale,
      signal,
    });
    return this.tokenizer.decode(ids!, { skipSpecial: true });
  }

  /**
   * The latent at t between a and b, by default in a straight line; of a model of one slot with the norm between theirs (normLerp). With
   * several slots the plain line reads better (pocket/README.md, blends by rule).
   */
  interpolate(a: Latent, b: Latent, t: number, kind?: InterpolationKind): Latent {
    const { space } = this;
    const kinds = {
      lerp: () => space.lerp(a, b, t),
      slerp: () => space.slerp(a, b, t),
      normLerp: () => space.normLerp(a, b, t),
    };
    return oneOf(kinds, kind ?? (space.hasLength ? "lerp" : "normLerp"), "interpolate")();
  }

  /** A mix of latents; weights may be negative. normKept, the default, gives it the weighted mean of their lengths. */
  mix(zs: readonly Latent[], weights: readonly number[], kind: MixKind = "normKept"): Latent {
    const kinds = {
      sum: () => this.space.weightedSum(zs, weights),
      normKept: () => this.space.normKeptSum(zs, weights),
      medoid: () => this.space.medoid(zs, weights),
    };
    return oneOf(kinds, kind, "mix")();
  }

  /** What texts have in common: means of their first spans, averaged, at their mean length. */
  async taskVector(texts: readonly string[]): Promise<Latent> {
    const run = new Run(this.latentModel, this.#samplingOptions({}));
    return (
      await taskVector(
        run,
        texts.map((text, i) => this.#ids(text, `example ${i}`)),
      )
    ).z;
  }

  /** Runs a sampler; yields each span as it is written and returns the whole. */
  async *generate(
    name: SamplerName,
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedSpan, GeneratedText, void> {
    if (!Object.hasOwn(samplers, name))
      throw new BigVaeError(
        "usage",
        `generate: expected a sampler, got ${JSON.stringify(name)}; the samplers are ${Object.keys(samplers).join(", ")}`,
      );
    const { write, defaults, weights } = samplers[name];
    const sampling = this.#samplingOptions({ ...defaults, ...options });
    checkOptions(name, sampling, weights);
    const sampler = write(this.latentModel, this.#samplerInputs(options), sampling);
    for (;;) {
      const { value, done } = await sampler.next();
      const text = this.tokenizer.decode(value.ids as number[], { skipSpecial: true });
      if (!done) {
        yield { ...value, text };
        continue;
      }
      const nextText = value.next && this.tokenizer.decode(value.next as number[], { skipSpecial: true });
      return { ...value, text, ...(nextText === undefined ? {} : { nextText }) };
    }
  }

  #samplerInputs(options: GenerateOptions): SamplerInputs {
    const { prompt = [], context = "", start, terminal, task = [], preset, averaging, nStarts } = options;
    const prompts = typeof prompt === "string" ? [prompt] : prompt;
    return {
      prompts: prompts.map((text) => this.#ids(text, "prompt")),
      context: this.tokenizer.encode(context),
      examples: task.map((text, i) => this.#ids(text, `example ${i} of the task`)),
      ...(start === undefined ? {} : { start: this.#ids(start, "start") }),
      ...(terminal === undefined ? {} : { terminal: this.#ids(terminal, "terminal") }),
      aeScale: this.aeScale,
      preset,
      averaging,
      nStarts,
    };
  }

  #samplingOptions(options: GenerateOptions): SamplingOptions {
    const {
      seed = 0,
      nSteps = DEFAULT_STEPS,
      nAvg = 4,
      tau = 0.9,
      noise = 1,
      span = this.span,
      weights = {},
    } = options;
    const { cfgScale, signal, onToken } = options;
    const calls = {
      ...(cfgScale === undefined ? {} : { cfgScale }),
      ...(signal ? { signal } : {}),
      ...(onToken ? { onToken } : {}),
    };
    return { nSteps, nAvg, tau, noise, span, weights, ...calls, rng: Rng.fromSeed(seed) };
  }

  #ids(text: string, what: string): number[] {
    if (typeof text !== "string")
      throw new BigVaeError("usage", `${what}: expected some text, got a ${typeof text}; give a string`);
    const ids = this.tokenizer.encode(text);
    if (ids.length > 0) return ids;
    throw new BigVaeError("usage", `${what}: expected some text, got an empty one; give at least one word`);
  }
}

/** The function of that name. @throws BigVaeError("usage") where there is none. */
function oneOf<T>(functions: Readonly<Record<string, T>>, kind: string, what: string): T {
  if (Object.hasOwn(functions, kind)) return functions[kind]!;
  const known = Object.keys(functions).join(", ");
  throw new BigVaeError("usage", `${what}: expected a kind of ${known}, got ${JSON.stringify(kind)}; give one of them`);
}
