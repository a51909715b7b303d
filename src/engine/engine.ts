/** The engine: encodes text, writes from latents, scores continuations. Pure computation; runtime and weights are handed in. */
import { BigVaeError } from "../errors.js";
import {
  checkLatent,
  checkLogits,
  classifierFree,
  greedyToken,
  type Latent,
  LatentSpace,
  logProbability,
  sampleToken,
} from "../latent/index.js";
import { Rng } from "../rng.js";
import { float32, type Runtime } from "../runtime/runtime.js";
import type { WriterRole } from "../vae/roles.js";
import { type RowLayout, rowLayout } from "../vae/rowLayout.js";
import { type VaeAdapters, writerRole } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
import type { Score, ScoreRow, WriteOptions, WriteRow } from "./calls.js";
import { batchesOfLikeLength, type Encoding, encodeBatch, type TokenRow } from "./encoding.js";
import { KvCache } from "./kvCache.js";
import { type Item, ModelRunner, type RowInput, SharedContext } from "./modelRunner.js";
import { Places } from "./places.js";
import { type PooledRow, poolBatch } from "./pooling.js";
import { type AdapterForm, Sessions, type WriterName } from "./sessions.js";
import type { ImageStore } from "./trunkParts.js";
import { Turns } from "./turns.js";
import { WritingRows } from "./writingRows.js";

export interface EngineOptions {
  runtime: Runtime;
  base: BaseModel;
  vae?: VaeAdapters;
  form?: AdapterForm;
  /** Tokens of one row at most: context, z and what is written. */
  maxPositions?: number;
  /** Token ids of a text of many kinds. Where given, the products of a dense base are computed in int8, balanced by it; adapters are merged. */
  int8Sample?: readonly number[] | undefined;
  /** Files of the packed weights of a large base. */
  images?: ImageStore;
}

export type { Score, ScoreRow, WriteOptions, WriteRow } from "./calls.js";
export type { Encoding, TokenRow } from "./encoding.js";
export type { PooledRow } from "./pooling.js";

/** What rows begin with. */
interface Beginning extends Required<Pick<WriteOptions, "writer" | "context" | "begun">> {
  rows: readonly { z?: Latent }[];
}

/** Rows that are under way at most: each has a cache of its own. */
const MAX_ROWS = 128;
/** Rows of a call that are written or scored together at most, so that another call finds room beside a long one. */
const BATCH_ROWS = MAX_ROWS / 2;
/** Logits that are computed at once at most, where more than those of one token of each row are wanted: 128 MB. */
const MAX_LOGITS = 2 ** 25;

export class Engine {
  readonly base: BaseModel;
  readonly vae: VaeAdapters | undefined;
  readonly maxPositions: number;
  /** Of the latents, where there are adapters. */
  readonly space: LatentSpace | undefined;
  readonly #sessions: Sessions;
  /** The context that each writer has read last; not while it is in use. */
  readonly #contexts = new Map<WriterName, SharedContext>();
  readonly #encoding = new Turns();
  /** Of writing and scoring, a turn for each step. */
  readonly #writing = new Turns();
  readonly #places = new Places(MAX_ROWS);
  /** What was called and is not answered. */
  readonly #calls = new Set<Promise<unknown>>();
  /** Later calls wait until sessions can be made anew. */
  #closing: Promise<unknown> = Promise.resolve();

  constructor({ runtime, base, vae, form = "merged", maxPositions, int8Sample, images }: EngineOptions) {
    this.base = base;
    this.vae = vae;
    this.space = vae && new LatentSpace(vae);
    this.maxPositions = maxPositions ?? base.config.maxPositionEmbeddings;
    const only = base.weights.quant !== "none" ? "unmerged" : int8Sample ? "merged" : form;
    this.#sessions = new Sessions(runtime, base, vae, only, this.maxPositions, images, int8Sample);
  }

  /** Reads a packed base now rather than at first use, so that a file that is wrong shows when it is opened. */
  prepare(): Promise<void> {
    return this.#sessions.prepare();
  }

  /** Latents of token rows; rows of like length are computed together. Throws "usage" for an empty or too long row. */
  async encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    return this.#tracked(() => this.#encode(rows, signal));
  }

  async #encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    const vae = this.#vae();
    for (const [i, { ids, mask }] of rows.entries())
      this.#checkLength(`text ${i}`, mask?.every((shown) => shown === 0) ? 0 : ids.length);
    const encode = async (batch: readonly TokenRow[]) => {
      const encoder = await this.#sessions.encoder();
      return encodeBatch({ base: this.base, vae, space: this.space!, encoder }, batch, signal);
    };
    return this.#inLikeLengths(rows, encode, signal);
  }

  /**
   * The mean of the base's last hidden states over the tokens of each row, [D]; no adapter has a part in it. Throws "usage" for a row
   * that is too long or has no token that counts.
   */
  async embed(rows: readonly PooledRow[], causal: boolean, signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#tracked(() => this.#embed(rows, causal, signal));
  }

  async #embed(rows: readonly PooledRow[], causal: boolean, signal?: AbortSignal): Promise<Float32Array[]> {
    for (const [i, { ids, mask, skip = 0 }] of rows.entries())
      this.#checkLength(`text ${i}`, ids.some((_, t) => t >= skip && mask?.[t] !== 0) ? ids.length : 0);
    const embed = async (batch: readonly PooledRow[]) =>
      poolBatch({ base: this.base, pooled: await this.#sessions.pooled(), causal }, batch, signal);
    return this.#inLikeLengths(rows, embed, signal);
  }

  /** Rows that are read whole, those of like length together, each batch in its turn. */
  async #inLikeLengths<R extends TokenRow, T>(
    rows: readonly R[],
    run: (batch: readonly R[]) => Promise<T[]>,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const results: T[] = [];
    for (const batch of batchesOfLikeLength(rows)) {
      const found = await this.#encoding.take(() => run(batch.map((i) => rows[i]!)), signal);
      for (const [k, i] of batch.entries()) results[i] = found[k]!;
    }
    return results;
  }

  /** Writes rows together, many at a time, up to nTokens each. Returns the new tokens of each row; a row's stop token is its last. */
  async write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { onToken, signal } = options;
    const write = (batch: readonly WriteRow[], start: number) =>
      this.#write(batch, {
        ...options,
        ...(onToken ? { onToken: (row: number, id: number) => onToken(start + row, id) } : {}),
      });
    return this.#tracked(() => this.#inBatches(rows, write, signal));
  }

  async #write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { writer, context, begun = [], nTokens, tau, stopId, signal } = options;
    const scales = rows.map(({ cfgScale = options.cfgScale ?? 1 }) => cfgScale);
    if (!(tau >= 0))
      throw new BigVaeError("usage", {
        subject: "`tau`",
        expected: "a number of at least 0",
        got: tau,
        remedy: "0 is greedy",
      });
    const badScale = scales.find((scale) => !Number.isFinite(scale));
    if (badScale !== undefined)
      throw new BigVaeError("usage", {
        subject: "`cfgScale`",
        expected: "a number",
        got: badScale,
        remedy: "1 leaves the base out",
      });
    this.#checkRoom(writer, context.length, begun.length + nTokens);
    const guideContext = context.length > 0 ? context : [options.beginId ?? stopId ?? 0];
    const isGuided = scales.some((scale) => scale !== 1);
    const streams = rows.map(({ rngKey }) => Rng.fromKey(rngKey));
    const written: number[][] = rows.map(() => []);
    let active = Array.from(rows.keys());
    const beginnings: Beginning[] = [{ rows, writer, context, begun }];
    if (isGuided) beginnings.push({ rows, writer: "base", context: guideContext, begun });
    await this.#started(beginnings, signal, async ([start, guide], turn) => {
      for (let t = 0; active.length > 0 && t < nTokens; t++) {
        const [logits, guideLogits] = await turn(
          async () => [await start!.advance(signal), await guide?.advance(signal)] as const,
        );
        const ids = active.map((row, k) => {
          const scale = scales[row]!;
          const guided = guideLogits && scale !== 1 ? classifierFree(guideLogits[k]!, logits[k]!, scale) : logits[k]!;
          if (t === 0) checkLogits(guided);
          if (options.endless && stopId !== undefined) guided[stopId] = Number.NEGATIVE_INFINITY;
          const id = sampleToken(guided, tau, streams[row]!);
          written[row]!.push(id);
          options.onToken?.(row, id);
          return id;
        });
        const goesOn = (k: number) => ids[k] !== stopId && t + 1 < (rows[active[k]!]!.nTokens ?? nTokens);
        const kept = Array.from(ids.keys()).filter(goesOn);
        start!.push(ids, kept);
        guide?.push(ids, kept);
        active = kept.map((k) => active[k]!);
      }
    });
    return written;
  }

  /** How each row's writer, after the context, reads the row's target when it is given the true tokens (teacher forcing). */
  async score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    const score = (batch: readonly ScoreRow[]) => this.#score(batch, writer, context, signal);
    return this.#tracked(() => this.#inBatches(rows, score, signal));
  }

  async #score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    const longest = Math.max(...rows.map(({ target }) => target.length));
    this.#checkRoom(writer, context.length, longest);
    const scores: Score[] = rows.map(() => ({ logProbabilities: [], greedy: [] }));
    const length = Math.max(1, Math.floor(MAX_LOGITS / (rows.length * this.base.config.vocabSize)));
    let active = Array.from(rows.keys());
    await this.#started([{ rows, writer, context, begun: [] }], signal, async ([start], turn) => {
      for (let t = 0; t < longest; t += length) {
        const parts = active.map((row) => rows[row]!.target.slice(t, t + length));
        const logits = await turn(() => start!.advanceOver(parts, signal));
        for (const [k, row] of active.entries()) {
          scores[row]!.logProbabilities.push(...parts[k]!.map((id, i) => logProbability(logits[k]![i]!, id)));
          scores[row]!.greedy.push(...parts[k]!.map((id, i) => greedyToken(logits[k]![i]!) === id));
        }
        const kept = Array.from(active.keys()).filter((k) => rows[active[k]!]!.target.length > t + length);
        start!.push(
          parts.map((part) => part.at(-1)!),
          kept,
        );
        active = kept.map((k) => active[k]!);
      }
    });
    return scores;
  }

  /** Frees sessions and caches, after the calls under way; the engine can be used again. */
  async close(): Promise<void> {
    const calls = [...this.#calls];
    const closed = this.#closing.then(async () => {
      await Promise.allSettled(calls);
      this.#contexts.clear();
      await this.#sessions.release();
    });
    this.#closing = closed.catch(() => undefined);
    await closed;
  }

  /** Rows that are written or scored, some at a time. */
  async #inBatches<R, T>(
    rows: readonly R[],
    run: (batch: readonly R[], start: number) => Promise<T[]>,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const results: T[] = [];
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      const batch = rows.slice(start, start + BATCH_ROWS);
      results.push(...(await this.#places.hold(batch.length, () => run(batch, start), signal)));
    }
    return results;
  }

  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#closing.then(work);
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
  }

  #vae(): VaeAdapters {
    if (this.vae) return this.vae;
    throw new BigVaeError("usage", {
      subject: "engine",
      expected: "adapters for encoding and latents",
      got: "the base alone",
      remedy: "load a folder with encoder, decoder and router; embed and complete take the base alone",
    });
  }

  /** Throws "usage" for a name that no adapter has. */
  #roleOf(writer: WriterName): WriterRole | "base" {
    return writer === "base" ? "base" : writerRole(this.#vae(), writer);
  }

  #checkLength(what: string, length: number): void {
    if (length < 1)
      throw new BigVaeError("usage", {
        subject: what,
        expected: "at least one token",
        got: "an empty text",
        remedy: "give some text",
      });
    if (length <= this.maxPositions) return;
    throw new BigVaeError("usage", {
      subject: what,
      expected: `at most ${this.maxPositions} tokens, the model's window`,
      got: length,
      remedy: "shorten it or cut it into spans",
    });
  }

  /** Throws "usage" where a context, z and nTokens do not go into the window together, with how many tokens still fit. */
  #checkRoom(writer: WriterName, contextLength: number, nTokens: number): void {
    const role = this.#roleOf(writer);
    const before = role === "base" ? contextLength : this.#layout(role, contextLength, 1).first;
    // The last token that is written is not read.
    const room = Math.max(this.maxPositions - before + 1, 0);
    if (nTokens <= room) return;
    throw new BigVaeError("usage", {
      subject: "`context`",
      expected: `at most ${this.maxPositions} tokens, the model's window`,
      got: `${contextLength} of context and ${nTokens} to write`,
      remedy: `${room} still fit: ask for fewer steps or shorter spans, or shorten the context`,
    });
  }

  /** Where the latent of a text of `length` tokens stands, and where that text begins. A dropped prefix leaves its positions empty. */
  #layout(role: WriterRole, contextLength: number, length: number): RowLayout {
    const { slots, gap } = this.#vae();
    return rowLayout(role, { slots, before: contextLength, gap: contextLength === 0 ? gap : 0, length });
  }

  /** Starts rows in their turns, hands them over with a function that takes a turn for a step, and keeps their contexts for the next call. */
  async #started(
    beginnings: readonly Beginning[],
    signal: AbortSignal | undefined,
    use: (started: readonly WritingRows[], turn: <T>(step: () => Promise<T>) => Promise<T>) => Promise<void>,
  ): Promise<void> {
    const turn = <T>(step: () => Promise<T>) => this.#writing.take(step, signal);
    const started: WritingRows[] = [];
    try {
      for (const beginning of beginnings) started.push(await turn(() => this.#start(beginning, signal)));
      await use(started, turn);
    } finally {
      for (const { writer, context } of started) this.#contexts.set(writer, context);
    }
  }

  /** Rows ready to write: the context read, each row's z in its place, the next position known. */
  async #start({ rows, writer, context, begun }: Beginning, signal?: AbortSignal): Promise<WritingRows> {
    const role = this.#roleOf(writer);
    const bound = await this.#sessions.writer(writer);
    const make = async (shared: readonly number[], inputs: readonly RowInput[], next: number) => {
      const kept = this.#contexts.get(writer) ?? new SharedContext(this.base, bound);
      // Nobody else may read into it while these rows look at it.
      this.#contexts.delete(writer);
      const cache = await kept.prefill(shared, signal);
      const runner = new ModelRunner(this.base, bound, cache, new KvCache(this.base.config, rows.length));
      return new WritingRows(writer, kept, runner, inputs, next);
    };
    if (role === "base") {
      const all = [...context, ...begun];
      const last = all.length - 1;
      if (last < 0)
        throw new BigVaeError("usage", {
          subject: "write",
          expected: "a context for the base to continue",
          got: "none",
          remedy: "give a non-empty `context`",
        });
      return make(
        all.slice(0, -1),
        rows.map(() => ({ items: [{ id: all[last]! }], positions: [last] })),
        last + 1,
      );
    }
    const latents = await this.#latentItems(rows.map(({ z }) => z!));
    const { first } = this.#layout(role, context.length, 1);
    const ids = role === "router" ? begun : [...context, ...begun];
    const inputs = latents.map((slots, row) => {
      // A text that is longer than what is left of the window is placed as if it ended there.
      const length = Math.min(this.space!.lengthOf(rows[row]!.z!), this.maxPositions - first);
      const layout = this.#layout(role, context.length, length);
      const before = role === "router" ? [] : layout.before;
      return {
        items: [...slots, ...ids.map((id) => ({ id }))] as Item[],
        positions: [...layout.slots, ...before, ...begun.map((_, i) => first + i)],
      };
    });
    return make(role === "router" ? context : [], inputs, first + begun.length);
  }

  /** The embeddings of the slots of each latent. */
  async #latentItems(zs: readonly Latent[]): Promise<{ embedding: Float32Array }[][]> {
    const { zDim, slots } = this.#vae();
    for (const [i, z] of zs.entries()) checkLatent(z, this.space!.width, `z ${i}`);
    const { session, weights } = await this.#sessions.latentEmbeddings();
    const flat = new Float32Array(zs.length * zDim);
    for (const [i, z] of zs.entries()) flat.set(this.space!.content(z), i * zDim);
    const { embeddings } = await session.run({ ...weights, z: float32(flat, zs.length, zDim) });
    const { hiddenSize } = this.base.config;
    const slotAt = (at: number) => (embeddings!.data as Float32Array).subarray(at * hiddenSize, (at + 1) * hiddenSize);
    return zs.map((_, i) => Array.from({ length: slots }, (_, j) => ({ embedding: slotAt(i * slots + j) })));
  }
}
