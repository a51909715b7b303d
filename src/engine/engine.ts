/** The engine: encodes text, writes from latents, scores continuations. Pure computation; runtime and weights are handed in. */
import { BigVaeError } from "../errors.js";
import { checkLogits, classifierFree, greedyToken, LatentSpace, logNormalizer, sampleToken } from "../latent/index.js";
import { Rng } from "../rng.js";
import type { Runtime } from "../runtime/runtime.js";
import type { VaeAdapters } from "./adapters.js";
import { type BaseModel, checkTokens } from "./baseModel.js";
import type { Score, ScoreRow, WriteOptions, WriteRow } from "./calls.js";
import type { TakeTurn } from "./contexts.js";
import { batchesOfLikeLength, type Encoding, encodeBatch, type TokenRow } from "./encoding.js";
import { ExpertPlaces } from "./expertPlaces.js";
import { Experts, type LoadExpert } from "./experts.js";
import { JointBatches } from "./jointBatches.js";
import { type Beginning, Opening } from "./opening.js";
import { rowPlaces } from "./places.js";
import { type PooledRow, poolBatch } from "./pooling.js";
import { Scheduler } from "./scheduler.js";
import { type AdapterForm, Sessions, type WriterName } from "./sessions.js";
import type { StartedRows } from "./startedRows.js";
import type { ImageStore } from "./trunkParts.js";
import { Turns } from "./turns.js";

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
  /** Reads the adapter of an expert that a row names. */
  loadExpert?: LoadExpert;
}

export type { Score, ScoreRow, WriteOptions, WriteRow } from "./calls.js";
export type { Encoding, TokenRow } from "./encoding.js";
export type { ExpertShare } from "./experts.js";
export type { PooledRow } from "./pooling.js";

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
  readonly #opening: Opening;
  /** Adapters that rows name. */
  readonly experts: Experts;
  readonly #expertPlaces: ExpertPlaces;
  readonly #encoding = new JointBatches<TokenRow, Encoding>(lengthOf, async (rows, signal) => {
    const encoder = await this.#sessions.encoder();
    return encodeBatch({ base: this.base, vae: this.vae!, space: this.space!, encoder }, rows, signal);
  });
  readonly #pooling = this.#poolingBatches(false);
  readonly #causalPooling = this.#poolingBatches(true);
  /** Of writing and scoring, a turn for each step. */
  readonly #writing = new Turns();
  readonly #scheduler = new Scheduler(this.#writing);
  readonly #places = rowPlaces(MAX_ROWS);
  /** What was called and is not answered. */
  readonly #calls = new Set<Promise<unknown>>();
  /** Later calls wait until sessions can be made anew. */
  #closing: Promise<unknown> = Promise.resolve();

  constructor({ runtime, base, vae, form = "merged", maxPositions, int8Sample, images, loadExpert }: EngineOptions) {
    this.base = base;
    this.vae = vae;
    this.space = vae && new LatentSpace(vae);
    this.maxPositions = maxPositions ?? base.config.maxPositionEmbeddings;
    const only = base.weights.quant !== "none" ? "unmerged" : int8Sample ? "merged" : form;
    this.#sessions = new Sessions(runtime, base, vae, only, this.maxPositions, images, int8Sample);
    this.experts = new Experts(loadExpert);
    this.#expertPlaces = new ExpertPlaces(base.config, this.experts);
    this.#opening = new Opening(base, vae, this.#sessions, this.maxPositions, this.#writing);
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
    this.#opening.adapters();
    for (const [i, { ids, mask }] of rows.entries()) {
      checkMask(`text ${i + 1}`, ids, mask);
      this.#checkLength(`text ${i + 1}`, mask?.every((shown) => shown === 0) ? 0 : ids.length);
      checkTokens(this.base, ids);
    }
    return inLikeLengths(rows, this.#encoding, signal);
  }

  /**
   * The mean of the base's last hidden states over the tokens of each row, [D]; no adapter has a part in it. Throws "usage" for a row
   * that is too long or has no token that counts.
   */
  async embed(rows: readonly PooledRow[], causal: boolean, signal?: AbortSignal): Promise<Float32Array[]> {
    return this.#tracked(() => this.#embed(rows, causal, signal));
  }

  async #embed(rows: readonly PooledRow[], causal: boolean, signal?: AbortSignal): Promise<Float32Array[]> {
    for (const [i, { ids, mask, skip = 0 }] of rows.entries()) {
      checkMask(`text ${i + 1}`, ids, mask);
      this.#checkLength(`text ${i + 1}`, ids.some((_, t) => t >= skip && mask?.[t] !== 0) ? ids.length : 0);
      checkTokens(this.base, ids);
    }
    return inLikeLengths(rows, causal ? this.#causalPooling : this.#pooling, signal);
  }

  /** Writes rows together, many at a time, up to nTokens each. Returns the new tokens of each row; a row's stop token is its last. */
  async write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { onToken, signal, writer } = options;
    const write = (numbers: readonly number[]) => (batch: readonly WriteRow[], start: number) =>
      this.#write(batch, {
        ...options,
        ...(onToken ? { onToken: (row: number, id: number) => onToken(numbers[start + row]!, id) } : {}),
      });
    const run = (part: readonly WriteRow[], numbers: readonly number[]) =>
      this.#inBatches(part, write(numbers), signal);
    return this.#tracked(() => this.#expertPlaces.run(rows, this.#opening.roleOf(writer), run, signal));
  }

  async #write(rows: readonly WriteRow[], options: WriteOptions): Promise<number[][]> {
    const { writer, context, begun = [], nTokens, tau, stopId, signal } = options;
    const scales = rows.map(({ cfgScale = options.cfgScale ?? 1 }) => cfgScale);
    checkDrawing(tau, scales);
    this.#opening.checkRoom(writer, context.length, begun.length + nTokens);
    for (const ids of [context, begun]) checkTokens(this.base, ids);
    const written: number[][] = rows.map(() => []);
    if (!(nTokens > 0)) return written;
    const guided = Array.from(rows.keys()).filter((row) => scales[row] !== 1);
    const guideContext = context.length > 0 ? context : [options.beginId ?? stopId ?? 0];
    const streams = rows.map(({ rngKey }) => Rng.fromKey(rngKey));
    /** Draws a row's next token; undefined where it was the last. */
    const choose = (row: number, [own, guide]: readonly Float32Array[]): number | undefined => {
      const logits = guide ? classifierFree(guide, own!, scales[row]!) : own!;
      if (written[row]!.length === 0) checkLogits(logits);
      if (options.endless && stopId !== undefined) logits[stopId] = Number.NEGATIVE_INFINITY;
      const id = sampleToken(logits, tau, streams[row]!);
      const count = written[row]!.push(id);
      options.onToken?.(row, id);
      return id !== stopId && count < Math.min(nTokens, rows[row]!.nTokens ?? nTokens) ? id : undefined;
    };
    const own = await this.experts.groups(rows, this.#opening.roleOf(writer));
    const guides = guided.length > 0 ? [{ rows: guided }] : [];
    const beginnings: Beginning[] = [
      ...own.map((group) => ({ ...group, writer, context, begun })),
      ...guides.map((group) => ({ ...group, writer: "base", context: guideContext, begun })),
    ].map((group) => ({ ...group, rows: group.rows.map((row) => rows[row]!) }));
    /** Where each row is read: its own place first, then that of the base that guides it. */
    const places = Array.from(rows.keys(), (row) =>
      [...own, ...guides].flatMap((group, of) => (group.rows.includes(row) ? { of, k: group.rows.indexOf(row) } : [])),
    );
    const { done } = await this.#opened(beginnings, signal, async (started, turn) => {
      const logits = await byWriter(beginnings, (_, i) => started[i]!.advance(signal));
      const tokens = places.map((all, row) =>
        choose(
          row,
          all.map(({ of, k }) => logits[of]![k]!),
        ),
      );
      // Rows that join are submitted before the next step.
      return turn(async () => {
        const sequences = tokens.flatMap((token, row) => {
          if (token === undefined) return [];
          const joined = places[row]!.map(({ of, k }) => started[of]!.join(k, token));
          return [{ rows: joined, choose: (next: readonly Float32Array[]) => choose(row, next) }];
        });
        for (const each of started) each.close();
        return { done: this.#scheduler.submit(sequences, signal) };
      });
    });
    await done;
    return written;
  }

  /** How each row's writer, after the context, reads the row's target when it is given the true tokens (teacher forcing). */
  async score(
    rows: readonly ScoreRow[],
    writer: WriterName,
    context: readonly number[],
    signal?: AbortSignal,
  ): Promise<Score[]> {
    for (const ids of [context, ...rows.map(({ target }) => target)]) checkTokens(this.base, ids);
    const role = this.#opening.roleOf(writer);
    return this.#tracked(() =>
      this.#expertPlaces.run(
        rows,
        role,
        async (part) => {
          const scores: Score[] = [];
          for (const group of await this.experts.groups(part, role)) {
            const { mix } = group;
            const beginning = { writer, context, begun: [], ...(mix ? { mix } : {}) };
            const score = (batch: readonly ScoreRow[]) => this.#score(batch, beginning, signal);
            const own = group.rows.map((row) => part[row]!);
            for (const [k, of] of (await this.#inBatches(own, score, signal)).entries()) scores[group.rows[k]!] = of;
          }
          return scores;
        },
        signal,
      ),
    );
  }

  async #score(rows: readonly ScoreRow[], beginning: Omit<Beginning, "rows">, signal?: AbortSignal): Promise<Score[]> {
    const { writer, context } = beginning;
    const longest = Math.max(...rows.map(({ target }) => target.length));
    this.#opening.checkRoom(writer, context.length, longest);
    const scores: Score[] = rows.map(emptyScore);
    const length = Math.max(1, Math.floor(MAX_LOGITS / (rows.length * this.base.config.vocabSize)));
    let active = Array.from(rows.keys());
    await this.#opened([{ rows, ...beginning }], signal, async ([start], turn) => {
      for (let t = 0; t < longest; t += length) {
        const parts = active.map((row) => rows[row]!.target.slice(t, t + length));
        const logits = await turn(() => start!.advanceOver(parts, signal));
        for (const [k, row] of active.entries()) {
          for (const [i, id] of parts[k]!.entries()) addToken(scores[row]!, logits[k]![i]!, id);
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
      this.#opening.clear();
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

  #poolingBatches(causal: boolean): JointBatches<PooledRow, Float32Array> {
    return new JointBatches(lengthOf, async (rows, signal) =>
      poolBatch({ base: this.base, pooled: await this.#sessions.pooled(), causal }, rows, signal),
    );
  }

  async #tracked<T>(work: () => Promise<T>): Promise<T> {
    const call = this.#closing.then(work);
    this.#calls.add(call);
    return call.finally(() => this.#calls.delete(call));
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

  /** Opens rows, hands them over with a function that takes a turn for a step, and sees that they are closed. */
  async #opened<T>(
    beginnings: readonly Beginning[],
    signal: AbortSignal | undefined,
    use: (started: readonly StartedRows[], turn: TakeTurn) => Promise<T>,
  ): Promise<T> {
    const turn: TakeTurn = (step) => this.#writing.take(step, signal);
    const started: StartedRows[] = [];
    try {
      await byWriter(beginnings, async (beginning, i) => {
        started[i] = await this.#opening.open(beginning, turn, signal);
      });
      return await use(started, turn);
    } finally {
      // Caches change between steps alone.
      const open = started.filter((each) => each?.isOpen);
      if (open.length > 0)
        await this.#writing.take(async () => {
          for (const each of open) each.close();
        });
    }
  }
}

const emptyScore = (): Score => ({ logProbabilities: [], greedy: [], best: [], bestLogProbabilities: [] });

/** How likely a token was, and which one was the likeliest in its place. */
function addToken(score: Score, logits: Float32Array, id: number): void {
  const best = greedyToken(logits);
  const normalizer = logNormalizer(logits, logits[best]!);
  score.logProbabilities.push(logits[id]! - normalizer);
  score.greedy.push(best === id);
  score.best.push(best);
  score.bestLogProbabilities.push(logits[best]! - normalizer);
}

/**
 * Rows of one writer are read side by side, and those of the next writer when these are. Where some reading fails, the rest is waited for, since it would outlive
 * its context, and no further one begins.
 */
async function byWriter<T>(
  beginnings: readonly Beginning[],
  read: (beginning: Beginning, i: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const writer of new Set(beginnings.map((beginning) => beginning.writer))) {
    const reading = beginnings.flatMap((beginning, i) => (beginning.writer === writer ? [read(beginning, i)] : []));
    await Promise.allSettled(reading);
    results.push(...(await Promise.all(reading)));
  }
  return results;
}

const lengthOf = ({ ids }: TokenRow): number => ids.length;

/** Rows that are read whole, those of like length together. */
async function inLikeLengths<R extends TokenRow, T>(
  rows: readonly R[],
  batches: JointBatches<R, T>,
  signal?: AbortSignal,
): Promise<T[]> {
  const results: T[] = [];
  for (const batch of batchesOfLikeLength(rows.map(lengthOf))) {
    const own = batch.map((i) => rows[i]!);
    for (const [k, result] of (await batches.submit(own, signal)).entries()) results[batch[k]!] = result;
  }
  return results;
}

/** Throws "usage" for a temperature or a scale of guidance that is none. */
function checkDrawing(tau: number, scales: readonly number[]): void {
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
}

function checkMask(subject: string, ids: readonly number[], mask: readonly number[] | undefined): void {
  if (mask === undefined || mask.length === ids.length) return;
  const expected = `a mask of its ${ids.length} tokens`;
  throw new BigVaeError("usage", {
    subject,
    expected,
    got: `one of ${mask.length}`,
    remedy: "leave it out for all ones",
  });
}
