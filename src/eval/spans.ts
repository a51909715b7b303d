/** Texts cut into spans, the unit of the measures. */
import { BigVaeError } from "../errors.js";
import type { Latent, Posterior } from "../latent/index.js";
import type { Rng } from "../rng.js";
import type { Scoring } from "./scoring.js";

/** Consecutive tokens of a text, with the posterior of their z. */
export interface Span extends Posterior {
  /** Which text it is from. */
  text: number;
  ids: readonly number[];
}

/** Consecutive spans of `length` tokens of each text; shorter tails are dropped. Throws "usage" where fewer than two are left. */
export async function cutSpans(
  scoring: Scoring,
  texts: readonly (readonly number[])[],
  length: number,
): Promise<Span[]> {
  const cut = texts.flatMap((ids, text) =>
    Array.from({ length: Math.floor(ids.length / length) }, (_, i) => ({
      text,
      ids: ids.slice(i * length, (i + 1) * length),
    })),
  );
  if (cut.length < 2) {
    throw new BigVaeError("usage", {
      subject: "eval",
      expected: `texts with at least two spans of ${length} tokens`,
      got: cut.length,
      remedy: "give more or longer texts",
    });
  }
  const posteriors = await scoring.posteriors(cut.map(({ ids }) => ids));
  return cut.map((span, i) => ({ ...span, ...posteriors[i]! }));
}

/** Sums of the values of spans, or of other parts, over each text that has any: what `bootstrap` resamples. */
export function sumsByText(parts: readonly { text: number }[], values: readonly (readonly number[])[]): number[][] {
  const sums = new Map<number, number[]>();
  for (const [i, { text }] of parts.entries()) {
    const sum = sums.get(text);
    sums.set(text, sum ? sum.map((value, k) => value + values[i]![k]!) : [...values[i]!]);
  }
  return [...sums.values()];
}

/** For each span the mean of another span: a random cyclic permutation. */
export function shuffledLatents(spans: readonly Span[], rng: Rng): Latent[] {
  const order = rng.permutation(spans.length);
  const shuffled: Latent[] = [];
  for (const [k, i] of order.entries()) shuffled[i] = spans[order[(k + 1) % order.length]!]!.mean;
  return shuffled;
}
