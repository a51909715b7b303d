/** The engine: encodes text, writes from latents, scores continuations. Pure computation; runtime and weights are handed in. */
import { BigVaeError } from "../errors.js";
import {
  checkLatent,
  checkLogits,
  greedyToken,
  type Latent,
  LatentSpace,
  logProbability,
  sampleToken,
} from "../latent/index.js";
import { Rng, type RngKey } from "../rng.js";
import { float32, type Runtime } from "../runtime/runtime.js";
import type { WriterRole } from "../vae/roles.js";
import { type RowLayout, rowLayout } from "../vae/rowLayout.js";
import { type VaeAdapters, writerRole } from "./adapters.js";
import type { BaseModel } from "./baseModel.js";
import { batchesOfLikeLength, type Encoding, encodeBatch, type TokenRow } from "./encoding.js";
import { KvCache } from "./kvCache.js";
import { type Item, ModelRunner, type RowInput, SharedContext } from "./modelRunner.js";
import { type AdapterForm, Sessions, type WriterName } from "./sessions.js";
import { Turns } from "./turns.js";
import { WritingRows } from "./writingRows.js";

/** What one row is written from. */
export interface WriteRow {
  /** Left out only when the base itself writes. */
  z?: Latent;
  /** Names the row's stream of random numbers, so that its tokens do not depend on the other rows. */
  rngKey: RngKey;
  /** New tokens of this row at most, where that is fewer than of the call. */
  nTokens?: number;
  /** In place of the call's. */
  cfgScale?: number;
}

export interface WriteOptions {
  /** An adapter by its name, or "base", which takes no z. The role of router reads z after the context, that of decoder before it. */
  writer: WriterName;
  /** Tokens that all rows continue. */
  context: readonly number[];
  /** What each row's text begins with, behind context and latent; writing goes on from there. */
  begun?: readonly number[];
  /** New tokens of a row, at most. */
  nTokens: number;
  /** Temperature of the tokens; 0 is greedy. */
  tau: number;
  /** logits = base + cfgScale * (writer - base); 1 leaves the base out. */
  cfgScale?: number;
  /** A row ends after this token. */
  stopId?: number;
  /** The stop token is never chosen: every row is nTokens long. */
  endless?: boolean;
  /** What the base reads in place of an empty context where it guides; default: the stop token. */
  beginId?: number;
  signal?: AbortSignal;
  /** Called with each row's new token, as it is written. */
  onToken?(row: number, id: number): void;
}

/** A text read under teacher forcing; one value for each target token. */
export interface Score {
  /** Natural logarithm of the token's probability. */
  logProbabilities: number[];
  /** Whether it was the most likely token. */
  greedy: boolean[];
}

/** A row whose target's likelihood is asked for. */
export interface ScoreRow extends Omit<WriteRow, "rngKey"> {
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

export type { Encoding, TokenRow } from "./encoding.js";

/** Rows that are written or scored together at most: each has a cache of its own. */
const BATCH_ROWS = 128;

export class Engine {
  readonly base: BaseModel;
  readonly vae: VaeAdapters | undefined;
  readonly maxPositions: number;
  /** Of the latents, where there are adapters. */
  readonly space: LatentSpace | undefined;
  readonly #sessions: Sessions;
  readonly #contexts = new Map<WriterName, SharedContext>();
  readonly #encoding = new Turns();
  /** Of writing and scoring, whose rows share contexts. */
  readonly #writing = new Turns();
  /** What was called and is not answered. */
  readonly #calls = new Set<Promise<unknown>>();

  constructor({ runtime, base, vae, form = "merged", maxPositions }: EngineOptions) {
    this.base = base;
    this.vae = vae;
    this.space = vae && new LatentSpace(vae);
    this.maxPositions = maxPositions ?? base.config.maxPositionEmbeddings;
    const only = base.weights.quant === "none" ? form : "unmerged";
    this.#sessions = new Sessions(runtime, base, vae, only, this.maxPositions);
  }

  /** Reads a packed base now rather than at first use, so that a file that is wrong shows when it is opened. */
  prepare(): Promise<void> {
    return this.#sessions.prepare();
  }

  /** Latents of token rows; rows of like length are computed together. Throws "usage" for an empty or too long row. */
  async encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    return this.#tracked(this.#encode(rows, signal));
  }

  async #encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Encoding[]> {
    const vae = this.#vae();
    for (const [i, { ids, mask }] of rows.entries())
      this.#checkLength(`text ${i}`, mask?.every((shown) => shown === 0) ? 0 : ids.length);
    const encodings: Encoding[] = [];
    for (const batch of batchesOfLikeLength(rows)) {
      const results = await this.#encoding.take(async () => {
        const encoder = await this.#sessions.encoder();
        const parts = { base: this.base, vae, space: this.space!, encoder };
        return encodeBatch(
          parts,
          batch.map((i) => rows[i]!),
        );
      }, signal);
      for (const [k, i] of batch.entries()) encodings[i] = results[k]!;
    }
    return encodings;
  }

  /** Writes rows together, many at a time, up to nTokens each. Returns the new tokens of each row; a row's stop token is its last. */
  async write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { onToken, signal } = options;
    const write = (batch: readonly WriteRow[], start: number) =>
      this.#write(batch, {
        ...options,
        ...(onToken ? { onToken: (row: number, id: number) => onToken(start + row, id) } : {}),
      });
    return this.#tracked(this.#inBatches(rows, write, signal));
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
    const start = await this.#start(rows, writer, context, begun, signal);
    const guideContext = context.length > 0 ? context : [options.beginId ?? stopId ?? 0];
    const isGuided = scales.some((scale) => scale !== 1);
    const guide = isGuided ? await this.#start(rows, "base", guideContext, begun, signal) : undefined;
    const streams = rows.map(({ rngKey }) => Rng.fromKey(rngKey));
    const written: number[][] = rows.map(() => []);
    let active = Array.from(rows.keys());
    for (let t = 0; active.length > 0 && t < nTokens; t++) {
      signal?.throwIfAborted();
      const logits = await start.advance();
      const guideLogits = await guide?.advance();
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
    const score = (batch: readonly ScoreRow[]) => this.#score(batch, writer, context, signal);
    return this.#tracked(this.#inBatches(rows, score, signal));
  }

  async #score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    this.#checkRoom(writer, context.length, Math.max(...rows.map(({ target }) => target.length)));
    const start = await this.#start(rows, writer, context, [], signal);
    const logits = await start.advanceOver(rows.map(({ target }) => target.slice(0, -1)));
    return rows.map(({ target }, row) => ({
      logProbabilities: target.map((id, t) => logProbability(logits[row]![t]!, id)),
      greedy: target.map((id, t) => greedyToken(logits[row]![t]!) === id),
    }));
  }

  /** Frees sessions and caches, after the calls under way; the engine can be used again. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#calls);
    const release = async () => {
      this.#contexts.clear();
      await this.#sessions.release();
    };
    // A call that was made meanwhile waits until its sessions can be made anew.
    await this.#encoding.take(() => this.#writing.take(release));
  }

  /** Rows that are written or scored, some at a time, each batch in its turn. */
  async #inBatches<R, T>(
    rows: readonly R[],
    run: (batch: readonly R[], start: number) => Promise<T[]>,
    signal?: AbortSignal,
  ): Promise<T[]> {
    const results: T[] = [];
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      const batch = rows.slice(start, start + BATCH_ROWS);
      results.push(...(await this.#writing.take(() => run(batch, start), signal)));
    }
    return results;
  }

  async #tracked<T>(call: Promise<T>): Promise<T> {
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
  }

  #vae(): VaeAdapters {
    if (this.vae) return this.vae;
    throw new BigVaeError("usage", {
      subject: "engine",
      expected: "adapters for encoding and latents",
      got: "the base alone",
      remedy: "load a folder with encoder, decoder and router",
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

  /** Rows ready to write: the context read, each row's z in its place, the next position known. */
  async #start(
    rows: readonly { z?: Latent }[],
    writer: WriterName,
    context: readonly number[],
    begun: readonly number[],
    signal?: AbortSignal,
  ): Promise<WritingRows> {
    const role = this.#roleOf(writer);
    const bound = await this.#sessions.writer(writer);
    const make = async (shared: readonly number[], inputs: readonly RowInput[], next: number) => {
      const cache = await this.#context(writer).then((kept) => kept.prefill(shared, signal));
      return new WritingRows(
        new ModelRunner(this.base, bound, cache, new KvCache(this.base.config, rows.length)),
        inputs,
        next,
      );
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

  async #context(writer: WriterName): Promise<SharedContext> {
    let context = this.#contexts.get(writer);
    if (!context) {
      context = new SharedContext(this.base, await this.#sessions.writer(writer));
      this.#contexts.set(writer, context);
    }
    return context;
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

/** base + scale * (guided - base), Ho & Salimans 2022. [V] */
function classifierFree(base: Float32Array, guided: Float32Array, scale: number): Float32Array {
  return base.map((logit, id) => logit + scale * (guided[id]! - logit));
}
