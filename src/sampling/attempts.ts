/** Several spans written from one latent, and which of them is kept. */
import type { Span, TokenIds, TracedLatent } from "./model.js";
import type { SamplingRun } from "./samplingRun.js";
import { latentDistance } from "./waypoints.js";

/** A span that was written on trial. */
export interface Attempt {
  span: Span;
  /** The latent of what was written. */
  z: TracedLatent;
  /** The router's log-likelihood of it from its latent, mean per token, nats. */
  likelihood: number;
}

/** What each part of a score counts. */
export const SCORE_WEIGHTS = { likelihood: 1, nearness: 4, coherence: 1 };

/**
 * Writes `count` spans from a latent behind a context, as long as it says, reads and scores them. A span that is cut off within a sentence ends with the
 * sentence before, where that leaves half of it.
 */
export async function attempts(
  run: SamplingRun,
  latent: TracedLatent,
  context: TokenIds,
  count: number,
  how: { endless: boolean; shares: readonly number[] },
): Promise<Attempt[]> {
  const nTokens = Math.max(1, Math.min(run.options.span, Math.ceil(run.space.lengthOf(latent.z))));
  const spans = (await run.trials(latent, context, nTokens, count, how)).map((span) => inSentences(run, span));
  const latents = await run.means(
    spans.map(({ ids }) => ids),
    "span",
  );
  const rows = spans.map(({ ids }) => ({ z: latent.z, target: ids }));
  const likelihoods = await run.model.score(rows, spans[0]!.written.context, run.options.signal);
  return spans.map((span, i) => ({ span, z: latents[i]!, likelihood: likelihoods[i]! }));
}

const SENTENCE_END = /[.!?]["'”’)]*\s*$/;

/** The span up to its last sentence end. As it was asked for with so many tokens, it is written alike. */
function inSentences({ model: { tokenizer } }: SamplingRun, span: Span): Span {
  const { ids } = span;
  const ends = (length: number) => SENTENCE_END.test(tokenizer.decode(ids.slice(0, length)));
  if (ids.at(-1) === tokenizer.eosId) return span;
  let length = ids.length;
  while (length > ids.length / 2 && !ends(length)) length--;
  if (!ends(length)) return span;
  return { ...span, ids: ids.slice(0, length), written: { ...span.written, nTokens: length } };
}

/**
 * likelihood * log-likelihood - nearness * distance to the goal + coherence * similarity to the span before: higher is better. Without a
 * span before there is nothing to be coherent with.
 */
export function scoreOf(
  run: SamplingRun,
  { z, likelihood }: Pick<Attempt, "z" | "likelihood">,
  goal: TracedLatent,
  before: TracedLatent | undefined,
  weights: typeof SCORE_WEIGHTS,
): number {
  const coherence = before ? run.space.similarity(before.z, z.z) : 0;
  const distance = latentDistance(run.space, z.z, goal.z);
  return weights.likelihood * likelihood - weights.nearness * distance + weights.coherence * coherence;
}

/** The first of those with the highest score. */
export function best<T>(items: readonly T[], score: (item: T) => number): T {
  const scores = items.map(score);
  return items[scores.indexOf(Math.max(...scores))]!;
}
