/** TF-IDF (Salton & Buckley 1988): texts by their words, rare words weighing more. The control for search by latents. */
import { wordsOf } from "./words.js";

interface Posting {
  text: number;
  /** The word's share of the text's vector, of norm 1. */
  weight: number;
}

export class TfIdf {
  /** By word, the texts that have it. */
  readonly #postings = new Map<string, Posting[]>();
  readonly #vectors: ReadonlyMap<string, number>[];

  /** A word weighs its count in the text times log(texts / texts with it). */
  constructor(texts: readonly string[]) {
    const counts = texts.map((text) => countsOf(wordsOf(text)));
    const textsWith = countsOf(counts.flatMap((words) => [...words.keys()]));
    this.#vectors = counts.map((words) => {
      const weights = Array.from(words, ([word, count]) => count * Math.log(texts.length / textsWith.get(word)!));
      const norm = Math.hypot(...weights);
      return new Map(Array.from(words.keys(), (word, i) => [word, norm === 0 ? 0 : weights[i]! / norm]));
    });
    for (const [text, vector] of this.#vectors.entries())
      for (const [word, weight] of vector) {
        const postings = this.#postings.get(word);
        if (postings) postings.push({ text, weight });
        else this.#postings.set(word, [{ text, weight }]);
      }
  }

  /** The cosine of one of the texts with each of them: [N]. 0 where a text has no word that another lacks. */
  similarities(of: number): Float64Array {
    const sums = new Float64Array(this.#vectors.length);
    for (const [word, weight] of this.#vectors[of]!)
      for (const posting of this.#postings.get(word)!) sums[posting.text]! += weight * posting.weight;
    return sums;
  }
}

function countsOf(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
