/** The engine: encodes text, writes from latents, scores continuations. Pure computation; runtime and weights are handed in. */
import { BigVaeError } from "../errors.js";
import {
  checkLogits,
  greedyToken,
  type Latent,
  logProbability,
  type Posterior,
  sampleToken,
  type TokenChooser,
} from "../latent/index.js";
import { MASKED } from "../model/attention.js";
import { Rng, type RngKey } from "../rng.js";
import { float32, int64, type Runtime } from "../runtime/runtime.js";
import type { VaeAdapters } from "./adapters.js";
import { type BaseModel, copyEmbedding } from "./baseModel.js";
import { KvCache } from "./kvCache.js";
import { type Item, Reader, type RowInput, SharedContext } from "./reader.js";
import { type AdapterForm, Sessions, type WriterName } from "./sessions.js";
import { WritingRows } from "./writingRows.js";

export interface TokenRow {
  ids: readonly number[];
  /** 1 for a token, 0 for padding; all ones where it is left out. Positions count padding too. */
  mask?: readonly number[];
}

export interface Encoding extends Posterior {
  /** How much of the latent was taken from each token: [T], sums to 1. */
  poolWeights: Float32Array;
}

/** What one row is written from. */
export interface WriteRow {
  /** Left out only when the base itself writes. */
  z?: Latent;
  /** Names the row's noise, so that it does not depend on the other rows. */
  noise: RngKey;
}

export interface WriteOptions {
  /** router: z after the context. decoder: z before it. base: no z. */
  writer: WriterName;
  /** Tokens that all rows continue. */
  context: readonly number[];
  nTokens: number;
  /** Temperature of the token noise; 0 is greedy. */
  tau: number;
  /** logits = base + cfgScale * (writer - base); 1 leaves the base out. */
  cfgScale?: number;
  /** A row ends after this token. */
  stopId?: number;
  signal?: AbortSignal;
  /** Called with each row's new token, as it is written. */
  onToken?(row: number, id: number): void;
  /** How a row's token is chosen, in place of tau and noise. */
  choose?(row: number): TokenChooser;
}

/** A text read under teacher forcing; one value for each target token. */
export interface Score {
  /** Natural logarithm of the token's probability. */
  logProbabilities: number[];
  /** Whether it was the most likely token. */
  greedy: boolean[];
}

/** A row whose target's likelihood is asked for. */
export interface ScoreRow extends Omit<WriteRow, "noise"> {
  target: readonly number[];
}

export interface EngineOptions {
  runtime: Runtime;
  base: BaseModel;
  vae?: VaeAdapters;
  form?: AdapterForm;
  /** Tokens of one row at most: context, z and what is written. */
  maxPositions?: number;
}

/** Tokens of one encoding batch at most. */
const ENCODE_BATCH_TOKENS = 4096;
/** Rows that are written together at most: each has a cache of its own. */
const WRITE_BATCH_ROWS = 128;

export class Engine {
  readonly base: BaseModel;
  readonly vae: VaeAdapters | undefined;
  readonly maxPositions: number;
  readonly #sessions: Sessions;
  readonly #contexts = new Map<WriterName, SharedContext>();
  /** The call under way; the next one waits for it, since contexts are shared. */
  #last: Promise<unknown> = Promise.resolve();

  constructor({ runtime, base, vae, form = "merged", maxPositions }: EngineOptions) {
    this.base = base;
    this.vae = vae;
    this.maxPositions = maxPositions ?? base.config.maxPositionEmbeddings;
    this.#sessions = new Sessions(runtime, base, vae, form, this.maxPositions);
  }

  /** Latents of token rows; rows of like length are computed together. Throws "usage" for an empty or too long row. */
  async encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    return this.#exclusive(() => this.#encode(rows, signal), signal);
  }

  async #encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    this.#vae();
    for (const [i, { ids, mask }] of rows.entries())
      this.#checkLength(`text ${i}`, mask?.every((shown) => shown === 0) ? 0 : ids.length);
    const byLength = Array.from(rows.keys()).sort((a, b) => rows[a]!.ids.length - rows[b]!.ids.length);
    const encodings: Encoding[] = [];
    for (let start = 0; start < byLength.length; ) {
      const shortest = rows[byLength[start]!]!.ids.length;
      const fits = (longest: number, count: number) =>
        count * longest <= ENCODE_BATCH_TOKENS && longest <= shortest + Math.max(4, shortest / 4);
      let end = start + 1;
      while (end < byLength.length && fits(rows[byLength[end]!]!.ids.length, end + 1 - start)) end++;
      const batch = byLength.slice(start, end);
      signal?.throwIfAborted();
      const results = await this.#encodeBatch(batch.map((i) => rows[i]!));
      for (const [k, i] of batch.entries()) encodings[i] = results[k]!;
      start = end;
    }
    return encodings;
  }

  /** Writes rows together, many at a time, up to nTokens each. Returns the new tokens of each row; a row's stop token is its last. */
  async write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const written: number[][] = [];
    for (let start = 0; start < rows.length; start += WRITE_BATCH_ROWS) {
      const batch = rows.slice(start, start + WRITE_BATCH_ROWS);
      const { onToken, choose } = options;
      const ofBatch = {
        ...options,
        ...(onToken ? { onToken: (row: number, id: number) => onToken(start + row, id) } : {}),
        ...(choose ? { choose: (row: number) => choose(start + row) } : {}),
      };
      written.push(...(await this.#exclusive(() => this.#write(batch, ofBatch), options.signal)));
    }
    return written;
  }

  async #write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { writer, context, nTokens, tau, cfgScale = 1, stopId, signal } = options;
    if (!(tau >= 0)) throw new BigVaeError("usage", `tau: expected a number of at least 0, got ${tau}; 0 is greedy`);
    if (!Number.isFinite(cfgScale))
      throw new BigVaeError("usage", `cfgScale: expected a number, got ${cfgScale}; 1 leaves the base out`);
    this.#checkRoom(writer, context.length, nTokens);
    const start = await this.#start(rows, writer, context, signal);
    const guideContext = context.length > 0 ? context : [stopId ?? 0];
    const guide = cfgScale === 1 ? undefined : await this.#start(rows, "base", guideContext, signal);
    const choosers = rows.map(({ noise }, row) => options.choose?.(row) ?? tokenSampler(tau, noise));
    const written: number[][] = rows.map(() => []);
    let active = Array.from(rows.keys());
    for (let t = 0; active.length > 0 && t < nTokens; t++) {
      signal?.throwIfAborted();
      const logits = await start.advance();
      const guideLogits = await guide?.advance();
      const ids = active.map((row, k) => {
        const guided = guideLogits ? classifierFree(guideLogits[k]!, logits[k]!, cfgScale) : logits[k]!;
        if (t === 0) checkLogits(guided);
        const id = choosers[row]!(guided);
        written[row]!.push(id);
        options.onToken?.(row, id);
        return id;
      });
      const kept = Array.from(ids.keys()).filter((k) => ids[k] !== stopId);
      start.push(ids, kept);
      guide?.push(ids, kept);
      active = kept.map((k) => active[k]!);
    }
    return written;
  }

  /** How each row's writer, after the context, reads the row's target when it is given the true tokens (teacher forcing). */
  async score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    return this.#exclusive(() => this.#score(rows, writer, context, signal), signal);
  }

  async #score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    if (rows.length === 0) return [];
    this.#checkRoom(writer, context.length, Math.max(...rows.map(({ target }) => target.length)));
    const start = await this.#start(rows, writer, context, signal);
    const logits = await start.advanceOver(rows.map(({ target }) => target.slice(0, -1)));
    return rows.map(({ target }, row) => ({
      logProbabilities: target.map((id, t) => logProbability(logits[row]![t]!, id)),
      greedy: target.map((id, t) => greedyToken(logits[row]![t]!) === id),
    }));
  }

  /** Frees sessions and caches, after the calls under way; the engine can be used again. */
  async close(): Promise<void> {
    return this.#exclusive(async () => {
      this.#contexts.clear();
      await this.#sessions.release();
    });
  }

  /** Runs one call at a time, in the order of the calls; one that is aborted while it waits does not run. */
  #exclusive<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const result = this.#last.then(() => {
      signal?.throwIfAborted();
      return run();
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  #vae(): VaeAdapters {
    if (this.vae) return this.vae;
    throw new BigVaeError(
      "usage",
      "engine: expected adapters for encoding and latents, got the base alone; load a folder with encoder, decoder and router",
    );
  }

  #checkLength(what: string, length: number): void {
    if (length < 1)
      throw new BigVaeError("usage", `${what}: expected at least one token, got an empty text; give some text`);
    if (length <= this.maxPositions) return;
    throw new BigVaeError(
      "usage",
      `${what}: expected at most ${this.maxPositions} tokens, the model's window, got ${length}; shorten it or cut it into spans`,
    );
  }

  /** Throws "usage" where a context, z and nTokens do not go into the window together, with how many tokens still fit. */
  #checkRoom(writer: WriterName, contextLength: number, nTokens: number): void {
    const before = contextLength + (writer === "base" ? 0 : 1) + this.#gapBefore(writer, contextLength);
    // The last token that is written is not read.
    const room = Math.max(this.maxPositions - before + 1, 0);
    if (nTokens <= room) return;
    throw new BigVaeError(
      "usage",
      `context: expected at most ${this.maxPositions} tokens, the model's window, got ${contextLength} of context and ${nTokens} to write; ${room} still fit: ask for fewer steps or shorter spans, or shorten the context`,
    );
  }

  /** Positions left empty before a decoded text: those of a dropped prefix. */
  #gapBefore(writer: WriterName, contextLength: number): number {
    return writer === "decoder" && contextLength === 0 ? this.#vae().gap : 0;
  }

  async #encodeBatch(rows: readonly TokenRow[]): Promise<Encoding[]> {
    const { hiddenSize } = this.base.config;
    const [b, t] = [rows.length, Math.max(...rows.map(({ ids }) => ids.length))];
    const embeddings = new Float32Array(b * t * hiddenSize);
    const mask = new Float32Array(b * t).fill(MASKED);
    for (const [row, { ids, mask: given }] of rows.entries()) {
      for (const [i, id] of ids.entries()) {
        copyEmbedding(this.base, id, embeddings, (row * t + i) * hiddenSize);
        if (given?.[i] !== 0) mask[row * t + i] = 0;
      }
    }
    const { session, weights } = await this.#sessions.encoder();
    const outputs = await session.run({
      ...weights,
      embeddings: float32(embeddings, b, t, hiddenSize),
      positions: int64(
        Array.from({ length: b * t }, (_, i) => i % t),
        b,
        t,
      ),
      mask: float32(mask, b, 1, 1, t),
    });
    const cut = (name: string, row: number, width: number, length = width) =>
      (outputs[name]!.data as Float32Array).slice(row * width, row * width + length);
    const { zDim } = this.#vae();
    return rows.map(({ ids }, row) => ({
      mean: cut("mean", row, zDim),
      poolWeights: cut("pool_weights", row, t, ids.length),
      ...(outputs.log_variance ? { logVariance: cut("log_variance", row, zDim) } : {}),
    }));
  }

  /** Rows ready to write: the context read, each row's z in its place, the next position known. */
  async #start(
    rows: readonly { z?: Latent }[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<WritingRows> {
    if (writer !== "base") this.#vae();
    const bound = await this.#sessions.writer(writer);
    const ids = context.map((id) => ({ id }));
    const make = async (shared: readonly number[], inputs: readonly RowInput[], next: number) => {
      const cache = await this.#context(writer).then((kept) => kept.read(shared, signal));
      return new WritingRows(
        new Reader(this.base, bound, cache, new KvCache(this.base.config, rows.length)),
        inputs,
        next,
      );
    };
    if (writer === "base") {
      const last = context.length - 1;
      if (last < 0)
        throw new BigVaeError(
          "usage",
          "generate: expected a context for the base to continue, got none; give --context",
        );
      return make(
        context.slice(0, -1),
        rows.map(() => ({ items: [ids[last]!], positions: [last] })),
        last + 1,
      );
    }
    const embeddings = await this.#latentEmbeddings(rows.map(({ z }) => z!));
    if (writer === "router") {
      const inputs = embeddings.map((embedding) => ({ items: [{ embedding }], positions: [context.length] }));
      return make(context, inputs, context.length + 1);
    }
    const gap = this.#gapBefore(writer, context.length);
    const positions = Array.from({ length: context.length + 1 }, (_, i) => i);
    const inputs = embeddings.map((embedding) => ({ items: [{ embedding } as Item, ...ids], positions }));
    return make([], inputs, context.length + gap + 1);
  }

  async #context(writer: WriterName): Promise<SharedContext> {
    let context = this.#contexts.get(writer);
    if (!context) {
      context = new SharedContext(this.base, await this.#sessions.writer(writer));
      this.#contexts.set(writer, context);
    }
    return context;
  }

  async #latentEmbeddings(zs: readonly Latent[]): Promise<Float32Array[]> {
    const { zDim } = this.#vae();
    for (const [i, z] of zs.entries()) checkLatent(z, zDim, i);
    const { session, weights } = await this.#sessions.latentEmbedding();
    const flat = new Float32Array(zs.length * zDim);
    for (const [i, z] of zs.entries()) flat.set(z, i * zDim);
    const { embedding } = await session.run({ ...weights, z: float32(flat, zs.length, zDim) });
    const { hiddenSize } = this.base.config;
    return zs.map((_, i) => (embedding!.data as Float32Array).subarray(i * hiddenSize, (i + 1) * hiddenSize));
  }
}

/** base + scale * (guided - base), Ho & Salimans 2022. [V] */
function classifierFree(base: Float32Array, guided: Float32Array, scale: number): Float32Array {
  return base.map((logit, id) => logit + scale * (guided[id]! - logit));
}

function tokenSampler(tau: number, noise: RngKey): TokenChooser {
  const rng = Rng.fromKey(noise);
  return (logits) => sampleToken(logits, tau, rng);
}

/** Throws "mismatch" for another width and "nonFinite" for NaN, naming the index. */
function checkLatent(z: Latent, zDim: number, index = 0): void {
  if (z.length !== zDim) {
    throw new BigVaeError(
      "mismatch",
      `z ${index}: expected ${zDim} values, got ${z.length}; use latents of this model`,
    );
  }
  const bad = z.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new BigVaeError(
      "nonFinite",
      `z ${index}: expected finite values, got ${z[bad]} at ${bad}; check the mix weights`,
    );
}
