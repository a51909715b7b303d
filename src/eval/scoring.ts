/** Engine calls that the measures make, in batches. */
import type { Engine, Score as EngineScore, ScoreRow, TokenRow } from "../engine/engine.js";
import { cutToLength, type Latent, type LatentSpace, type Posterior, writeLimit } from "../latent/index.js";
import { Rng } from "../rng.js";
import type { Tokenizer } from "../tokenizer/index.js";

/** What is measured; the engine, in this thread or another. */
export interface EvaluatedModel extends Pick<Engine, "write"> {
  score(rows: readonly ScoreRow[], writer: string, context: readonly number[], signal?: AbortSignal): Promise<Score[]>;
  encode(rows: readonly TokenRow[], signal?: AbortSignal): Promise<Posterior[]>;
}

/** What the measures read of a score. */
export type Score = Pick<EngineScore, "logProbabilities" | "greedy">;

export interface ScoringOptions {
  model: EvaluatedModel;
  tokenizer: Pick<Tokenizer, "encode" | "decode" | "beginId" | "eosId">;
  /** Of the model's latents. */
  space: LatentSpace;
  signal?: AbortSignal;
  /** Called after each batch: rows done of those that are read or written now. */
  onProgress?(done: number, total: number, doing: string): void;
}

/** A text to read under teacher forcing, with the latent it is read from (none for the base). */
export interface Reading {
  z?: Latent;
  target: readonly number[];
}

/** Tokens of one call at most, so that the logits of a large vocabulary fit. */
const BATCH_TOKENS = 1024;
/** A placeholder: greedy writing draws no random numbers. */
const UNUSED_KEY = Rng.fromSeed(0).key;

export class Scoring {
  constructor(readonly options: ScoringOptions) {}

  posteriors(rows: readonly (readonly number[])[]): Promise<Posterior[]> {
    const { model, signal } = this.options;
    return model.encode(
      rows.map((ids) => ({ ids })),
      signal,
    );
  }

  /** Posterior means of token rows. */
  async means(rows: readonly (readonly number[])[]): Promise<Latent[]> {
    return (await this.posteriors(rows)).map(({ mean }) => mean);
  }

  /** What the decoder gives each target after its z, without a prefix. */
  read(rows: readonly Reading[]): Promise<Score[]> {
    return this.#score(rows, "decoder", []);
  }

  /** What the base gives each target after the beginning token (the end token where the tokenizer has none). */
  readByBase(targets: readonly (readonly number[])[]): Promise<Score[]> {
    const rows = targets.map((target) => ({ target }));
    return this.#score(rows, "base", [this.#beginId]);
  }

  /** What begins a text for the base. */
  get #beginId(): number {
    return this.options.tokenizer.beginId ?? 0;
  }

  /** Exactly `nTokens` tokens from each z, written greedily by the decoder without a prefix. `scales`: the guidance scale of each z; default: 1. */
  write(zs: readonly Latent[], nTokens: number, scales?: readonly number[]): Promise<number[][]> {
    return this.#write(zs.map((z, i) => ({ z, nTokens, scale: scales?.[i] ?? 1 })));
  }

  /**
   * The text of each z, written greedily by the decoder without a prefix up to the end token, which it keeps; a text that does not end is
   * cut to the length that z says. At most `longest` tokens where z does not say.
   */
  async writeTexts(zs: readonly Latent[], longest: number, scales?: readonly number[]): Promise<(readonly number[])[]> {
    const { space, tokenizer } = this.options;
    const lengths = zs.map((z) => space.lengthOf(z));
    const limit = (length: number) => Math.min(writeLimit(length), 2 * space.shape.span);
    const rows = zs.map((z, i) => ({
      z,
      nTokens: space.hasLength ? limit(lengths[i]!) : longest,
      scale: scales?.[i] ?? 1,
    }));
    const written = await this.#write(rows, tokenizer.eosId);
    return space.hasLength ? written.map((ids, i) => cutToLength(ids, lengths[i]!, tokenizer.eosId)) : written;
  }

  /** Negative log-likelihood per token of each row under the base, nats. */
  async baseNll(rows: readonly (readonly number[])[]): Promise<number[]> {
    return (await this.readByBase(rows)).map((score) => nll(score) / score.logProbabilities.length);
  }

  /** A written text without the end token behind it. */
  withoutEnd(ids: readonly number[]): readonly number[] {
    return ids.length > 0 && ids.at(-1) === this.options.tokenizer.eosId ? ids.slice(0, -1) : ids;
  }

  text(ids: readonly number[]): string {
    return this.options.tokenizer.decode(ids, { skipSpecial: true });
  }

  async #write(rows: readonly { z: Latent; nTokens: number; scale: number }[], stopId?: number): Promise<number[][]> {
    const { model, signal, onProgress } = this.options;
    const written: number[][] = [];
    for (const batch of batches(rows, ({ nTokens }) => nTokens)) {
      const nTokens = Math.max(...batch.map((row) => row.nTokens));
      const asRows = batch.map(({ z, nTokens, scale }) => ({ z, nTokens, cfgScale: scale, rngKey: UNUSED_KEY }));
      const beginId = this.#beginId;
      const options = { writer: "decoder", context: [], nTokens, tau: 0, stopId, beginId, signal } as const;
      written.push(...(await model.write(asRows, options)));
      onProgress?.(written.length, rows.length, "texts written");
    }
    return written;
  }

  async #score(rows: readonly Reading[], writer: "decoder" | "base", context: readonly number[]): Promise<Score[]> {
    const { model, signal, onProgress } = this.options;
    const scores: Score[] = [];
    for (const batch of batches(rows, ({ target }) => target.length)) {
      scores.push(...(await model.score(batch, writer, context, signal)));
      onProgress?.(scores.length, rows.length, `texts read by the ${writer}`);
    }
    return scores;
  }
}

/** -log p of a whole text, nats. */
export function nll({ logProbabilities }: Score): number {
  return -logProbabilities.reduce((sum, value) => sum + value, 0);
}

/** Rows in their order, cut so that no batch, each row as long as its longest, exceeds the limit. */
function batches<T>(rows: readonly T[], lengthOf: (row: T) => number): T[][] {
  const cut: T[][] = [];
  let longest = 0;
  for (const row of rows) {
    const batch = cut.at(-1);
    longest = Math.max(longest, lengthOf(row));
    if (batch && (batch.length + 1) * longest <= BATCH_TOKENS) {
      batch.push(row);
    } else {
      cut.push([row]);
      longest = lengthOf(row);
    }
  }
  return cut;
}
