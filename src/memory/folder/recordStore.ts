/** The records of a memory in their SQLite file: every one is checked when it is read. */
import type { BigVaeError } from "../../errors.js";
import { type Database, type Row, type SqlValue, textOf, textValue, wordsQuery } from "../../formats/database.js";
import { noWords } from "../checkQuery.js";
import { bytesOf, factChecksum, latentsChecksum, recordChecksum } from "../checksums.js";
import { damagedFact, damagedRecord, noRecord, storeError } from "../problems.js";
import type { MemoryRecord, RecordLatents, WholeRecord } from "../types.js";
import type { Condition } from "./filter.js";

const RECORD = "SELECT id, time, score, CAST(text AS BLOB) AS text, tokens, tags, checksum FROM records WHERE id = ?";

/** The fact that says the newest id. */
const LAST = "last id";

/** The facts of the memory itself. */
const OWN_FACTS = /^(version|space|last id|index \w+)$/;

export class RecordStore {
  constructor(readonly database: Database) {}

  /** Of the file, for errors. */
  get path(): string {
    return this.database.path;
  }

  /** Adds records as one change; returns their ids. A record that has an id keeps it. */
  add(records: readonly WholeRecord[]): number[] {
    return this.together(() => {
      const record = this.database.prepare(
        "INSERT INTO records (id, time, score, text, tokens, tags, checksum) VALUES (?, ?, ?, CAST(? AS TEXT), ?, ?, ?)",
      );
      const latents = this.database.prepare("INSERT INTO latents VALUES (?, ?, ?, ?)");
      const tagged = this.database.prepare("INSERT INTO tags VALUES (?, ?)");
      try {
        let last = this.last();
        const added = records.map(({ id: own, time, score, text, ids, tags, z, contextZ }) => {
          const id = own ?? last + 1;
          last = Math.max(last, id);
          const columns = {
            id,
            time,
            score: score ?? null,
            text,
            tokens: bytesOf(Int32Array.from(ids)),
            tags: JSON.stringify(tags),
          };
          record.run([...Object.values({ ...columns, text: textValue(text) }), recordChecksum(columns)]);
          const [ofZ, ofContext] = [bytesOf(z), contextZ ? bytesOf(contextZ) : null];
          latents.run([id, ofZ, ofContext, latentsChecksum(id, ofZ, ofContext)]);
          for (const tag of tags) tagged.run([tag, id]);
          return id;
        });
        this.reserve(last);
        return added;
      } finally {
        for (const statement of [record, latents, tagged]) statement.finalize();
      }
    });
  }

  /** The id of the newest record that there ever was; 0 where there was none. */
  last(): number {
    return Number(this.fact(LAST) ?? raise(damagedFact(this.path, LAST)));
  }

  /** Whether nothing was ever kept here. */
  isNew(): boolean {
    const rows = this.all("SELECT name FROM facts WHERE name <> 'version' UNION ALL SELECT id FROM records LIMIT 1");
    return rows.length === 0;
  }

  /** New ids come behind this one. */
  reserve(last: number): void {
    this.setFact(LAST, String(last));
  }

  /** Records that there are. */
  count(): number {
    return Number(this.#get("SELECT count(*) AS n FROM records")?.n);
  }

  /** The record of that id. Throws "usage" where there is none, "format" where it is damaged or lost. */
  record(id: number): MemoryRecord {
    const row = this.#get(RECORD, [id]);
    if (!row) throw this.#missing(id);
    const { z, contextZ } = this.latents([id])[0] ?? raise(damagedRecord(this.path, id, "no latents"));
    return { ...this.#recordOf(id, row), z, ...(contextZ ? { contextZ } : {}) };
  }

  /** Latents of records, in the order of their ids; those that were deleted are left out. Throws "format" for one that is damaged or lost. */
  latents(ids: readonly number[]): RecordLatents[] {
    const rows = this.all("SELECT * FROM latents WHERE record IN (SELECT value FROM json_each(?)) ORDER BY record", [
      JSON.stringify(ids),
    ]);
    const found = new Set(rows.map(({ record }) => record));
    for (const id of ids) if (!found.has(id) && !this.isDeleted(id)) throw damagedRecord(this.path, id, "no latents");
    return rows.map((row) => this.#latentsOf(row));
  }

  /** All latents of records from one id to another, both included, as they are read. Throws "format" as `latents`. */
  *latentsBetween(first: number, last: number, step = 1024): Generator<RecordLatents[]> {
    for (let from = first; from <= last; from += step) {
      const ids = Array.from({ length: Math.min(step, last - from + 1) }, (_, i) => from + i);
      const latents = this.latents(ids);
      if (latents.length > 0) yield latents;
    }
  }

  /** Ids of all records, in ascending order. Throws "format" for a record that is lost: neither there nor deleted. */
  everyId(): number[] {
    const ids = this.ids(undefined);
    const deleted = this.all("SELECT id FROM deleted").map(({ id }) => Number(id));
    const known = [...ids, ...deleted].sort((a, b) => a - b);
    const lost = Array.from({ length: this.last() }, (_, i) => i + 1).find((id, i) => known[i] !== id);
    if (lost !== undefined || known.length > this.last())
      throw damagedRecord(this.path, lost ?? known.at(-1)!, "no record");
    return ids;
  }

  /** Ids of records that fit, in ascending order; of some of them, or of all. */
  ids(
    condition: Condition | undefined,
    { among, limit = -1 }: { among?: readonly number[]; limit?: number } = {},
  ): number[] {
    const parts = [...(condition ? [condition] : []), ...(among ? [ofIds(among)] : [])];
    const where = parts.length > 0 ? `WHERE ${parts.map(({ sql }) => sql).join(" AND ")}` : "";
    const values = [...parts.flatMap((part) => part.values), limit];
    return this.all(`SELECT id FROM records ${where} ORDER BY id LIMIT ?`, values).map(({ id }) => Number(id));
  }

  /** Ids of records with words of a text, the best first, each with its BM25 (greater is better). Throws "usage" for a text without words. */
  ofText(text: string, condition: Condition | undefined, limit: number): { id: number; relevance: number }[] {
    const query = wordsQuery(text, "any") ?? noWords(text);
    const where = condition ? `AND ${condition.sql}` : "";
    const rows = this.all(
      `SELECT records.id, found.rank FROM (SELECT rowid, rank FROM texts WHERE texts MATCH ?) AS found
       JOIN records ON records.id = found.rowid ${where} ORDER BY found.rank, records.id LIMIT ?`,
      [query, ...(condition?.values ?? []), limit],
    );
    return rows.map(({ id, rank }) => ({ id: Number(id), relevance: -Number(rank) }));
  }

  /** Deletes records as one change. Throws "usage" for an id that there is none of. */
  delete(ids: readonly number[]): void {
    this.together(() => {
      for (const id of ids) {
        if (this.all("DELETE FROM records WHERE id = ? RETURNING id", [id]).length === 0) throw this.#missing(id);
        this.#run("DELETE FROM latents WHERE record = ?", [id]);
        this.#run("DELETE FROM tags WHERE record = ?", [id]);
        this.forget(id);
      }
    });
  }

  /** Says of an id that its record is gone for good. */
  forget(id: number): void {
    this.#run("INSERT OR IGNORE INTO deleted VALUES (?)", [id]);
  }

  isDeleted(id: number): boolean {
    return this.#get("SELECT id FROM deleted WHERE id = ?", [id]) !== undefined;
  }

  /** A fact by its name; undefined where there is none. Throws "format" where it is damaged. */
  fact(name: string): string | undefined {
    const row = this.#get("SELECT CAST(value AS BLOB) AS value, checksum FROM facts WHERE name = ?", [name]);
    if (row === undefined) return undefined;
    const value = textOf(row.value);
    if (row.checksum !== factChecksum(name, value)) throw damagedFact(this.path, name);
    return value;
  }

  setFact(name: string, value: string): void {
    this.#run("INSERT OR REPLACE INTO facts VALUES (?, CAST(? AS TEXT), ?)", [
      ...[name, textValue(value)],
      factChecksum(name, value),
    ]);
  }

  /** Names of the facts that were noted, or whose names are damaged. */
  notes(): string[] {
    const names = this.all("SELECT name FROM facts ORDER BY name").map(({ name }) => String(name));
    return names.filter((name) => !OWN_FACTS.test(name));
  }

  /** Runs some changes as one: all of them are kept, or none. */
  together<T>(work: () => T): T {
    return this.#guard(() => this.database.together(work));
  }

  /** Rows of a query. */
  all(sql: string, values: readonly SqlValue[] = []): Row[] {
    return this.#guard(() => this.database.all(sql, values));
  }

  #get(sql: string, values: readonly SqlValue[] = []): Row | undefined {
    return this.#guard(() => this.database.get(sql, values));
  }

  #run(sql: string, values: readonly SqlValue[]): void {
    this.#guard(() => this.database.run(sql, values));
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeError(this.path, error);
    }
  }

  #missing(id: number): BigVaeError {
    if (id >= 1 && id <= this.last() && !this.isDeleted(id)) return damagedRecord(this.path, id, "no record");
    return noRecord(id);
  }

  #recordOf(id: number, row: Row): Omit<MemoryRecord, "z" | "contextZ"> {
    const { time, score, tokens, tags, checksum } = row;
    const text = textOf(row.text);
    const isWhole =
      row.id === id &&
      typeof time === "number" &&
      (score === null || typeof score === "number") &&
      tokens instanceof Uint8Array &&
      typeof tags === "string" &&
      checksum === recordChecksum({ id, time, score, text, tokens, tags });
    if (!isWhole) throw damagedRecord(this.path, id, "another checksum");
    const ids = Array.from(new Int32Array(tokens.slice().buffer));
    return { id, text, ids, ...(score === null ? {} : { score }), tags: JSON.parse(tags) as string[], time };
  }

  #latentsOf({ record, z, context, checksum }: Row): RecordLatents {
    const id = Number(record);
    const isWhole =
      z instanceof Uint8Array &&
      (context === null || context instanceof Uint8Array) &&
      checksum === latentsChecksum(id, z, context);
    if (!isWhole) throw damagedRecord(this.path, id, "another checksum");
    return { id, z: floatsOf(z), ...(context ? { contextZ: floatsOf(context) } : {}) };
  }
}

function ofIds(ids: readonly number[]): Condition {
  return { sql: "id IN (SELECT value FROM json_each(?))", values: [JSON.stringify(ids)] };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

function raise(error: BigVaeError): never {
  throw error;
}
