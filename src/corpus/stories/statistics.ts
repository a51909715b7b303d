/** What a run of stories is like: size, entropy, words, patterns, labels, and how much of it was said before. */
import type { Factors } from "./factors.js";
import { tracedStory } from "./story.js";

export interface StoryStatistics {
  stories: number;
  bytes: number;
  words: number;
  /** The generator's own code length over the bytes of text. */
  bitsPerByte: number;
  distinctWords: number;
  distinctPatterns: number;
  /** How often the rarest pattern and the rarest word were used. */
  rarestPattern: number;
  rarestWord: number;
  /** Share of stories with a fifth or more of their 8-grams of words in earlier stories of the run. */
  repeatShare: number;
  /** The mean share of 8-grams of words seen in earlier stories. */
  meanSeen: number;
  /** Shares of repeats by kind. */
  repeatShareByKind: Record<string, number>;
  bitsPerByteByKind: Record<string, number>;
  labels: Record<keyof Factors, Record<string, number>>;
}

const GRAM = 8;
const REPEAT = 0.2;

interface KindCount {
  stories: number;
  repeats: number;
  bits: number;
  bytes: number;
}

/** Statistics of the stories 0 to `count` - 1 of the run `seed`. */
export function storyStatistics(seed: number, count: number, start = 0): StoryStatistics {
  const words = new Map<string, number>();
  const patterns = new Map<string, number>();
  const labels: StoryStatistics["labels"] = { who: {}, where: {}, what: {}, feeling: {}, outcome: {}, kind: {} };
  const kinds = new Map<string, KindCount>();
  const seen = new Set<number>();
  let seenSum = 0;
  for (let index = start; index < start + count; index++) {
    const { story, patterns: used } = tracedStory(seed, index);
    const storyWords = story.text.toLowerCase().match(/[a-z']+/g) ?? [];
    for (const word of storyWords) tally(words, word);
    for (const pattern of used) tally(patterns, pattern);
    for (const [factor, value] of Object.entries(story.factors)) {
      const counts = labels[factor as keyof Factors];
      counts[value] = (counts[value] ?? 0) + 1;
    }
    const share = shareSeen(storyWords, seen);
    seenSum += share;
    const kind = kinds.get(story.kind) ?? { stories: 0, repeats: 0, bits: 0, bytes: 0 };
    kinds.set(story.kind, kind);
    kind.stories++;
    kind.repeats += share >= REPEAT ? 1 : 0;
    kind.bits += story.bits;
    kind.bytes += story.text.length; // ASCII: a letter is a byte
  }
  return { stories: count, labels, meanSeen: seenSum / count, ...countTables(words, patterns), ...countKinds(kinds) };
}

function countTables(words: ReadonlyMap<string, number>, patterns: ReadonlyMap<string, number>) {
  return {
    words: sum([...words.values()]),
    distinctWords: words.size,
    distinctPatterns: patterns.size,
    rarestWord: Math.min(...words.values()),
    rarestPattern: Math.min(...patterns.values()),
  };
}

function countKinds(kinds: ReadonlyMap<string, KindCount>) {
  const total = (field: keyof KindCount) => sum([...kinds.values()].map((kind) => kind[field]));
  return {
    bytes: total("bytes"),
    bitsPerByte: total("bits") / total("bytes"),
    repeatShare: total("repeats") / total("stories"),
    repeatShareByKind: Object.fromEntries([...kinds].map(([name, kind]) => [name, kind.repeats / kind.stories])),
    bitsPerByteByKind: Object.fromEntries([...kinds].map(([name, kind]) => [name, kind.bits / kind.bytes])),
  };
}

/** The share of a story's distinct 8-grams that earlier stories had; then adds its own. */
function shareSeen(words: readonly string[], seen: Set<number>): number {
  const grams = new Set<number>();
  for (let i = 0; i + GRAM <= words.length; i++) grams.add(hash(words, i));
  let repeated = 0;
  for (const gram of grams) repeated += seen.has(gram) ? 1 : 0;
  for (const gram of grams) seen.add(gram);
  return grams.size === 0 ? 0 : repeated / grams.size;
}

/** FNV-1a over the letters of eight words, to 30 bits: small integers keep the set small. */
function hash(words: readonly string[], start: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < start + GRAM; i++) {
    const word = words[i]!;
    for (let j = 0; j < word.length; j++) h = Math.imul(h ^ word.charCodeAt(j), 0x01000193);
    h = Math.imul(h ^ 32, 0x01000193);
  }
  h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 2;
}

function tally(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
