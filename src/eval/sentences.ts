/** Single sentences: are they rebuilt exactly, with their end in the right place? */
import { splitSentences } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { editSimilarity } from "./editDistance.js";
import { Scoring, type ScoringOptions } from "./scoring.js";
import { sumsByText } from "./spans.js";

export interface SentenceOptions extends ScoringOptions {
  texts: readonly string[];
  rng: Rng;
}

/** From the mean of the posterior, greedily, ended by the end token. Intervals are over texts; over sentences where there is one text. */
export interface SentenceReport {
  sentences: number;
  /** Share that comes back as it was. */
  exactMatch: Estimate;
  /** 1 - token edit distance / length of the longer one, mean over sentences. */
  editSimilarity: Estimate;
  /** The first that did not come back as they were, at most 100. */
  failures: { text: string; rebuilt: string }[];
}

/** A sentence of a text. */
export interface Sentence {
  /** Which text it is from. */
  text: number;
  sentence: string;
  ids: readonly number[];
}

/** Tokens of a sentence at most. */
export const LONGEST_SENTENCE = 32;
const FAILURES = 100;

/** The texts' sentences of up to 32 tokens. @throws BigVaeError: "usage" where there are none, "mismatch" without an end token. */
export function cutSentences({ tokenizer }: Pick<ScoringOptions, "tokenizer">, texts: readonly string[]): Sentence[] {
  if (tokenizer.eosId === undefined)
    throw new BigVaeError("mismatch", {
      subject: "eval",
      expected: "a tokenizer with an end token, which ends a sentence",
      got: "one without",
      remedy: "name eos_token in tokenizer_config.json",
    });
  const sentences = texts.flatMap((whole, text) =>
    splitSentences(whole)
      .map((sentence) => ({ text, sentence, ids: tokenizer.encode(sentence) }))
      .filter(({ ids }) => ids.length <= LONGEST_SENTENCE),
  );
  if (sentences.length > 0) return sentences;
  throw new BigVaeError("usage", {
    subject: "eval",
    expected: `sentences of up to ${LONGEST_SENTENCE} tokens`,
    got: "none",
    remedy: "give other texts",
  });
}

/** Rebuilds the sentences of the texts. @throws BigVaeError: as `cutSentences`. */
export async function evaluateSentences(options: SentenceOptions): Promise<SentenceReport> {
  const { texts, rng } = options;
  const sentences = cutSentences(options, texts);
  const scoring = new Scoring(options);
  const means = await scoring.means(sentences.map(({ ids }) => ids));
  const written = await scoring.writeTexts(means, LONGEST_SENTENCE + 1);
  const rebuilt = written.map((ids) => scoring.text(ids));
  const isExact = sentences.map(({ sentence }, i) => rebuilt[i] === sentence);
  const similarities = sentences.map(({ ids }, i) => editSimilarity(scoring.withoutEnd(written[i]!), ids));
  const isOneText = sentences.every(({ text }) => text === sentences[0]!.text);
  const units = isOneText ? sentences.map((_, i) => ({ text: i })) : sentences;
  const mean = (values: readonly number[]) => {
    const sums = sumsByText(
      units,
      values.map((value) => [value, 1]),
    );
    return bootstrap(sums, ratio, rng.fork("bootstrap"));
  };
  const failures = sentences
    .map(({ sentence }, i) => ({ text: sentence, rebuilt: rebuilt[i]! }))
    .filter((_, i) => !isExact[i]);
  return {
    sentences: sentences.length,
    exactMatch: mean(isExact.map(Number)),
    editSimilarity: mean(similarities),
    failures: failures.slice(0, FAILURES),
  };
}
