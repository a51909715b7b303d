/**
 * Reconstruction and loss over unseen texts. Each text is cut into consecutive spans (64 tokens), a shorter tail is dropped, no beginning
 * or end token is added; the decoder has no prefix and writes as many tokens as a span has. Intervals are over texts.
 */
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bitsPerByte, readByBase } from "./baseLikelihood.js";
import { bleuCounts, bleuOfCounts } from "./bleu.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { editSimilarity } from "./editDistance.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";
import { cutSpans, type Span, shuffledLatents, sumsByText } from "./spans.js";

export interface RebuildingOptions extends ScoringOptions {
  texts: readonly string[];
  rng: Rng;
  /** Tokens of a span; default: 64. */
  span?: number;
  /** Tokens of a text that the base reads at most, its window. */
  maxPositions: number;
}

/** Losses are natural logarithms per token of the spans; `tokens` counts those tokens. */
export interface RebuildingReport {
  texts: number;
  spans: number;
  tokens: number;
  /**
   * Of the base over whole texts, read from the beginning (or end) token on: sum of -log2 p of every token of the text,
   * the closing end token not counted, over the bytes of its UTF-8. A text longer than the window, or than 2,048 tokens, counts up to there.
   */
  bitsPerByte: Estimate;
  /** z the posterior's mean. */
  recNllMean: Estimate;
  /** z the mean of another span: as high as without z only if z is used. */
  lossShuffled: Estimate;
  /** The base's own loss on the spans, each from the beginning token on. */
  lossBase: Estimate;
  /** recNllMean over lossBase, as a ratio of sums. */
  lossRatio: Estimate;
  /** Share of tokens that are the likeliest given z and the true tokens before. */
  forcedTokenAccuracy: Estimate;
  /** Share of places at which the span written greedily from z alone has the right token. */
  greedyTokenAccuracy: Estimate;
  /** Share of spans written without a mistake. */
  exactMatch: Estimate;
  /** 1 - token edit distance / span, mean over spans. */
  editSimilarity: Estimate;
  /** The same where z is drawn from the posterior, at variance 1, once a span. */
  editSimilaritySampled: Estimate;
  /** Corpus BLEU-4 (13a) of the written spans as text against the spans as text, 0 to 100. */
  bleu4: Estimate;
}

/** Spans of texts, with what measures them. */
export interface Spans {
  scoring: Scoring;
  /** Tokens of the texts. */
  ids: readonly number[][];
  spans: readonly Span[];
  /** A draw from the posterior of each span. */
  zs: readonly Latent[];
  /** Of a measure of spans, over texts. */
  estimate(values: readonly (readonly number[])[], measure?: (sums: readonly number[]) => number): Estimate;
}

const SPAN = 64;

/** What `rebuilding` and other measures of spans stand on. */
export async function readSpans(options: RebuildingOptions): Promise<Spans> {
  const { tokenizer, texts, rng, space, span = SPAN } = options;
  const scoring = new Scoring(options);
  const ids = texts.map((text) => tokenizer.encode(text));
  const spans = await cutSpans(scoring, ids, span);
  return {
    scoring,
    ids,
    spans,
    zs: spans.map((posterior, i) => space.sample(posterior, 1, rng.fork("posterior", i))),
    estimate: (values, measure = ratio) => bootstrap(sumsByText(spans, values), measure, rng.fork("bootstrap")),
  };
}

/** What encoder and decoder make of texts that they have not seen. */
export async function evaluateRebuilding(options: RebuildingOptions): Promise<RebuildingReport> {
  return rebuilding(await readSpans(options), options);
}

/** The measures of spans that were read already. */
export async function rebuilding(read: Spans, options: RebuildingOptions): Promise<RebuildingReport> {
  const { texts, rng, span = SPAN } = options;
  const { scoring, ids, spans } = read;
  return {
    texts: texts.length,
    spans: spans.length,
    tokens: spans.length * span,
    bitsPerByte: bitsPerByte(await readByBase(scoring, options, ids), rng),
    ...(await forcedMeasures(read, rng)),
    ...(await writtenMeasures(read, span)),
  };
}

async function forcedMeasures({ scoring, spans, estimate }: Spans, rng: Rng) {
  const targets = spans.map(({ ids }) => ids);
  const lengths = targets.map(({ length }) => length);
  const readFrom = (zs: readonly Latent[]) => scoring.read(targets.map((target, i) => ({ z: zs[i]!, target })));
  const atMean = await readFrom(spans.map(({ mean }) => mean));
  const shuffled = await readFrom(shuffledLatents(spans, rng.fork("shuffle")));
  const base = await scoring.readByBase(targets);
  return {
    recNllMean: estimate(atMean.map((score, i) => [nll(score), lengths[i]!])),
    lossShuffled: estimate(shuffled.map((score, i) => [nll(score), lengths[i]!])),
    lossBase: estimate(base.map((score, i) => [nll(score), lengths[i]!])),
    lossRatio: estimate(atMean.map((score, i) => [nll(score), nll(base[i]!)])),
    forcedTokenAccuracy: estimate(atMean.map(({ greedy }) => [greedy.filter(Boolean).length, greedy.length])),
  };
}

async function writtenMeasures({ scoring, spans, zs, estimate }: Spans, span: number) {
  const means = spans.map(({ mean }) => mean);
  const written = await scoring.write(means, span);
  const sampled = await scoring.write(zs, span);
  const right = spans.map(({ ids }, i) => ids.filter((id, t) => written[i]![t] === id).length);
  const counts = spans.map(({ ids }, i) => bleuCounts(scoring.text(written[i]!), scoring.text(ids)));
  return {
    greedyTokenAccuracy: estimate(right.map((count) => [count, span])),
    exactMatch: estimate(right.map((count) => [count === span ? 1 : 0, 1])),
    editSimilarity: estimate(spans.map(({ ids }, i) => [editSimilarity(written[i]!, ids), 1])),
    editSimilaritySampled: estimate(spans.map(({ ids }, i) => [editSimilarity(sampled[i]!, ids), 1])),
    bleu4: estimate(counts, bleuOfCounts),
  };
}
