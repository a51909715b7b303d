/** Sentences of the minimal-pair grammar with their labels, drawn at random. */
import { type Factors, factorSentence, factorValues } from "../corpus/stories/index.js";
import { THINGS } from "../corpus/stories/lexicon/objects.js";
import { TURNS } from "../corpus/stories/patterns/outcomes.js";
import type { Rng } from "../rng.js";

/** The factors that a sentence shows. */
export type SentenceFactors = Omit<Factors, "kind">;
export type FactorName = keyof SentenceFactors;

/** The values that a sentence can show: only objects have a fate that is told in one word. */
export const SENTENCE_VALUES: Readonly<Record<FactorName, readonly string[]>> = {
  who: factorValues.who,
  where: factorValues.where,
  what: THINGS.map((thing) => thing.word),
  feeling: factorValues.feeling,
  outcome: Object.keys(TURNS),
};

export const FACTOR_NAMES = Object.keys(SENTENCE_VALUES) as FactorName[];

export interface LabelledSentence {
  text: string;
  factors: SentenceFactors;
  form: number;
}

/** Each factor drawn uniformly from its values. */
export function drawFactors(rng: Rng): SentenceFactors {
  const drawn = FACTOR_NAMES.map((name) => [name, rng.pick(SENTENCE_VALUES[name])]);
  return Object.fromEntries(drawn) as Record<FactorName, string>;
}

export function labelledSentence(factors: SentenceFactors, form: number): LabelledSentence {
  return { text: factorSentence(factors, form), factors, form };
}
