/**
 * Whether text arrives where it is sent: from the beginning of one unseen text to a span of another, by several ways of writing. And bridges, whose
 * middle is to lie between two texts.
 */
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { arrived, nearestOf, ownCoherence, type Views } from "./arrival.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";
import { cutSpans, type Span } from "./spans.js";

type Ids = readonly number[];

/** Two spans of unseen texts: where a text begins, and where it is to arrive. */
export interface PlanPair {
  /** Number of the pair, from 0. */
  index: number;
  start: string;
  /** The mean latents of both. */
  startZ: Latent;
  goal: string;
  goalZ: Latent;
}

export interface PlansOptions extends ScoringOptions {
  /** Unseen texts of at least a span. */
  texts: readonly string[];
  rng: Rng;
  /** Tokens of a span. */
  span: number;
  /** Default: 200. */
  pairs?: number;
  /** Ways from a start to a goal, by name: the tokens that each writes behind the start. The loss of others is compared with that of `reference`. */
  ways: Readonly<Record<string, (pair: PlanPair) => Promise<Ids>>>;
  /** One of the ways. */
  reference: string;
  /** The spans of a bridge between both. */
  bridge(pair: PlanPair): Promise<readonly Ids[]>;
  /** Texts as vectors of the base alone, which nothing steered by: a second opinion on where a text arrived. */
  embed(rows: readonly Ids[]): Promise<readonly Latent[]>;
}

/** How one way went. Intervals are over pairs. */
interface WayMeasures {
  way: string;
  /** Share of pairs whose last span is nearer to the goal than 95 % of the spans of other texts, by `LatentSpace.similarity`. */
  reached: Estimate;
  /** The same by the cosine of the base's mean hidden states. */
  reachedByBase: Estimate;
  /** Similarity of the last span to the goal. */
  nearness: Estimate;
  /** The base's loss on what was written behind the start, nats per token. */
  baseLoss: Estimate;
  /** baseLoss minus that of the reference, pair by pair. */
  lossAboveReference: Estimate;
  /** Mean similarity of each span to the one before it, the start among them. */
  coherence: Estimate;
  /** Tokens that were written, per pair. */
  tokens: number;
  /** Seconds per pair, of pairs that are written several at a time. */
  seconds: number;
}

export interface PlansReport {
  texts: number;
  pairs: number;
  /** Spans of other texts that each last span is compared with. */
  randomSpans: number;
  reference: string;
  /** Of consecutive spans of the texts: their base loss, and their similarity. */
  ownLoss: Estimate;
  ownCoherence: Estimate;
  /** The distance (1 - similarity) within which 1 % and 5 % of random spans lie from a goal, mean over pairs. */
  nearest1: number;
  nearest5: number;
  ways: WayMeasures[];
  /** Share of bridges whose middle span is nearer to both ends than 90 % of random spans; by the base's vectors too; and their base loss. */
  bridges: { reached: Estimate; reachedByBase: Estimate; baseLoss: Estimate };
}

export const PLAN_PAIRS = 200;
const PAIRS_AT_A_TIME = 8;
/** Of random spans, so many may be nearer to a goal that is reached, and to each end of a bridge. */
const [GOAL_SHARE, END_SHARE] = [0.05, 0.1];
/** A bridge is of three spans. */
const MIDDLE = 1;

/** Writes and measures. @throws BigVaeError("usage") where fewer than three texts have a span. */
export async function evaluatePlans(options: PlansOptions): Promise<PlansReport> {
  const { tokenizer, texts, rng, span, space, pairs: count = PLAN_PAIRS } = options;
  // Of the pairs alone is told how far it is: each is read by itself.
  const { onProgress: _, ...quietly } = options;
  const scoring = new Scoring(quietly);
  const spans = await cutSpans(
    scoring,
    texts.map((text) => tokenizer.encode(text)),
    span,
  );
  const pairs = pairsOf(spans, options, count);
  const bases = await options.embed(spans.map(({ ids }) => ids));
  const views: Views = { space, latents: spans.map(({ mean }) => mean), bases };
  const others = (pair: Pair) => spans.flatMap(({ text }, i) => (pair.texts.includes(text) ? [] : [i]));
  const estimate = (values: readonly (readonly number[])[], of = ratio) => bootstrap(values, of, rng.fork("bootstrap"));

  const { measured, bridges } = await measureAll(scoring, options, views, pairs, others);
  const reference = measured.get(options.reference)!;
  const ownLosses = (await scoring.readByBase(spans.map(({ ids }) => ids))).map((score) => [nll(score), span]);
  const quantile = (q: number) => mean(pairs.map((pair) => nearestOf(views, pair.goalAt, others(pair), q)));
  return {
    texts: texts.length,
    pairs: pairs.length,
    randomSpans: Math.min(...pairs.map((pair) => others(pair).length)),
    reference: options.reference,
    ownLoss: estimate(ownLosses),
    ownCoherence: estimate(ownCoherence(spans, space)),
    nearest1: quantile(0.01),
    nearest5: quantile(GOAL_SHARE),
    ways: Array.from(measured, ([way, each]) => wayMeasures(way, each, reference, estimate)),
    bridges: {
      reached: estimate(bridges.map(({ reached }) => [Number(reached), 1])),
      reachedByBase: estimate(bridges.map(({ reachedByBase }) => [Number(reachedByBase), 1])),
      baseLoss: estimate(bridges.map(({ loss, tokens }) => [loss, tokens])),
    },
  };
}

/** Writes each pair by every way, and a bridge of it: some pairs at a time, which share the model's batches. */
async function measureAll(
  scoring: Scoring,
  options: PlansOptions,
  views: Views,
  pairs: readonly Pair[],
  others: (pair: Pair) => readonly number[],
) {
  const measured = new Map<string, Measured[]>(Object.keys(options.ways).map((name) => [name, []]));
  const bridges: Bridged[] = [];
  for (let from = 0; from < pairs.length; from += PAIRS_AT_A_TIME) {
    const group = pairs.slice(from, from + PAIRS_AT_A_TIME);
    for (const [name, write] of Object.entries(options.ways)) {
      const started = performance.now();
      const written = await Promise.all(group.map(write));
      const seconds = (performance.now() - started) / 1000 / group.length;
      const measures = await Promise.all(
        group.map((pair, i) => measureWay(scoring, options, views, pair, written[i]!, others(pair))),
      );
      measured.get(name)!.push(...measures.map((each) => ({ ...each, seconds })));
    }
    bridges.push(
      ...(await Promise.all(group.map((pair) => measureBridge(scoring, options, views, pair, others(pair))))),
    );
    options.onProgress?.(from + group.length, pairs.length, "pairs");
  }
  return { measured, bridges };
}

interface Pair extends PlanPair {
  startIds: Ids;
  /** Numbers of their spans, and of the two texts. */
  startAt: number;
  goalAt: number;
  texts: readonly number[];
}

/** Starts are first spans of texts, goals the last spans of others: the k-th text with the next ones in turn, so that pairs differ. */
function pairsOf(spans: readonly Span[], { tokenizer, rng }: PlansOptions, count: number): Pair[] {
  const byText = new Map<number, number[]>();
  for (const [i, { text }] of spans.entries()) byText.set(text, [...(byText.get(text) ?? []), i]);
  const order = Array.from(rng.fork("pairs").permutation(byText.size), (k) => [...byText.keys()][k]!);
  const n = order.length;
  if (n < 3)
    throw new BigVaeError("usage", {
      subject: "eval",
      expected: "at least three texts with a span",
      got: n,
      remedy: "give more or longer texts",
    });
  const textOf = (ids: Ids) => tokenizer.decode(ids, { skipSpecial: true });
  return Array.from({ length: Math.min(count, n * (n - 1)) }, (_, index) => {
    const texts = [order[index % n]!, order[(index + 1 + Math.floor(index / n)) % n]!];
    const [startAt, goalAt] = [byText.get(texts[0]!)![0]!, byText.get(texts[1]!)!.at(-1)!];
    const [start, goal] = [spans[startAt]!, spans[goalAt]!];
    return {
      ...{ index, texts, startAt, goalAt, startIds: start.ids },
      ...{ start: textOf(start.ids), startZ: start.mean, goal: textOf(goal.ids), goalZ: goal.mean },
    };
  });
}

interface Measured {
  reached: boolean;
  reachedByBase: boolean;
  nearness: number;
  loss: number;
  tokens: number;
  /** Sum of similarities of neighbours, and their number. */
  coherence: [number, number];
  seconds: number;
}

type Bridged = Pick<Measured, "reached" | "reachedByBase" | "loss" | "tokens">;

async function measureWay(
  scoring: Scoring,
  { span, tokenizer, embed }: PlansOptions,
  views: Views,
  pair: Pair,
  written: Ids,
  others: readonly number[],
): Promise<Omit<Measured, "seconds">> {
  const ids = written.filter((id) => id !== tokenizer.eosId);
  // Nothing but an end: it is nowhere.
  if (ids.length === 0)
    return { reached: false, reachedByBase: false, nearness: 0, loss: 0, tokens: 0, coherence: [0, 0] };
  const last = ids.slice(-span);
  const pieces = Array.from({ length: Math.ceil(ids.length / span) }, (_, i) => ids.slice(i * span, (i + 1) * span));
  const [z, ...zs] = await scoring.means([last, ...pieces]);
  const [base] = await embed([last]);
  const path = [pair.startZ, ...zs];
  const similar = path.slice(1).map((each, i) => views.space.similarity(path[i]!, each));
  return {
    ...arrived(views, { z: z!, base: base! }, pair.goalAt, others, GOAL_SHARE),
    nearness: views.space.similarity(z!, pair.goalZ),
    loss: await lossBehind(scoring, pair.startIds, ids),
    tokens: ids.length,
    coherence: [sum(similar), similar.length],
  };
}

async function measureBridge(
  scoring: Scoring,
  { bridge, tokenizer, embed }: PlansOptions,
  views: Views,
  pair: Pair,
  others: readonly number[],
): Promise<Bridged> {
  const spans = (await bridge(pair)).map((ids) => ids.filter((id) => id !== tokenizer.eosId));
  const middle = spans[Math.min(MIDDLE, spans.length - 1)] ?? [];
  const ids = spans.flat();
  if (middle.length === 0) return { reached: false, reachedByBase: false, loss: 0, tokens: 0 };
  const [z] = await scoring.means([middle]);
  const [base] = await embed([middle]);
  const ends = [pair.startAt, pair.goalAt].map((end) => arrived(views, { z: z!, base: base! }, end, others, END_SHARE));
  return {
    reached: ends.every(({ reached }) => reached),
    reachedByBase: ends.every(({ reachedByBase }) => reachedByBase),
    loss: await lossBehind(scoring, pair.startIds, ids),
    tokens: ids.length,
  };
}

/** -log p of a text behind another by the base, nats. */
async function lossBehind(scoring: Scoring, before: Ids, ids: Ids): Promise<number> {
  const [score] = await scoring.readByBase([[...before, ...ids]]);
  return nll({ ...score!, logProbabilities: score!.logProbabilities.slice(before.length) });
}

function wayMeasures(
  way: string,
  measured: readonly Measured[],
  reference: readonly Measured[],
  estimate: (values: readonly (readonly number[])[], of?: (sums: readonly number[]) => number) => Estimate,
): WayMeasures {
  const shares = (of: (each: Measured) => number) => estimate(measured.map((each) => [of(each), 1]));
  return {
    way,
    reached: shares(({ reached }) => Number(reached)),
    reachedByBase: shares(({ reachedByBase }) => Number(reachedByBase)),
    nearness: shares(({ nearness }) => nearness),
    baseLoss: estimate(measured.map(({ loss, tokens }) => [loss, tokens])),
    lossAboveReference: estimate(
      measured.map(({ loss, tokens }, i) => [loss, tokens, reference[i]!.loss, reference[i]!.tokens]),
      ([a, m, b, n]) => a! / m! - b! / n!,
    ),
    coherence: estimate(measured.map(({ coherence }) => coherence)),
    tokens: mean(measured.map(({ tokens }) => tokens)),
    seconds: mean(measured.map(({ seconds }) => seconds)),
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
