/** What stands half-way between two latents: does it hold something of both, and is it as fluent as they are? */
import { BigVaeError } from "../errors.js";
import { type Latent, type LatentSpace, mixScale } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { Scoring, type ScoringOptions } from "./scoring.js";
import { LONGEST_SENTENCE } from "./sentences.js";
import { contentWords, wordsOf } from "./words.js";

/** How latents are blended. */
export interface BlendRule {
  rule: string;
  /** Whether the base mends the blend, at the scale of its weights (`mixScale`). */
  guidance: boolean;
  /** The point at t between a and b. */
  blend(a: Latent, b: Latent, t: number): Latent;
}

export const BLEND_RULES = ["lerp", "normLerp"] as const;

/** The rules of that name, with guidance or without; default: all of them, both ways. */
export function blendRules(
  space: LatentSpace,
  name?: (typeof BLEND_RULES)[number] | undefined,
  guidance?: boolean | undefined,
): BlendRule[] {
  return BLEND_RULES.filter((rule) => name === undefined || rule === name).flatMap((rule) =>
    [false, true]
      .filter((guided) => guidance === undefined || guided === guidance)
      .map((guided) => ({ rule, guidance: guided, blend: (a, b, t) => space[rule](a, b, t) })),
  );
}

export interface BlendOptions extends ScoringOptions {
  /** Latents of texts, between which pairs are drawn. */
  means: readonly Latent[];
  /** Tokens written from each latent, exactly; left out for sentences, which are as long as z says and end by the end token. */
  nTokens?: number | undefined;
  rules: readonly BlendRule[];
  /** The word list. */
  known: ReadonlySet<string>;
  rng: Rng;
  /** Number of pairs; default: 100. */
  pairs?: number | undefined;
  /** Where between the ends the blend lies, from 0 to 1; default: 0.5. */
  t?: number;
}

/** Intervals are over pairs. */
export interface BlendReport {
  /** Pairs whose ends, as written, have content words of their own; the others are not counted. */
  pairs: number;
  skipped: number;
  /** Share of the words of the ends, as written, that the word list has. */
  knownWordsOfEnds: Estimate;
  /** A report for each rule. */
  blends: BlendMeasures[];
  /** The first pairs drawn, unselected: both ends as written, and what stands between them by each rule, in the order of `blends`. */
  examples: { from: string; to: string; between: string[] }[];
}

interface BlendMeasures {
  rule: string;
  guidance: boolean;
  /** Share of blends with a content word that only the one end has and one that only the other has. */
  bothEnds: Estimate;
  /** Loss of the base per token of the blend minus the mean of the ends' as written; nats. 0: as fluent as they are. */
  fluencyDip: Estimate;
  /** Share of the words of the blends that the word list has. */
  knownWords: Estimate;
}

const EXAMPLES = 20;

/** What was written from one latent. */
interface WrittenPoint {
  text: string;
  /** Loss of the base, nats per token. */
  loss: number;
}

/** Writes random pairs of latents and the points between them greedily, and compares. The ends are written without guidance. */
export async function evaluateBlends(options: BlendOptions): Promise<BlendReport> {
  const { means, rules, known, rng, pairs = 100, t = 0.5 } = options;
  if (means.length < 2)
    throw new BigVaeError("usage", {
      subject: "eval",
      expected: "at least two texts to blend",
      got: means.length,
      remedy: "give more texts",
    });
  const write = writerOf(options);
  const chosen = Array.from({ length: pairs }, (_, i) => drawPair(means, rng.fork("pair", i)));
  const ends = await write(chosen.flat());
  const pairsOfEnds = chosen.map((_, i) => [ends[2 * i]!, ends[2 * i + 1]!] as const);
  const ownWords = pairsOfEnds.map(wordsOfEach);
  const counted = Array.from(chosen.keys()).filter((i) => ownWords[i]!.every((words) => words.length > 0));
  const estimate = (valuesOf: (pair: number) => readonly number[]) =>
    bootstrap(counted.map(valuesOf), ratio, rng.fork("bootstrap"));
  const examples = pairsOfEnds
    .slice(0, EXAMPLES)
    .map(([from, to]) => ({ from: from.text, to: to.text, between: [] as string[] }));
  const blends: BlendMeasures[] = [];
  for (const { rule, guidance, blend } of rules) {
    const points = chosen.map(([a, b]) => blend(a, b, t));
    const written = await write(points, guidance ? points.map(() => mixScale([1 - t, t])) : undefined);
    for (const [i, example] of examples.entries()) example.between.push(written[i]!.text);
    blends.push({
      rule,
      guidance,
      bothEnds: estimate((i) => {
        const words = contentWords(written[i]!.text);
        return [ownWords[i]!.every((own) => own.some((word) => words.has(word))) ? 1 : 0, 1];
      }),
      fluencyDip: estimate((i) => {
        const [a, b] = pairsOfEnds[i]!;
        return [written[i]!.loss - (a.loss + b.loss) / 2, 1];
      }),
      knownWords: estimate((i) => knownOf(written[i]!.text, known)),
    });
  }
  return {
    pairs: counted.length,
    skipped: pairs - counted.length,
    knownWordsOfEnds: estimate((i) => knownOf(pairsOfEnds[i]!.map(({ text }) => text).join("\n"), known)),
    blends,
    examples,
  };
}

/** Writes latents as spans or as sentences, and reads them by the base. */
function writerOf(options: BlendOptions) {
  const { nTokens } = options;
  const scoring = new Scoring(options);
  return async (zs: readonly Latent[], scales?: readonly number[]): Promise<WrittenPoint[]> => {
    const written =
      nTokens === undefined
        ? await scoring.writeTexts(zs, LONGEST_SENTENCE + 1, scales)
        : await scoring.write(zs, nTokens, scales);
    // The loss counts the words without the end token, unless there is nothing else.
    const read =
      nTokens === undefined ? written.map((ids) => (ids.length > 1 ? scoring.withoutEnd(ids) : ids)) : written;
    const losses = await scoring.baseNll(read);
    return written.map((ids, i) => ({ text: scoring.text(ids), loss: losses[i]! }));
  };
}

/** Content words that only the first end has, and those that only the second has. */
function wordsOfEach(ends: readonly [WrittenPoint, WrittenPoint]): [string[], string[]] {
  const [a, b] = ends.map(({ text }) => contentWords(text)) as [Set<string>, Set<string>];
  return [[...a].filter((word) => !b.has(word)), [...b].filter((word) => !a.has(word))];
}

/** [known words, words] of a text. */
function knownOf(text: string, known: ReadonlySet<string>): [number, number] {
  const words = wordsOf(text);
  return [words.filter((word) => known.has(word)).length, words.length];
}

/** Indices of two different items, drawn at random. */
function drawPair(means: readonly Latent[], rng: Rng): [Latent, Latent] {
  const a = rng.integer(means.length);
  const b = (a + 1 + rng.integer(means.length - 1)) % means.length;
  return [means[a]!, means[b]!];
}
