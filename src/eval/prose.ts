/**
 * Continuations of a text's beginning by the averaging sampler, compared with plain sampling from the base: words and repetition,
 * spans left empty, the base's loss, and whether the topic is kept.
 */
import { splitSentences } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { nll, Scoring, type ScoringOptions } from "./scoring.js";
import { type ProseMeasures, proseMeasures } from "./words.js";

type Ids = readonly number[];

export interface ProseOptions extends ScoringOptions {
  /** Unseen texts. A run goes on from the first two sentences of one; those of further ones are other topics. */
  texts: readonly string[];
  /** The word list. */
  known: ReadonlySet<string>;
  rng: Rng;
  /** Number of runs; default: 20. */
  runs?: number;
  /** Temperature of plain sampling: that of `write`. */
  tau: number;
  /** What a run writes: the tokens of each span, without the prompt. */
  write(prompt: string, run: number): Promise<readonly Ids[]>;
}

/** Intervals are over runs, those of `texts` over texts. Losses are nats per token after the prompt, end tokens left out. */
export interface ProseReport {
  runs: number;
  /** Of what the sampler wrote, of plain sampling, and of the texts themselves. */
  written: ProseMeasures;
  plain: ProseMeasures;
  texts: ProseMeasures;
  /** Share of spans that the sampler ended before their first word; none counts behind one that ended the text. */
  emptySpans: Estimate;
  /** Of the base on what the sampler wrote. */
  baseLoss: Estimate;
  /** Of the base on what it wrote itself from the same prompts at the same temperature, as many tokens at most. */
  plainLoss: Estimate;
  /** baseLoss minus plainLoss. */
  lossAbovePlain: Estimate;
  /** Prompts that are compared with what a run wrote: its own and others. */
  prompts: number;
  /** Share of runs whose own prompt is nearer than all others to what was written, by the best match of slots. */
  topicKept: Estimate;
  plainTopicKept: Estimate;
}

export const PROSE_RUNS = 20;
/** Prompts that are compared, the run's own among them. */
export const PROSE_PROMPTS = 50;

interface Prompt {
  text: string;
  ids: Ids;
}

/** Writes and measures. @throws BigVaeError("usage") where fewer than two texts have any sentence. */
export async function evaluateProse(options: ProseOptions): Promise<ProseReport> {
  const { texts, tokenizer, known, rng, runs = PROSE_RUNS, onProgress } = options;
  const scoring = new Scoring(options);
  const prompts = prosePrompts(options);
  const begun = prompts.slice(0, runs);
  const spans: (readonly Ids[])[] = [];
  const plain: Ids[] = [];
  for (const [run, prompt] of begun.entries()) {
    const written = await options.write(prompt.text, run);
    spans.push(written);
    plain.push(await plainSample(options, prompt, written.flat().length, run));
    onProgress?.(run + 1, begun.length, "texts written");
  }
  const eosId = tokenizer.eosId;
  const words = (ids: Ids) => ids.filter((id) => id !== eosId);
  const written = spans.map((each) => words(each.flat()));
  const plainWritten = plain.map(words);
  const estimate = (values: readonly (readonly number[])[], of = ratio) => bootstrap(values, of, rng.fork("bootstrap"));
  const losses = await continuationLosses(scoring, begun, written);
  const plainLosses = await continuationLosses(scoring, begun, plainWritten);
  const zs = await scoring.means(prompts.map(({ ids }) => ids));
  const measured = (ids: readonly Ids[]) =>
    proseMeasures(
      ids.map((each) => scoring.text(each)),
      known,
      rng,
    );
  return {
    runs: begun.length,
    written: measured(written),
    plain: measured(plainWritten),
    texts: proseMeasures(texts, known, rng),
    emptySpans: estimate(spans.map((each) => emptySpans(each, eosId))),
    baseLoss: estimate(losses),
    plainLoss: estimate(plainLosses),
    lossAbovePlain: estimate(
      losses.map((sums, i) => [...sums, ...plainLosses[i]!]),
      ([a, m, b, n]) => a! / m! - b! / n!,
    ),
    prompts: Math.min(PROSE_PROMPTS, prompts.length),
    topicKept: estimate(await keptTopics(scoring, written, zs)),
    plainTopicKept: estimate(await keptTopics(scoring, plainWritten, zs)),
  };
}

/** The first two sentences of each text. @throws BigVaeError("usage") where fewer than two texts have any sentence. */
export function prosePrompts({
  texts,
  tokenizer,
  space,
}: Pick<ProseOptions, "texts" | "tokenizer" | "space">): { text: string; ids: Ids }[] {
  const prompts = texts
    .map((text) => splitSentences(text).slice(0, 2).join(" "))
    .filter((text) => text !== "")
    .map((text) => ({ text, ids: tokenizer.encode(text) }))
    // Longer ones leave no room for what is written.
    .filter(({ ids }) => ids.length <= 2 * space.shape.span);
  if (prompts.length < 2)
    throw new BigVaeError("usage", {
      subject: "eval",
      expected: "at least two texts",
      got: prompts.length,
      remedy: "give more texts",
    });
  return prompts;
}

/** The base's continuation of a prompt, which stands behind the token that begins a text; it ends where the text does. */
async function plainSample(options: ProseOptions, prompt: Prompt, nTokens: number, run: number): Promise<Ids> {
  const { model, tokenizer, rng, tau, signal } = options;
  const { beginId = 0, eosId } = tokenizer;
  const context = [beginId, ...prompt.ids];
  const row = { rngKey: rng.fork("plain", run).key };
  const [ids] = await model.write([row], { writer: "base", context, nTokens, tau, stopId: eosId, signal });
  return ids!;
}

/** [empty spans, spans] of a run: up to the span that ends the text. */
function emptySpans(spans: readonly Ids[], eosId: number | undefined): [number, number] {
  const isEmpty = (ids: Ids) => ids.length === 0 || ids[0] === eosId;
  const last = spans.findIndex((ids) => !isEmpty(ids) && ids.at(-1) === eosId);
  const counted = last < 0 ? spans : spans.slice(0, last + 1);
  return [counted.filter(isEmpty).length, counted.length];
}

/** [-log p, tokens] of each continuation behind its prompt. */
async function continuationLosses(scoring: Scoring, prompts: readonly Prompt[], written: readonly Ids[]) {
  const scores = await scoring.readByBase(prompts.map(({ ids }, i) => [...ids, ...written[i]!]));
  return scores.map(({ logProbabilities, ...score }, i) => {
    const own = logProbabilities.slice(prompts[i]!.ids.length);
    return [nll({ ...score, logProbabilities: own }), own.length];
  });
}

/**
 * [1 or 0, 1] for each run: whether its own prompt is nearer than 49 others. What was written is encoded span by span, as in training;
 * similarities are weighted by the spans' tokens. A run that wrote nothing has not kept its topic.
 */
async function keptTopics(scoring: Scoring, written: readonly Ids[], prompts: readonly Latent[]): Promise<number[][]> {
  const { space } = scoring.options;
  const { span } = space.shape;
  const cut = written.map((ids) =>
    Array.from({ length: Math.ceil(ids.length / span) }, (_, i) => ids.slice(i * span, (i + 1) * span)),
  );
  const zs = await scoring.means(cut.flat());
  let at = 0;
  return cut.map((spans, run) => {
    const own = spans.map((ids) => ({ z: zs[at++]!, weight: ids.length }));
    const similarity = (prompt: Latent) =>
      own.reduce((sum, { z, weight }) => sum + weight * space.similarity(z, prompt), 0);
    const others = Array.from(
      { length: Math.min(PROSE_PROMPTS, prompts.length) - 1 },
      (_, k) => prompts[(run + 1 + k) % prompts.length]!,
    );
    const isKept = own.length > 0 && others.every((other) => similarity(other) < similarity(prompts[run]!));
    return [isKept ? 1 : 0, 1];
  });
}
