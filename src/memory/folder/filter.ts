/** A filter as a condition of SQL on the table `records`. */
import { wordsQuery } from "../../formats/database.js";
import { checkedNumber, noWords } from "../checkQuery.js";
import type { MemoryFilter } from "../types.js";

/** A condition, and the values of its question marks. */
export interface Condition {
  sql: string;
  values: (string | number)[];
}

/** Parts of the condition, by the field of the filter that asks for them. */
const PARTS: { [F in Exclude<keyof MemoryFilter, "tags" | "words">]-?: string } = {
  after: "time >= ?",
  before: "time < ?",
  minScore: "score >= ?",
  maxScore: "score <= ?",
};

/** The condition; undefined where every record fits. Throws "usage" for a number that is none, and for words that are none. */
export function conditionOf({ tags = [], words, ...bounds }: MemoryFilter): Condition | undefined {
  const parts = tags.map((tag) => part("id IN (SELECT record FROM tags WHERE tag = ?)", tag));
  if (words !== undefined)
    parts.push(part("id IN (SELECT rowid FROM texts WHERE texts MATCH ?)", wordsQuery(words, "all") ?? noWords(words)));
  for (const field of Object.keys(PARTS) as (keyof typeof PARTS)[]) {
    const bound = bounds[field];
    if (bound !== undefined) parts.push(part(PARTS[field], checkedNumber(field, bound)));
  }
  if (parts.length === 0) return undefined;
  return { sql: parts.map(({ sql }) => sql).join(" AND "), values: parts.flatMap(({ values }) => values) };
}

function part(sql: string, value: string | number): Condition {
  return { sql, values: [value] };
}
