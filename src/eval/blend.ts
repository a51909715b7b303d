/** What stands half-way between two latents: does it hold something of both, and is it as fluent as they are? */
import { type Latent, lerp } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { Scoring, type ScoringOptions } from "./scoring.js";
import { contentWords } from "./words.js";

export interface BlendOptions extends ScoringOptions {
  /** Latents of texts, between which pairs are drawn. */
  means: readonly Latent[];
  /** Tokens written from each latent: the span. */
  nTokens: number;
  rng: Rng;
  /** 200 where it is left out. */
  pairs?: number;
  /** 0.5 where it is left out. */
  t?: number;
  /** How latents are blended; (1 - t) a + t b where it is left out. */
  blend?(a: Latent, b: Latent, t: number): Latent;
}

/** Intervals are over pairs. */
export interface BlendReport {
  /** Pairs whose ends, as written, have content words of their own; the others are not counted. */
  pairs: number;
  skipped: number;
  /** Share of blends with a content word that only the one end has and one that only the other has. */
  bothEnds: Estimate;
  /** Loss of the base per token of the blend minus the mean of the ends' as written; nats. 0: as fluent as they are. */
  fluencyDip: Estimate;
  /** The first pairs drawn, unselected: both ends as written, and what stands between them. */
  examples: { from: string; to: string; blend: string }[];
}

const EXAMPLES = 20;

/** Writes random pairs of latents and the points between them greedily, and compares. */
export async function evaluateBlends(options: BlendOptions): Promise<BlendReport> {
  const { means, nTokens, rng, pairs = 200, t = 0.5, blend = lerp } = options;
  const scoring = new Scoring(options);
  const chosen = Array.from({ length: pairs }, (_, i) => drawPair(means, rng.fork("pair", i)));
  const points = chosen.flatMap(([a, b]) => [a, b, blend(a, b, t)]);
  const written = await scoring.write(points, nTokens);
  const losses = await scoring.baseNll(written);
  const examples = chosen.slice(0, EXAMPLES).map((_, i) => {
    const [from, to, middle] = written.slice(3 * i, 3 * i + 3).map((ids) => scoring.text(ids));
    return { from: from!, to: to!, blend: middle! };
  });
  const measured = chosen.flatMap((_, i) => {
    const [a, b, middle] = written.slice(3 * i, 3 * i + 3).map((ids) => contentWords(scoring.text(ids)));
    const ofA = [...a!].filter((word) => !b!.has(word));
    const ofB = [...b!].filter((word) => !a!.has(word));
    if (ofA.length === 0 || ofB.length === 0) return [];
    const holds = [ofA, ofB].every((words) => words.some((word) => middle!.has(word)));
    const dip = losses[3 * i + 2]! - (losses[3 * i]! + losses[3 * i + 1]!) / 2;
    return [{ holds: [holds ? 1 : 0, 1], dip: [dip, 1] }];
  });
  const estimate = (values: readonly (readonly number[])[]) => bootstrap(values, ratio, rng.fork("bootstrap"));
  return {
    pairs: measured.length,
    skipped: pairs - measured.length,
    bothEnds: estimate(measured.map(({ holds }) => holds)),
    fluencyDip: estimate(measured.map(({ dip }) => dip)),
    examples,
  };
}

/** Two different ones. */
function drawPair(means: readonly Latent[], rng: Rng): [Latent, Latent] {
  const a = rng.integer(means.length);
  const b = (a + 1 + rng.integer(means.length - 1)) % means.length;
  return [means[a]!, means[b]!];
}
