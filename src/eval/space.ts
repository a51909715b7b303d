/** Points of the latent space that no text has: means of unrelated texts, and random ones. Is what is written there as fluent as texts are? */
import { BigVaeError } from "../errors.js";
import { average, type Latent, type LatentSpace, mixScale } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, bootstrapDifference, type Estimate, ratio } from "./bootstrap.js";
import { variances } from "./latentStatistics.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";
import { cutSpans, type Span, sumsByText } from "./spans.js";

export interface SpaceOptions extends ScoringOptions {
  texts: readonly string[];
  rng: Rng;
  /** Tokens of a span, and of what is written. */
  span: number;
  /** Root mean square of sampled latents. */
  aeScale: number;
  /** Points of each kind; default: 100. */
  count?: number | undefined;
  /** Only points that the base mends (`mixScale`), or only those that it does not; default: both. */
  guidance?: boolean | undefined;
}

/** Losses are the base's, nats per token, of spans read from the beginning token on. */
export interface SpaceReport {
  texts: number;
  spans: number;
  /** Points of each kind. */
  count: number;
  /** Of the texts' own spans; the interval is over texts. */
  lossOwn: Estimate;
  points: PointMeasures[];
}

/** Points of one kind, each greedily written as a span. */
interface PointMeasures {
  /**
   * mean, normKept, medoid: of four spans of different texts. aggregate: a draw from the Gaussian with mean and variance of the sampled
   * latents of all spans, dimension by dimension. random: of root mean square `aeScale`. Random ones have the length of a random span.
   */
  point: (typeof POINTS)[number];
  guidance: boolean;
  /** Over points. */
  loss: Estimate;
  /** loss minus lossOwn; over points and texts. 0: as fluent as the texts. */
  excess: Estimate;
}

const MEANS = ["mean", "normKept", "medoid"] as const;
const RANDOM = ["aggregate", "random"] as const;
const POINTS = [...MEANS, ...RANDOM] as const;

/** Texts per mean. */
const MIXED = 4;
const WEIGHTS = new Array<number>(MIXED).fill(1 / MIXED);
/** The texts' weights in a point, by which it is guided. No text has a share in a random one. */
const SHARES: Record<(typeof POINTS)[number], readonly number[]> = {
  mean: WEIGHTS,
  normKept: WEIGHTS,
  medoid: [1],
  aggregate: [],
  random: [],
};

/** Writes points of every kind. @throws BigVaeError: "usage" for fewer than four texts with a span. */
export async function evaluateSpace(options: SpaceOptions): Promise<SpaceReport> {
  const { tokenizer, texts, rng, span, count = 100, guidance } = options;
  const scoring = new Scoring(options);
  const ids = texts.map((text) => tokenizer.encode(text));
  const spans = await cutSpans(scoring, ids, span);
  const points = pointsOf(spans, options, count);
  const own = sumsByText(
    spans,
    (await scoring.readByBase(spans.map((each) => each.ids))).map((score) => [nll(score), span]),
  );
  const report: PointMeasures[] = [];
  for (const point of POINTS)
    for (const guided of [false, true].filter((each) => guidance === undefined || each === guidance)) {
      const zs = points[point];
      const written = await scoring.write(zs, span, guided ? zs.map(() => mixScale(SHARES[point])) : undefined);
      const losses = (await scoring.readByBase(written)).map((score) => [nll(score), span]);
      report.push({
        point,
        guidance: guided,
        loss: bootstrap(losses, ratio, rng.fork("bootstrap")),
        excess: bootstrapDifference(losses, own, rng.fork("bootstrap")),
      });
    }
  return {
    texts: texts.length,
    spans: spans.length,
    count,
    lossOwn: bootstrap(own, ratio, rng.fork("bootstrap")),
    points: report,
  };
}

function pointsOf(
  spans: readonly Span[],
  { space, rng, aeScale }: SpaceOptions,
  count: number,
): Record<(typeof POINTS)[number], Latent[]> {
  const byText = latentsByText(spans);
  const groups = Array.from({ length: count }, (_, i) => {
    const stream = rng.fork("group", i);
    const texts = Array.from(stream.permutation(byText.length).subarray(0, MIXED));
    return texts.map((text) => stream.pick(byText[text]!));
  });
  const gaussian = aggregate(spans, space, rng);
  const randomBy = (name: (typeof RANDOM)[number], draw: (stream: Rng) => Latent) =>
    Array.from({ length: count }, (_, i) => {
      const stream = rng.fork(name, i);
      return space.withLength(space.content(draw(stream)), space.lengthOf(stream.pick(spans).mean));
    });
  return {
    mean: groups.map(average),
    normKept: groups.map((zs) => space.normKeptSum(zs, WEIGHTS)),
    medoid: groups.map((zs) => space.medoid(zs)),
    aggregate: randomBy("aggregate", gaussian),
    random: randomBy("random", (stream) => space.random(spans[0]!.mean, aeScale, stream)),
  };
}

/** Latents of the spans of each text that has any. */
function latentsByText(spans: readonly Span[]): Latent[][] {
  const byText = new Map<number, Latent[]>();
  for (const { text, mean } of spans) byText.set(text, [...(byText.get(text) ?? []), mean]);
  if (byText.size >= MIXED) return [...byText.values()];
  throw new BigVaeError("usage", {
    subject: "eval",
    expected: `at least ${MIXED} texts with a span`,
    got: byText.size,
    remedy: "give more or longer texts",
  });
}

/** The Gaussian with the mean and the variance of sampled latents in each dimension of the slots: what draws from it. */
function aggregate(spans: readonly Span[], space: LatentSpace, rng: Rng): (stream: Rng) => Latent {
  const zs = spans.map((posterior, i) => space.sample(posterior, 1, rng.fork("posterior", i)));
  const mean = average(zs);
  const deviation = variances(zs).map(Math.sqrt);
  return (stream) => mean.map((value, i) => value + deviation[i]! * stream.normal());
}
