/**
 * Reconstruction, use of the latent and likelihood over unseen texts. Each text is cut into consecutive spans (64 tokens),
 * a shorter tail is dropped, no beginning or end token is added; the decoder has no prefix. Intervals are over texts.
 */
import { type Posterior, rms, sample } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bleuCounts, bleuOfCounts } from "./bleu.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { editSimilarity } from "./editDistance.js";
import { importanceEstimate, logWeight } from "./importanceSampling.js";
import {
  activeUnits,
  klPerDimension,
  klToPrior,
  mutualInformation,
  mutualInformationBound,
  variances,
} from "./latentStatistics.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";
import { cutSpans, type Span, shuffledLatents, sumsByText } from "./spans.js";

export interface EvaluationOptions extends ScoringOptions {
  texts: readonly string[];
  rng: Rng;
  /** Tokens of a span; 64 where it is left out. */
  span?: number;
  /** Tokens of a text that the base reads at most, its window. */
  maxPositions: number;
  /** Draws of z for the sampled reconstruction; 8 where it is left out. */
  samples?: number;
  /** Draws of z per span for the likelihood, and how many spans it is computed for (drawn by chance). */
  importance?: { draws: readonly number[]; spans: number };
}

/** Losses are natural logarithms per token of the spans; `tokens` counts those tokens. */
export interface EvaluationReport {
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
  /** z drawn from the posterior. */
  recNllSampled: Estimate;
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
  /** Corpus BLEU-4 (13a) of the written spans as text against the spans as text, 0 to 100. */
  bleu4: Estimate;
  /** Of the posterior to N(0, I), mean over spans; nats. */
  kl: Estimate;
  klPerDimension: number[];
  /** Dimensions whose means vary by at least the threshold. */
  activeUnits: { delta: number; count: number }[];
  /** Nats; the estimate cannot exceed `cap` = log N. */
  mutualInformation: { value: number; cap: number; bound: number };
  /** Root mean square of sampled z: the radius of random latents. */
  aeScale: number;
  /** exp(-log p^ / tokens) with K draws, which falls towards the true perplexity as K grows; ess: draws that count. */
  perplexity: { draws: number; spans: number; value: Estimate; ess: Estimate }[];
}

const IMPORTANCE = { draws: [1, 10, 100], spans: 64 };

/** Measures encoder and decoder on texts that they have not seen. */
export async function evaluate(options: EvaluationOptions): Promise<EvaluationReport> {
  const { tokenizer, texts, rng, span = 64 } = options;
  const scoring = new Scoring(options);
  const ids = texts.map((text) => tokenizer.encode(text));
  const spans = await cutSpans(scoring, ids, span);
  const zs = spans.map((posterior, i) => sample(posterior, 1, rng.fork("posterior", i)));
  const estimate = (values: readonly (readonly number[])[], measure = ratio) =>
    bootstrap(sumsByText(spans, values), measure, rng.fork("bootstrap"));
  return {
    texts: texts.length,
    spans: spans.length,
    tokens: spans.length * span,
    bitsPerByte: bootstrap(await baseBits(scoring, options, ids), ratio, rng.fork("bootstrap")),
    ...(await forcedMeasures(scoring, spans, rng, options.samples ?? 8, estimate)),
    ...(await writtenMeasures(scoring, spans, span, estimate)),
    ...latentMeasures(spans, zs),
    kl: estimate(spans.map((posterior) => [klToPrior(posterior), 1])),
    perplexity: await perplexities(scoring, spans, options),
  };
}

type EstimateOf = (values: readonly (readonly number[])[], measure?: (sums: readonly number[]) => number) => Estimate;

/** Tokens of a text that the base's bits are measured on, at most: scores grow with the square of the length, logits with the vocabulary. */
const LONGEST_READ = 2048;

/** [bits, bytes] of each text under the base. */
async function baseBits(scoring: Scoring, options: EvaluationOptions, ids: readonly number[][]): Promise<number[][]> {
  const { maxPositions, texts } = options;
  const bytesOf = (text: string) => new TextEncoder().encode(text).length;
  const read = ids.map((row) => row.slice(0, Math.min(maxPositions, LONGEST_READ)));
  const scores = await scoring.readByBase(read);
  return scores.map((score, i) => {
    const text = read[i]!.length < ids[i]!.length ? scoring.text(read[i]!) : texts[i]!;
    return [nll(score) / Math.LN2, bytesOf(text)];
  });
}

async function forcedMeasures(
  scoring: Scoring,
  spans: readonly Span[],
  rng: Rng,
  samples: number,
  estimate: EstimateOf,
) {
  const targets = spans.map(({ ids }) => ids);
  const lengths = targets.map(({ length }) => length);
  const readFrom = (zs: readonly Float32Array[]) => scoring.read(targets.map((target, i) => ({ z: zs[i]!, target })));
  const atMean = await readFrom(spans.map(({ mean }) => mean));
  const shuffled = await readFrom(shuffledLatents(spans, rng.fork("shuffle")));
  const base = await scoring.readByBase(targets);
  const sampledNll = new Float64Array(spans.length);
  for (let k = 0; k < samples; k++) {
    const scores = await readFrom(spans.map((posterior, i) => sample(posterior, 1, rng.fork("sampled", k, i))));
    for (const [i, score] of scores.entries()) sampledNll[i]! += nll(score) / samples;
  }
  return {
    recNllMean: estimate(atMean.map((score, i) => [nll(score), lengths[i]!])),
    recNllSampled: estimate(Array.from(sampledNll, (value, i) => [value, lengths[i]!])),
    lossShuffled: estimate(shuffled.map((score, i) => [nll(score), lengths[i]!])),
    lossBase: estimate(base.map((score, i) => [nll(score), lengths[i]!])),
    lossRatio: estimate(atMean.map((score, i) => [nll(score), nll(base[i]!)])),
    forcedTokenAccuracy: estimate(atMean.map(({ greedy }) => [greedy.filter(Boolean).length, greedy.length])),
  };
}

async function writtenMeasures(scoring: Scoring, spans: readonly Span[], span: number, estimate: EstimateOf) {
  const means = spans.map(({ mean }) => mean);
  const written = await scoring.write(means, span);
  const right = spans.map(({ ids }, i) => ids.filter((id, t) => written[i]![t] === id).length);
  const counts = spans.map(({ ids }, i) => bleuCounts(scoring.text(written[i]!), scoring.text(ids)));
  return {
    greedyTokenAccuracy: estimate(right.map((count) => [count, span])),
    exactMatch: estimate(right.map((count) => [count === span ? 1 : 0, 1])),
    editSimilarity: estimate(spans.map(({ ids }, i) => [editSimilarity(written[i]!, ids), 1])),
    bleu4: estimate(counts, bleuOfCounts),
  };
}

function latentMeasures(posteriors: readonly Posterior[], zs: readonly Float32Array[]) {
  const variance = variances(posteriors.map(({ mean }) => mean));
  return {
    klPerDimension: Array.from(klPerDimension(posteriors)),
    activeUnits: [0.01, 0.2].map((delta) => ({ delta, count: activeUnits(variance, delta) })),
    mutualInformation: {
      value: mutualInformation(posteriors, zs),
      cap: Math.log(posteriors.length),
      bound: mutualInformationBound(posteriors),
    },
    aeScale: rms(zs),
  };
}

/** The K-draw estimates share their draws: the first K of each span. */
async function perplexities(scoring: Scoring, spans: readonly Span[], options: EvaluationOptions) {
  const { rng, importance = IMPORTANCE } = options;
  const chosen = Array.from(rng.fork("importance spans").permutation(spans.length).subarray(0, importance.spans));
  const kept = chosen.sort((a, b) => a - b).map((i) => spans[i]!);
  const most = Math.max(0, ...importance.draws);
  const logWeights: number[][] = [];
  for (const [i, posterior] of kept.entries()) {
    const { ids } = posterior;
    const zs = Array.from({ length: most }, (_, k) => sample(posterior, 1, rng.fork("importance", i, k)));
    const scores = await scoring.read(zs.map((z) => ({ z, target: ids })));
    logWeights.push(scores.map((score, k) => logWeight(-nll(score), zs[k]!, posterior)));
  }
  const estimate = (values: readonly (readonly number[])[], measure: (sums: readonly number[]) => number) =>
    bootstrap(sumsByText(kept, values), measure, rng.fork("bootstrap"));
  return importance.draws.map((draws) => {
    const estimates = logWeights.map((weights) => importanceEstimate(weights.slice(0, draws)));
    const negative = estimates.map(({ logLikelihood }, i) => [-logLikelihood, kept[i]!.ids.length]);
    return {
      draws,
      spans: kept.length,
      value: estimate(negative, (sums) => Math.exp(ratio(sums))),
      ess: estimate(
        estimates.map(({ effectiveSamples }) => [effectiveSamples, 1]),
        ratio,
      ),
    };
  });
}
