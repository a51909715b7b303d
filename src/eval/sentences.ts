/** Single sentences: rebuilt without a mistake, and ended where they end? */
import { splitSentences } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";
import { bootstrap, type Estimate, ratio } from "./bootstrap.js";
import { Scoring, type ScoringOptions } from "./scoring.js";

export interface SentenceOptions extends ScoringOptions {
  texts: readonly string[];
  rng: Rng;
}

/** Intervals are over texts. */
export interface SentenceReport {
  sentences: number;
  /** Share that comes back as it was, from the mean of its posterior, greedily, ended by the end token. */
  exactMatch: Estimate;
}

/** Tokens of a sentence at most. */
const LONGEST = 32;

/** Rebuilds the sentences of the texts. @throws BigVaeError: "usage" where there are none, "mismatch" without an end token. */
export async function evaluateSentences(options: SentenceOptions): Promise<SentenceReport> {
  const { texts, tokenizer, rng } = options;
  if (tokenizer.eosId === undefined)
    throw new BigVaeError(
      "mismatch",
      "eval: expected a tokenizer with an end token, which ends a sentence, got one without; name eos_token in tokenizer_config.json",
    );
  const sentences = texts.flatMap((text, of) =>
    splitSentences(text)
      .map((sentence) => ({ of, sentence, ids: tokenizer.encode(sentence) }))
      .filter(({ ids }) => ids.length <= LONGEST),
  );
  if (sentences.length === 0)
    throw new BigVaeError("usage", `eval: expected sentences of up to ${LONGEST} tokens, got none; give other texts`);
  const scoring = new Scoring(options);
  const means = await scoring.means(sentences.map(({ ids }) => ids));
  const written = await scoring.write(means, LONGEST + 1, tokenizer.eosId);
  const sums = texts.map(() => [0, 0]);
  for (const [i, { of, sentence }] of sentences.entries()) {
    sums[of]![0]! += scoring.text(written[i]!) === sentence ? 1 : 0;
    sums[of]![1]! += 1;
  }
  const counted = sums.filter(([, count]) => count! > 0);
  return { sentences: sentences.length, exactMatch: bootstrap(counted, ratio, rng.fork("bootstrap")) };
}
