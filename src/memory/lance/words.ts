/** Words of texts, as a memory in a database finds them: cut and ranked as SQLite's full-text search does in a folder. */

/** Words of a text in lower case without accents, each between two spaces. */
export function wordsOf(text: string): string {
  return ` ${wordList(text).join(" ")} `;
}

export function wordList(text: string): string[] {
  const plain = text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Constants of BM25, as FTS5 has them. */
const [K1, B] = [1.2, 0.75];
const LEAST_WEIGHT = 1e-6;

/** BM25 of texts for some words: `texts` are all that have any of them, of `count` texts with `average` words each. The best first. */
export function rank(
  words: readonly string[],
  texts: readonly { id: number; words: string }[],
  { count, average }: { count: number; average: number },
): { id: number; relevance: number }[] {
  const counted = texts.map(({ id, words: text }) => {
    const own = text.trim().split(" ");
    return { id, length: own.length, times: words.map((word) => own.filter((other) => other === word).length) };
  });
  const weights = words.map((_, i) => {
    const having = counted.filter(({ times }) => times[i]! > 0).length;
    return Math.max(LEAST_WEIGHT, Math.log((count - having + 0.5) / (having + 0.5)));
  });
  const ranked = counted.map(({ id, length, times }) => ({
    id,
    relevance: times.reduce(
      (sum, n, i) => sum + (weights[i]! * n * (K1 + 1)) / (n + K1 * (1 - B + (B * length) / average)),
      0,
    ),
  }));
  return ranked.sort((a, b) => b.relevance - a.relevance || a.id - b.id);
}
