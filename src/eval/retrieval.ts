/**
 * Are texts that belong together near each other? Spans of one text among those of many, and texts that share a labelled factor, by
 * latents and, as a control, by their words.
 */

import { centredKeys, dot, FIRST_CHOICE, type Latent, type LatentSpace, rescale } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { Scoring, type ScoringOptions } from "./scoring.js";
import { cutSpans, type Span, sumsByText } from "./spans.js";
import { TfIdf } from "./tfIdf.js";

/** A text with the values of its factors, where it is labelled. */
export interface LabelledText {
  text: string;
  factors?: Readonly<Record<string, string>>;
}

export interface RetrievalOptions extends ScoringOptions {
  texts: readonly LabelledText[];
  rng: Rng;
  /** Tokens of a span; default: 64. */
  span?: number;
}

/**
 * How spans are compared. z: cosine of the slots' values. key: cosine of the keys. centredKey: the same, the mean of all keys subtracted.
 * match: best match of slots, among the `candidates` spans of the highest centredKey. tfIdf: cosine of the words' weights.
 */
export const COMPARISONS = ["z", "key", "centredKey", "match", "tfIdf"] as const;
type By<T> = Record<(typeof COMPARISONS)[number], T>;

/** Intervals are over texts. */
export interface RetrievalReport {
  texts: number;
  /** Spans that are searched. */
  spans: number;
  /** Those of them that another span of their text follows: each looks for that one. */
  queries: number;
  /** Spans that are matched slot by slot for a query. */
  candidates: number;
  /** recallAt1, recallAt10: share of queries whose next span is the nearest, or of the ten nearest. sameText: share whose nearest is of their text. */
  nextSpan?: By<{ recallAt1: Estimate; recallAt10: Estimate; sameText: Estimate }>;
  /** The first spans of labelled texts; left out where fewer than seven are. */
  sharedFactor?: {
    texts: number;
    factors: string[];
    /** Share of the five nearest that have the same value, mean over factors; by chance, and by each way to compare. */
    precisionAt5: { chance: number } & By<Estimate>;
  };
}

/** Maximum number of spans searched; further texts are left out. */
const MOST_SPANS = 2000;
const NEAREST = 5;
/** Factors of a text's form, not of its content. */
const NO_CONTENT = new Set(["kind"]);

/** Searches spans of texts. @throws BigVaeError("usage") where the texts have fewer than two spans. */
export async function evaluateRetrieval(options: RetrievalOptions): Promise<RetrievalReport> {
  const { texts, tokenizer, space, rng, span = 64, onProgress } = options;
  const scoring = new Scoring(options);
  const ids: number[][] = [];
  for (let spans = 0; ids.length < texts.length; ) {
    const row = tokenizer.encode(texts[ids.length]!.text);
    spans += Math.floor(row.length / span);
    if (spans > MOST_SPANS && ids.length > 0) break;
    ids.push(row);
  }
  const spans = await cutSpans(scoring, ids, span);
  const rows = similarityRows(scoring, space, spans);
  const queries = Array.from(spans.keys()).filter((i) => spans[i + 1]?.text === spans[i]!.text);
  const asked = queries.map((i) => spans[i]!);
  const mean = (values: readonly number[]) =>
    bootstrap(
      sumsByText(
        asked,
        values.map((value) => [value, 1]),
      ),
      ratio,
      rng.fork("bootstrap"),
    );
  const findNextSpan = () =>
    byEach((by) => {
      const found = queries.map((query, done) => {
        if (done % 100 === 0) onProgress?.(done, queries.length, `spans searched by ${by}`);
        const { rank, nearest } = placeOf(query + 1, rows[by](query), query);
        return { rank, isSame: spans[nearest]!.text === spans[query]!.text };
      });
      return {
        recallAt1: mean(found.map(({ rank }) => (rank < 1 ? 1 : 0))),
        recallAt10: mean(found.map(({ rank }) => (rank < 10 ? 1 : 0))),
        sameText: mean(found.map(({ isSame }) => (isSame ? 1 : 0))),
      };
    });
  const sharedFactor = sharedFactors(scoring, options, spans);
  return {
    texts: ids.length,
    spans: spans.length,
    queries: queries.length,
    candidates: Math.min(FIRST_CHOICE, spans.length - 1),
    ...(queries.length > 0 ? { nextSpan: findNextSpan() } : {}),
    ...(sharedFactor ? { sharedFactor } : {}),
  };
}

function byEach<T>(make: (by: keyof By<T>) => T): By<T> {
  return Object.fromEntries(COMPARISONS.map((by) => [by, make(by)])) as By<T>;
}

type SimilarityRow = (query: number) => Float64Array;

/** Similarities of a query span with each span, [N], computed at each call; -Infinity where they are not compared. */
function similarityRows(scoring: Scoring, space: LatentSpace, spans: readonly Span[]): By<SimilarityRow> {
  const zs = spans.map(({ mean }) => mean);
  const rowsOf = (vectors: readonly Latent[]): SimilarityRow => {
    const units = vectors.map((vector) => rescale(vector, 1));
    return (query) => Float64Array.from(units, (unit) => dot(units[query]!, unit));
  };
  const centredKey = rowsOf(centredKeys(space, zs));
  const words = new TfIdf(spans.map(({ ids }) => scoring.text(ids)));
  return {
    z: rowsOf(zs.map((z) => space.content(z))),
    key: rowsOf(zs.map((z) => space.key(z))),
    centredKey,
    match: (query) => {
      const row = new Float64Array(zs.length).fill(Number.NEGATIVE_INFINITY);
      for (const i of highest(centredKey(query), FIRST_CHOICE, query)) row[i] = space.similarity(zs[query]!, zs[i]!);
      return row;
    },
    tfIdf: (query) => words.similarities(query),
  };
}

/** Indices of the `count` highest values except the query's, highest first; ties go to the earlier. */
function highest(row: Float64Array, count: number, query: number): number[] {
  const places = Array.from(row.keys()).filter((i) => i !== query);
  return places.sort((a, b) => row[b]! - row[a]! || a - b).slice(0, count);
}

/** The nearest except the query (ties go to the earlier), and how many others are nearer than the right one, ties counted half. */
function placeOf(right: number, row: Float64Array, query: number): { rank: number; nearest: number } {
  let rank = 0;
  let nearest = query === 0 ? 1 : 0;
  for (const [i, value] of row.entries()) {
    if (i === query) continue;
    if (value > row[nearest]!) nearest = i;
    if (i !== right) rank += value > row[right]! ? 1 : value === row[right]! ? 0.5 : 0;
  }
  return { rank, nearest };
}

/** First spans of the texts that have the same labels. */
function sharedFactors(
  scoring: Scoring,
  { texts, space, rng }: RetrievalOptions,
  spans: readonly Span[],
): RetrievalReport["sharedFactor"] {
  const first = spans.filter((span, i) => span.text !== spans[i - 1]?.text && texts[span.text]!.factors !== undefined);
  if (first.length < NEAREST + 2) return undefined;
  const labels = first.map(({ text }) => texts[text]!.factors!);
  const factors = Object.keys(labels[0]!).filter((name) => !NO_CONTENT.has(name));
  const shared = (i: number, j: number) =>
    factors.filter((name) => labels[i]![name] === labels[j]![name]).length / factors.length;
  const others = (i: number) => Array.from(first.keys()).filter((j) => j !== i);
  const meanShared = (i: number, among: readonly number[]) =>
    among.reduce((sum, j) => sum + shared(i, j), 0) / among.length;
  const chance = first.reduce((sum, _, i) => sum + meanShared(i, others(i)), 0) / first.length;
  const rows = similarityRows(scoring, space, first);
  const precision = byEach((by) =>
    bootstrap(
      first.map((_, i) => [meanShared(i, highest(rows[by](i), NEAREST, i)), 1]),
      ratio,
      rng.fork("bootstrap"),
    ),
  );
  return { texts: first.length, factors, precisionAt5: { chance, ...precision } };
}
