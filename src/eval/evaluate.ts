/** Reconstruction, use of the latent and likelihood over unseen texts, cut into spans as in rebuilding.ts. Intervals are over texts. */
import { type LatentSpace, type Posterior, rms } from "../latent/index.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { importanceEstimate, logWeight } from "./importanceSampling.js";
import {
  activeUnits,
  klPerDimension,
  klToPrior,
  mutualInformation,
  mutualInformationBound,
  variances,
} from "./latentStatistics.js";
import { type RebuildingOptions, type RebuildingReport, readSpans, rebuilding, type Spans } from "./rebuilding.js";
import { nll } from "./scoring.js";
import { sumsByText } from "./spans.js";

export interface EvaluationOptions extends RebuildingOptions {
  /** Draws of z for the sampled reconstruction; default: 8. */
  samples?: number;
  /** Draws of z per span for the likelihood, and how many spans it is computed for (drawn by chance). */
  importance?: { draws: readonly number[]; spans: number };
}

/** Statistics of latents are those of their slots; the length beside several slots carries no noise. */
export interface EvaluationReport extends RebuildingReport {
  /** z drawn from the posterior. */
  recNllSampled: Estimate;
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
  const read = await readSpans(options);
  return {
    ...(await rebuilding(read, options)),
    recNllSampled: await sampledNll(read, options),
    ...latentMeasures(read, options.space),
    perplexity: await perplexities(read, options),
  };
}

async function sampledNll({ scoring, spans, estimate }: Spans, options: EvaluationOptions): Promise<Estimate> {
  const { rng, space, samples = 8 } = options;
  const sums = new Float64Array(spans.length);
  for (let k = 0; k < samples; k++) {
    const rows = spans.map((posterior, i) => ({
      z: space.sample(posterior, 1, rng.fork("sampled", k, i)),
      target: posterior.ids,
    }));
    const scores = await scoring.read(rows);
    for (const [i, score] of scores.entries()) sums[i]! += nll(score) / samples;
  }
  return estimate(spans.map(({ ids }, i) => [sums[i]!, ids.length]));
}

/** The posterior of the slots' values. */
function ofContent(space: LatentSpace, { mean, logVariance }: Posterior): Posterior {
  return { mean: space.content(mean), ...(logVariance ? { logVariance } : {}) };
}

function latentMeasures({ spans, zs, estimate }: Spans, space: LatentSpace) {
  const posteriors = spans.map((span) => ofContent(space, span));
  const contents = zs.map((z) => space.content(z));
  const variance = variances(posteriors.map(({ mean }) => mean));
  return {
    kl: estimate(posteriors.map((posterior) => [klToPrior(posterior), 1])),
    klPerDimension: Array.from(klPerDimension(posteriors)),
    activeUnits: [0.01, 0.2].map((delta) => ({ delta, count: activeUnits(variance, delta) })),
    mutualInformation: {
      value: mutualInformation(posteriors, contents),
      cap: Math.log(posteriors.length),
      bound: mutualInformationBound(posteriors),
    },
    aeScale: rms(contents),
  };
}

/** The K-draw estimates share their draws: the first K of each span. */
async function perplexities({ scoring, spans }: Spans, options: EvaluationOptions) {
  const { rng, space, importance = IMPORTANCE } = options;
  const chosen = Array.from(rng.fork("importance spans").permutation(spans.length).subarray(0, importance.spans));
  const kept = chosen.sort((a, b) => a - b).map((i) => spans[i]!);
  const most = Math.max(0, ...importance.draws);
  const logWeights: number[][] = [];
  for (const [i, span] of kept.entries()) {
    const zs = Array.from({ length: most }, (_, k) => space.sample(span, 1, rng.fork("importance", i, k)));
    const scores = await scoring.read(zs.map((z) => ({ z, target: span.ids })));
    const posterior = ofContent(space, span);
    logWeights.push(scores.map((score, k) => logWeight(-nll(score), space.content(zs[k]!), posterior)));
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
