/**
 * Trains a byte-level BPE: repeatedly the most frequent pair of neighbouring tokens becomes a token.
 * The same merges in the same order as Hugging Face's BpeTrainer (tokenizers, models/bpe/trainer.rs).
 */
import { BigVaeError } from "../errors.js";
import { characterOfByte } from "./byteLevel.js";
import { PairQueue } from "./pairQueue.js";
import { splitWords } from "./words.js";

export interface TrainBpeOptions {
  /** Tokens in all: special ones, 256 bytes and merges. Fewer come out where the texts hold no more pairs. */
  readonly vocabSize: number;
  /** They get the first ids, in this order. */
  readonly specialTokens: readonly string[];
}

/** How often each word occurs in the texts that were added: all that training keeps of them. */
export class WordCounts {
  readonly counts = new Map<string, number>();
  /** Texts that were added. */
  texts = 0;

  static of(texts: Iterable<string>): WordCounts {
    const words = new WordCounts();
    for (const text of texts) words.add(text);
    return words;
  }

  add(text: string): void {
    this.texts++;
    for (const word of splitWords(text)) {
      const count = this.counts.get(word);
      if (count === undefined) this.counts.set(copyOf(word), 1);
      else this.counts.set(word, count + 1);
    }
  }
}

/** The word by itself: a piece that was cut from a text keeps that text in memory. */
function copyOf(word: string): string {
  return JSON.parse(JSON.stringify(word));
}

/**
 * A tokenizer.json trained on the words of texts.
 * @throws BigVaeError("usage") where `vocabSize` has no room for the bytes and special tokens.
 */
export function trainBpe({ counts }: WordCounts, { vocabSize, specialTokens }: TrainBpeOptions): object {
  const least = 256 + new Set(specialTokens).size;
  if (!Number.isSafeInteger(vocabSize) || vocabSize < least)
    throw new BigVaeError("usage", {
      subject: "`vocabSize`",
      expected: `a whole number of at least ${least}, which bytes and special tokens take`,
      got: vocabSize,
      remedy: "give a larger one",
    });
  const alphabet = [...characterOfByte].sort();
  const tokens = [...new Set([...specialTokens, ...alphabet])];
  const merges = learnMerges(counts, tokens, vocabSize);
  return tokenizerJson(tokens, merges, specialTokens);
}

/** Learns merges and appends their tokens to `tokens`. */
function learnMerges(counts: ReadonlyMap<string, number>, tokens: string[], vocabSize: number): [string, string][] {
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const corpus = new Corpus(counts, idOf, vocabSize);
  const merges: [string, string][] = [];
  while (tokens.length < vocabSize) {
    const pair = corpus.mostFrequentPair();
    if (!pair) break;
    const [first, second] = [tokens[pair[0]]!, tokens[pair[1]]!];
    // Two merges may spell the same token; then the second adds none.
    let id = idOf.get(first + second);
    if (id === undefined) {
      id = tokens.push(first + second) - 1;
      idOf.set(first + second, id);
    }
    merges.push([first, second]);
    corpus.merge(pair[0], pair[1], id);
  }
  return merges;
}

/** The distinct words as ids, and how often each pair of neighbours occurs. */
class Corpus {
  readonly #words: number[][] = [];
  readonly #counts: number[] = [];
  readonly #pairCounts = new Map<number, number>();
  /** Words that hold a pair, or once did. */
  readonly #places = new Map<number, Set<number>>();
  readonly #queue = new PairQueue();

  constructor(
    counts: ReadonlyMap<string, number>,
    idOf: ReadonlyMap<string, number>,
    /** Above every id: a pair is the number first * vocabSize + second, so that pairs compare as upstream's. */
    readonly vocabSize: number,
  ) {
    const idOfByte = characterOfByte.map((character) => idOf.get(character)!);
    const encoder = new TextEncoder();
    for (const [word, count] of counts) {
      const ids = Array.from(encoder.encode(word), (byte) => idOfByte[byte]!);
      const place = this.#words.push(ids) - 1;
      this.#counts.push(count);
      for (let i = 1; i < ids.length; i++) this.#change(ids[i - 1]!, ids[i]!, count, place);
    }
    for (const [pair, count] of this.#pairCounts) this.#queue.push(pair, count);
  }

  mostFrequentPair(): [number, number] | undefined {
    const queue = this.#queue;
    while (queue.pop()) {
      const count = this.#pairCounts.get(queue.pair)!;
      if (count === queue.count) return [Math.floor(queue.pair / this.vocabSize), queue.pair % this.vocabSize];
      if (count > 0) queue.push(queue.pair, count);
    }
    return undefined;
  }

  merge(first: number, second: number, merged: number): void {
    const pair = first * this.vocabSize + second;
    const places = this.#places.get(pair)!;
    this.#places.delete(pair);
    const grown = new Set<number>();
    for (const place of places) this.#mergeWord(place, first, second, merged, grown);
    for (const pair of grown) {
      const count = this.#pairCounts.get(pair)!;
      if (count > 0) this.#queue.push(pair, count);
    }
  }

  #mergeWord(place: number, first: number, second: number, merged: number, grown: Set<number>): void {
    const word = this.#words[place]!;
    const count = this.#counts[place]!;
    let to = 0;
    for (let from = 0; from < word.length; from++) {
      if (word[from] !== first || from + 1 >= word.length || word[from + 1] !== second) {
        word[to++] = word[from]!;
        continue;
      }
      if (to > 0) {
        this.#change(word[to - 1]!, first, -count);
        grown.add(this.#change(word[to - 1]!, merged, count, place));
      }
      word[to++] = merged;
      from++;
      if (from + 1 < word.length) {
        this.#change(second, word[from + 1]!, -count);
        grown.add(this.#change(merged, word[from + 1]!, count, place));
      }
    }
    word.length = to;
  }

  /** Adds to a pair's count and returns the pair. */
  #change(first: number, second: number, by: number, place?: number): number {
    const pair = first * this.vocabSize + second;
    this.#pairCounts.set(pair, (this.#pairCounts.get(pair) ?? 0) + by);
    if (place === undefined) return pair;
    const places = this.#places.get(pair);
    if (places) places.add(place);
    else this.#places.set(pair, new Set([place]));
    return pair;
  }
}

function tokenizerJson(tokens: string[], merges: [string, string][], specialTokens: readonly string[]): object {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [...new Set(specialTokens)].map((content, id) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(tokens.map((token, id) => [token, id])),
      merges,
    },
  };
}
