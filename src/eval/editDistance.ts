/** Edit distance of token sequences. */
import { distance } from "fastest-levenshtein";

/** Insertions, deletions and replacements of tokens that turn one sequence into the other (Levenshtein 1965). */
export function tokenEditDistance(a: readonly number[], b: readonly number[]): number {
  // The package compares UTF-16 code units: the pair's ids are numbered afresh, so that vocabularies beyond 2^16 fit.
  const codes = new Map<number, number>();
  const asString = (ids: readonly number[]) => {
    let text = "";
    for (const id of ids) {
      let code = codes.get(id);
      if (code === undefined) codes.set(id, (code = codes.size));
      text += String.fromCharCode(code);
    }
    return text;
  };
  return distance(asString(a), asString(b));
}

/** 1 - distance / length of the longer sequence: 1 for equal ones, 0 where nothing is kept. Two empty ones are equal. */
export function editSimilarity(a: readonly number[], b: readonly number[]): number {
  const longest = Math.max(a.length, b.length);
  return longest === 0 ? 1 : 1 - tokenEditDistance(a, b) / longest;
}
