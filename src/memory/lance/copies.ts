/**
 * Records that are there twice. Where the answer to an append gets lost, it is sent again, and LanceDB takes the first one for another process's: it
 * appends the same rows behind it.
 */
import { ofIds } from "./condition.js";
import { type LanceDatabase, rowsOf } from "./database.js";
import type { Row } from "./rows.js";

/** Rows that are deleted by their places at once. */
const PLACES = 4096;

const WHAT_IT_IS = ["id", "checksum", "latents_checksum"];

/** Whether two rows are of one record. */
export function sameRecord(row: Row, other: Row): boolean {
  return WHAT_IT_IS.every((column) => row[column] === other[column]);
}

/** Of each record that is there several times, of those that fit, leaves one. */
export async function dropCopies({ records }: LanceDatabase, condition?: string): Promise<void> {
  const query = records.query().select(WHAT_IT_IS).withRowId();
  if (condition !== undefined) query.where(condition);
  const kept = new Set<string>();
  const copies: bigint[] = [];
  for (const row of await rowsOf(query)) {
    const record = WHAT_IT_IS.map((column) => String(row[column])).join(" ");
    if (kept.has(record)) copies.push(row._rowid as bigint);
    kept.add(record);
  }
  for (let from = 0; from < copies.length; from += PLACES)
    await records.delete(atPlaces(copies.slice(from, from + PLACES)));
}

/** The condition that one row fits for each of the ids, and which ids have no other. Of several rows it is the one that `record` gives. */
export async function oneOfEach(
  { records }: LanceDatabase,
  ids: readonly number[],
): Promise<{ condition: string; gone: number[] }> {
  const query = records.query().where(ofIds(ids)).select(["id"]).withRowId();
  const places = new Map<number, bigint[]>();
  for (const row of await rowsOf(query)) {
    const id = Number(row.id);
    places.set(id, [...(places.get(id) ?? []), row._rowid as bigint]);
  }
  const several = Array.from(places.values()).filter((rows) => rows.length > 1);
  if (several.length === 0) return { condition: ofIds(ids), gone: [...ids] };
  const gone = ids.filter((id) => (places.get(id)?.length ?? 0) <= 1);
  const alone = gone.length === 0 ? [] : [ofIds(gone)];
  return { condition: [...alone, atPlaces(several.map((rows) => rows.at(-1)!))].join(" OR "), gone };
}

function atPlaces(places: readonly bigint[]): string {
  return `_rowid IN (${places.join(", ")})`;
}
