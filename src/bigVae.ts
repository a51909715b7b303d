/** The public door: a model with its tokenizer, the engine in a thread, a process or a server, and every sampler by name. Runs in Node and in a browser. */
import { cutIntoPieces } from "./data/pieces.js";
import { BigVaeError } from "./errors.js";
import { type Confidence, confidences } from "./eval/confidence.js";
import { Scoring } from "./eval/scoring.js";
import type {
  CompletedSpan,
  CompletedText,
  CompleteOptions,
  ContinueOptions,
  DecodeAllOptions,
  DecodeOptions,
  EmbeddedText,
  EmbedOptions,
  EncodedText,
  GeneratedSpan,
  GeneratedText,
  GenerateOptions,
  InterpolationKind,
  LoadOptions,
  MixKind,
  ModelSource,
  TaskExample,
} from "./host/calls.js";
import {
  checkDecoding,
  checkEncoded,
  checkKnown,
  checkLatents,
  checkLoad,
  checkSignal,
  checkTexts,
  oneOf,
  withoutUndefined,
  wrongValue,
} from "./host/checkCall.js";
import { routerModel } from "./host/routerModel.js";
import { samplerInputs, samplingOptions, taskExamples, textIds } from "./host/samplerArguments.js";
import { StreamedTexts } from "./host/streamedTexts.js";
import {
  checkLatent,
  cutToLength,
  type Latent,
  LatentSpace,
  norm,
  type Posterior,
  writeLimit,
} from "./latent/index.js";
import { httpLink, servedHashes, servedTokenizer } from "./remote/httpLink.js";
import type { EngineFacts, ModelHashes } from "./remote/protocol.js";
import { RemoteEngine } from "./remote/remoteEngine.js";
import { Rng } from "./rng.js";
import { checkOptions } from "./sampling/checkOptions.js";
import type { LatentModel } from "./sampling/model.js";
import { plain } from "./sampling/plain.js";
import { RunText, spelled } from "./sampling/runText.js";
import { type SamplerName, samplers } from "./sampling/samplers.js";
import { SamplingRun } from "./sampling/samplingRun.js";
import { taskVector } from "./sampling/task.js";
import { loadTokenizer, type Tokenizer } from "./tokenizer/index.js";

export type { Confidence, UsualLosses } from "./eval/confidence.js";
export * from "./host/calls.js";

/**
 * A loaded model.
 * @example
 * const vae = await BigVae.load("pocket");
 * const [a, b] = await vae.encode(["The fox found the lamp.", "The baker lost a key."]);
 * console.log(await vae.decode(vae.interpolate(a.mean, b.mean, 0.5)));
 * await vae.close();
 */
export class BigVae {
  #hashes: Promise<ModelHashes> | undefined;
  /** This model as samplers see it. */
  readonly latentModel: LatentModel;
  /** The space of its latents. */
  readonly space: LatentSpace;

  private constructor(
    /** The base's tokenizer. */
    readonly tokenizer: Tokenizer,
    /** Positions of the base, widths of z, tokens of a span, ae_scale, names of the adapters. */
    readonly facts: EngineFacts,
    /** What computes, in a thread or a process of its own: for calls by token ids and rows. */
    readonly engine: RemoteEngine,
    /** Where it comes from. */
    readonly source: ModelSource,
  ) {
    this.space = new LatentSpace({ zDim: facts.zDim, slots: facts.slots, span: facts.span });
    this.latentModel = routerModel(engine, tokenizer, this.space);
  }

  /**
   * Loads "pocket", a folder, a .gguf file or a hub name in the cache, in a thread of its own, or a process (`isolation`).
   * Throws BigVaeError: "usage" for no model, "unsupported", "format", "mismatch", "nonFinite" for bad files, "memory" where it does not fit.
   */
  static async load(model = "pocket", options: LoadOptions = {}): Promise<BigVae> {
    if (typeof model !== "string") throw wrongValue("load", "a model's name or path", model);
    checkKnown("load", options);
    checkLoad(options);
    const { openModel } = await import("./host/openModel.js");
    const { tokenizer, engine, source } = await openModel(model, options);
    return new BigVae(tokenizer, engine.facts, engine, source);
  }

  /**
   * The model of a server (`bigvae serve`), which computes: every call and sampler is as of a model that is loaded here.
   * @throws BigVaeError("unavailable") where there is no server, one that is loading, or one that asks for another key.
   * @example
   * const vae = await BigVae.connect("http://127.0.0.1:3001");
   */
  static async connect(url: string, { key }: { key?: string } = {}): Promise<BigVae> {
    if (typeof url !== "string" || !/^https?:\/\/[^?#]+$/i.test(url) || !URL.canParse(url))
      throw wrongValue("connect", "the address of a server, http://...", url);
    const address = { url, key };
    const files = await servedTokenizer(address);
    const tokenizer = loadTokenizer(files.json, files.config, files.specialTokens);
    const engine = await RemoteEngine.open(httpLink(address), { base: url, adapters: undefined });
    const source = { tokenizer: async () => files, hashes: () => servedHashes(address) };
    return new BigVae(tokenizer, engine.facts, engine, source);
  }

  /** Aborts what is under way, frees the model and ends its thread or process. */
  close(): Promise<void> {
    return this.engine.close();
  }

  /** Values of a latent: those of its slots and, where there are several, the length of its text. */
  get width(): number {
    return this.facts.width;
  }

  /** Tokens of a span. */
  get span(): number {
    return this.facts.span;
  }

  /** RMS of sampled latents: the radius at which random ones make sense. */
  get aeScale(): number {
    return this.facts.aeScale;
  }

  /** sha256 of the weights: what traces and memories know it by. */
  hashes(): Promise<ModelHashes> {
    this.#hashes ??= this.source.hashes().catch((error) => {
      // A server may be reached the next time.
      this.#hashes = undefined;
      throw error;
    });
    return this.#hashes;
  }

  /** Latents of texts. Throws "usage" for an empty text or one beyond the model's window; nothing is cut. */
  async encode(texts: readonly string[], signal?: AbortSignal): Promise<EncodedText[]> {
    checkTexts("encode", texts);
    checkSignal("encode", signal);
    const rows = texts.map((text, i) => textIds(this.tokenizer, text, `text ${i + 1}`));
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

  /**
   * Texts as vectors of the base alone, which needs no adapters: the mean over a text's tokens of the last hidden states, [D], behind the
   * final norm and not scaled to any length. A beginning token of the tokenizer's own is read before the text, and not counted.
   * Throws "usage" for an empty text or one beyond the model's window.
   */
  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<EmbeddedText[]> {
    checkTexts("embed", texts);
    checkKnown("embed", options);
    const { causal = false, signal } = options;
    if (typeof causal !== "boolean") throw wrongValue("`causal`", "true or false", causal);
    const { beginId, eosId } = this.tokenizer;
    const begin = beginId === undefined || beginId === eosId ? [] : [beginId];
    const rows = texts.map((text, i) => textIds(this.tokenizer, text, `text ${i + 1}`));
    const means = await this.engine.embed(
      rows.map((ids) => ({ ids: [...begin, ...ids], skip: begin.length })),
      causal,
      signal,
    );
    return means.map((mean, i) => ({ text: texts[i]!, ids: rows[i]!, mean }));
  }

  /** Latents of a text of any length, one for each of its pieces (`cut`). Throws "usage" for an empty text. */
  async encodeSpans(text: string, signal?: AbortSignal): Promise<EncodedText[]> {
    return this.encode(this.cut(text), signal);
  }

  /**
   * How well latents keep their texts: posterior means by default, or another z for each text. Two readings, by the decoder and by the base.
   */
  confidence(
    encoded: readonly (Pick<EncodedText, "ids" | "mean"> & { z?: Latent })[],
    signal?: AbortSignal,
  ): Promise<Confidence[]> {
    const { engine: model, tokenizer, space } = this;
    checkEncoded("confidence", encoded, space.width);
    checkSignal("confidence", signal);
    const scoring = new Scoring({ model, tokenizer, space, ...(signal ? { signal } : {}) });
    const texts = encoded.map(({ ids, mean, z = mean }) => ({ ids, z }));
    return confidences(scoring, texts, this.facts.usualLosses);
  }

  /** The pieces of a text, each of at most a span: cut at sentence ends, where a sentence is not longer than that. */
  cut(text: string): string[] {
    checkTexts("cut", [text]);
    return cutIntoPieces(text, (piece) => this.tokenizer.encode(piece).length <= this.span);
  }

  /** A draw from the posterior of an encoded text, its variance times tau; from N(mean, tau) where a mean alone is given. */
  sample(posterior: Posterior | Latent, tau = 1, seed = 0): Latent {
    if (typeof posterior !== "object" || posterior === null)
      throw wrongValue("sample", "a posterior or a latent", posterior);
    const of = posterior instanceof Float32Array ? { mean: posterior } : posterior;
    checkLatents("sample", [of.mean ?? of]);
    return this.space.sample(of, tau, Rng.fromSeed(seed).fork("sample"));
  }

  /** Text of a latent, by the decoder. */
  async decode(z: Latent, options: DecodeOptions = {}): Promise<string> {
    return (await this.decodeAll([z], options))[0]!;
  }

  /** Texts of latents, as one batch. `cfgScale` may be a scale for each. */
  async decodeAll(zs: readonly Latent[], options: DecodeAllOptions = {}): Promise<string[]> {
    checkLatents("decode", zs);
    checkKnown("decode", options);
    const { prefix = "", nTokens, tau = 0, seed = 0, cfgScale = 1, signal, onText } = options;
    checkTexts("decode: prefix", [prefix]);
    const { space, tokenizer } = this;
    for (const [i, z] of zs.entries()) checkLatent(z, space.width, `z ${i + 1}`);
    checkDecoding(options, zs.length);
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
      rngKey: rng.fork("decode", i).key,
      nTokens: limits[i]!,
      cfgScale: typeof cfgScale === "number" ? cfgScale : cfgScale[i]!,
    }));
    const stop = tokenizer.eosId === undefined ? {} : { stopId: tokenizer.eosId };
    const keepsLength = nTokens === undefined && space.hasLength;
    const streamed =
      onText && new StreamedTexts(tokenizer, keepsLength ? lengths : lengths.map(() => undefined), onText);
    const written = await this.engine.write(rows, {
      writer: "decoder",
      context,
      beginId: tokenizer.beginId,
      nTokens: Math.max(...limits, 0),
      tau,
      ...stop,
      ...(streamed ? { onToken: (row: number, id: number) => streamed.push(row, id) } : {}),
      signal,
    });
    const kept = written.map((ids, i) => (keepsLength ? cutToLength(ids, lengths[i]!, tokenizer.eosId) : ids));
    if (streamed) await Promise.all(kept.map((ids, row) => streamed.end(row, ids)));
    return kept.map((ids) => tokenizer.decode(ids, { skipSpecial: true }));
  }

  /** Encode and decode: what the model makes of a text. */
  async reconstruct(text: string, options: DecodeOptions = {}): Promise<string> {
    const [encoded] = await this.encode([text], options.signal);
    return this.decode(encoded!.mean, options);
  }

  /** Text that says z and goes on after the context, by the router. */
  async continue(z: Latent, options: ContinueOptions = {}): Promise<string> {
    checkLatents("continue", [z]);
    checkKnown("continue", options);
    const { context = "", nTokens = 2 * this.span, tau = 0.9, seed = 0, cfgScale = 1, signal } = options;
    checkTexts("continue: context", [context]);
    const rngKey = Rng.fromSeed(seed).fork("continue").key;
    const [ids] = await this.latentModel.write([{ z, rngKey }], this.tokenizer.encode(context), {
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
    checkLatents("interpolate", [a, b]);
    const { space } = this;
    const kinds = {
      lerp: () => space.lerp(a, b, t),
      slerp: () => space.slerp(a, b, t),
      normLerp: () => space.normLerp(a, b, t),
    };
    return oneOf(kinds, kind ?? (space.hasLength ? "lerp" : "normLerp"), "interpolate")();
  }

  /**
   * A mix of latents; weights may be negative. normKept, the default, gives it the weighted mean of their lengths. Throws "usage" where they cancel: what is
   * left says nothing.
   */
  mix(zs: readonly Latent[], weights: readonly number[], kind: MixKind = "normKept"): Latent {
    checkLatents("mix", zs);
    const kinds = {
      sum: () => this.space.weightedSum(zs, weights),
      normKept: () => this.space.normKeptSum(zs, weights),
      medoid: () => this.space.medoid(zs, weights),
    };
    const mixed = oneOf(kinds, kind, "mix")();
    if (kind !== "medoid") this.#refuseCancelling(zs, weights);
    return mixed;
  }

  /** Throws "usage" for parts whose sum is their rounding alone. */
  #refuseCancelling(zs: readonly Latent[], weights: readonly number[]): void {
    const size = (z: Latent) => norm(this.space.content(z));
    const most = zs.reduce((sum, z, i) => sum + Math.abs(weights[i]!) * size(z), 0);
    if (most === 0 || size(this.space.weightedSum(zs, weights)) > 1e-6 * most) return;
    throw new BigVaeError("usage", {
      subject: "mix",
      expected: "parts that leave something",
      got: "parts that cancel",
      remedy: "give other weights",
    });
  }

  /** What examples have in common: means of their first spans, averaged, at their mean length. A latent is taken as such a mean. */
  async taskVector(examples: readonly TaskExample[]): Promise<Latent> {
    const run = new SamplingRun(this.latentModel, samplingOptions({}, this.span));
    return (await taskVector(run, taskExamples(this, "task vector", examples))).z;
  }

  /**
   * Goes on from a text by the base alone, which needs no adapters: plain sampling. Yields each span as it is written and returns the whole,
   * the text in front. An empty text is written from its beginning.
   */
  async *complete(text: string, options: CompleteOptions = {}): AsyncGenerator<CompletedSpan, CompletedText, void> {
    checkTexts("complete", [text]);
    checkKnown("complete", options);
    const sampling = samplingOptions(withoutUndefined(options), this.span);
    checkOptions("complete", sampling, {});
    const before = this.tokenizer.encode(text);
    const { runText, onToken } = this.#streamed(options, before.length > 0);
    const written = yield* spelled(plain(this.latentModel, before, { ...sampling, onToken }), runText);
    return { ...written, text: this.tokenizer.decode(written.ids, { skipSpecial: true }) };
  }

  /** Runs a sampler; yields each span as it is written and returns the whole. */
  async *generate(
    name: SamplerName,
    options: GenerateOptions = {},
  ): AsyncGenerator<GeneratedSpan, GeneratedText, void> {
    if (!Object.hasOwn(samplers, name))
      throw new BigVaeError("usage", {
        subject: "generate",
        expected: "a sampler",
        got: JSON.stringify(name),
        remedy: `the samplers are ${Object.keys(samplers).join(", ")}`,
      });
    checkKnown("generate", options);
    const { write, defaults, weights } = samplers[name];
    const sampling = samplingOptions({ ...defaults, ...withoutUndefined(options) }, this.span);
    checkOptions(
      name,
      { ...sampling, ...withoutUndefined({ nStarts: options.nStarts, nTries: options.nTries }) },
      weights,
    );
    const inputs = samplerInputs(this, options);
    const { runText, onToken } = this.#streamed(options, inputs.context.length > 0);
    const written = yield* spelled(write(this.latentModel, inputs, { ...sampling, onToken }), runText);
    const decode = (ids: readonly number[]) => this.tokenizer.decode(ids, { skipSpecial: true });
    return { ...written, text: decode(written.ids), ...(written.next ? { nextText: decode(written.next) } : {}) };
  }

  /** The text of a run as its tokens come, told to the caller's callbacks. `continues`: whether it goes on from another. */
  #streamed({ onText, onToken }: Pick<GenerateOptions, "onText" | "onToken">, continues: boolean) {
    const runText = new RunText(this.tokenizer.stream({ skipSpecial: true, continues }), onText);
    return {
      runText,
      onToken: (id: number) => {
        // A callback may be asynchronous, and reject: whoever calls this one hears of it.
        const told = [runText.push(id), onToken?.(id)].filter((each) => each instanceof Promise);
        return told.length > 0 ? Promise.all(told) : undefined;
      },
    };
  }
}
