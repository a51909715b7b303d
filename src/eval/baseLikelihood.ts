/** How well the base alone predicts texts: bits per byte and perplexity. */
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";

export interface BaseLikelihoodOptions extends ScoringOptions {
  texts: readonly string[];
  /** Tokens of a text that the base reads at most, its window. */
  maxPositions: number;
  rng: Rng;
}

/** Intervals are over texts. Each text is read from the beginning (or end) token on; the closing end token is not counted. */
export interface BaseLikelihoodReport {
  texts: number;
  /** Texts longer than the window, or than 2,048 tokens: they count up to there. */
  cutTexts: number;
  tokens: number;
  bytes: number;
  /** -log2 p of all tokens over the bytes of their UTF-8: comparable between tokenizers. */
  bitsPerByte: Estimate;
  /** exp(-log p / tokens): depends on the tokenizer. */
  perplexity: Estimate;
  /** -log p / tokens, nats. */
  loss: Estimate;
}

/** What the base gives a text. */
export interface BaseReading {
  /** -log p of the tokens read, nats. */
  nats: number;
  tokens: number;
  /** Of the UTF-8 of the tokens read. */
  bytes: number;
  isCut: boolean;
}

/** Tokens of a text that are read at most: scores grow with the square of the length. */
const LONGEST_READ = 2048;

/** Reads texts by the base; `ids` are their tokens. */
export async function readByBase(
  scoring: Scoring,
  { texts, maxPositions }: Pick<BaseLikelihoodOptions, "texts" | "maxPositions">,
  ids: readonly (readonly number[])[],
): Promise<BaseReading[]> {
  const bytesOf = (text: string) => new TextEncoder().encode(text).length;
  const read = ids.map((row) => row.slice(0, Math.min(maxPositions, LONGEST_READ)));
  const scores = await scoring.readByBase(read);
  return scores.map((score, i) => {
    const isCut = read[i]!.length < ids[i]!.length;
    const bytes = bytesOf(isCut ? scoring.text(read[i]!) : texts[i]!);
    return { nats: nll(score), tokens: read[i]!.length, bytes, isCut };
  });
}

/** Bits per byte with its interval. */
export function bitsPerByte(readings: readonly BaseReading[], rng: Rng): Estimate {
  const bits = readings.map(({ nats, bytes }) => [nats / Math.LN2, bytes]);
  return bootstrap(bits, ratio, rng.fork("bootstrap"));
}

/** Measures the base on texts. */
export async function evaluateBase(options: BaseLikelihoodOptions): Promise<BaseLikelihoodReport> {
  const { texts, tokenizer, rng } = options;
  const ids = texts.map((text) => tokenizer.encode(text));
  const readings = await readByBase(new Scoring(options), options, ids);
  const losses = readings.map(({ nats, tokens }) => [nats, tokens]);
  const sum = (of: (reading: BaseReading) => number) => readings.reduce((total, reading) => total + of(reading), 0);
  return {
    texts: texts.length,
    cutTexts: sum(({ isCut }) => Number(isCut)),
    tokens: sum(({ tokens }) => tokens),
    bytes: sum(({ bytes }) => bytes),
    bitsPerByte: bitsPerByte(readings, rng),
    perplexity: bootstrap(losses, (sums) => Math.exp(ratio(sums)), rng.fork("bootstrap")),
    loss: bootstrap(losses, ratio, rng.fork("bootstrap")),
  };
}
