/** Words of a text, and statistics of prose. */
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";

/** Function words: articles, pronouns, prepositions, conjunctions, auxiliaries. */
const FUNCTION_WORDS = new Set(
  `a about above after again against all also am an and any are as at away back be because been before behind being below
  beside between both but by can could did do does down each else even ever every few for from had has have he her here
  hers herself him himself his how i if in inside into is it its itself just like may me might more most must my near
  never no nor not now of off on once one only onto or other our out outside over own said she should so some soon still
  such than that the their them then there these they this those through to too toward towards under until up upon us very
  was we were what when where which while who whom whose why will with without would yes yet you your`.split(/\s+/),
);

/** Lower-case words; an apostrophe within belongs to its word. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\p{L}+(?:['’]\p{L}+)*/gu) ?? [];
}

/** Distinct words that are not function words. */
export function contentWords(text: string): Set<string> {
  return new Set(wordsOf(text).filter((word) => !FUNCTION_WORDS.has(word)));
}

/** Whether the text holds the word or phrase, as whole words. */
export function holdsPhrase(text: string, phrase: string): boolean {
  return ` ${wordsOf(text).join(" ")} `.includes(` ${wordsOf(phrase).join(" ")} `);
}

export interface ProseMeasures {
  texts: number;
  /** Share of words that the word list has. */
  knownWords: Estimate;
  /** Share of 4-grams of words that stood in the same text before. */
  repeatedGrams: Estimate;
}

const GRAM = 4;

/** How much of written text is words, and how much of it repeats itself; pooled over texts. */
export function proseMeasures(texts: readonly string[], known: ReadonlySet<string>, rng: Rng): ProseMeasures {
  const estimate = (values: readonly (readonly number[])[]) => bootstrap(values, ratio, rng.fork("bootstrap"));
  return {
    texts: texts.length,
    knownWords: estimate(
      texts.map(wordsOf).map((list) => [list.filter((word) => known.has(word)).length, list.length]),
    ),
    repeatedGrams: estimate(
      texts.map((text) => {
        const grams = gramsOf(text);
        return [grams.length - new Set(grams).size, grams.length];
      }),
    ),
  };
}

/** 4-grams of the words of a text. */
export function gramsOf(text: string): string[] {
  const words = wordsOf(text);
  return Array.from({ length: Math.max(0, words.length - GRAM + 1) }, (_, i) => words.slice(i, i + GRAM).join(" "));
}
