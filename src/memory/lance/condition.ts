/** Filters and lists of ids as conditions of SQL, as LanceDB reads them. */
import { checkedNumber, noWords } from "../checkQuery.js";
import type { MemoryFilter } from "../types.js";
import { wordList } from "./words.js";

const BOUNDS = { after: "time >=", before: "time <", minScore: "score >=", maxScore: "score <=" } as const;

/** The condition; undefined where every record fits. Throws "usage" for a number that is none, and for words that are none. */
export function conditionOf({ tags = [], words, ...bounds }: MemoryFilter): string | undefined {
  const parts = tags.map((tag) => contains("tags", tagLine(tag)));
  if (words !== undefined) {
    const list = wordList(words);
    if (list.length === 0) noWords(words);
    parts.push(...list.map((word) => contains("words", ` ${word}`)));
  }
  for (const field of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) {
    const bound = bounds[field];
    if (bound !== undefined) parts.push(`${BOUNDS[field]} ${checkedNumber(field, bound)}`);
  }
  return parts.length === 0 ? undefined : parts.join(" AND ");
}

/** Texts with any of the words. */
export function withAny(words: readonly string[]): string {
  return words.map((word) => contains("words", ` ${word} `)).join(" OR ");
}

export function ofIds(ids: readonly number[]): string {
  return `id IN (${ids.join(", ")})`;
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Tags as a column keeps them: each in quotes on a line of its own, so that a line is one tag and nothing else is. */
export function tagLines(tags: readonly string[]): string {
  return `\n${tags.map((tag) => `${JSON.stringify(tag)}\n`).join("")}`;
}

export function tagsOf(lines: string): string[] {
  return lines
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as string);
}

function tagLine(tag: string): string {
  return `\n${JSON.stringify(tag)}\n`;
}

function contains(column: string, text: string): string {
  return `contains(${column}, ${quoted(text)})`;
}
