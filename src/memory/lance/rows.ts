/** Records as rows of Arrow, and back; every one is checked when it is read. */
import type { Schema, Table, Vector } from "apache-arrow";
import { type Latent, LatentSpace, type SpaceIdentity } from "../../latent/index.js";
import { bytesOf, factChecksum, latentsChecksum, recordChecksum } from "../checksums.js";
import { damagedRecord } from "../problems.js";
import type { MemoryRecord, RecordLatents, WholeRecord } from "../types.js";
import { tagLines, tagsOf } from "./condition.js";
import type { Library } from "./library.js";
import { wordList, wordsOf } from "./words.js";

type Arrow = Library["arrow"];

/** What a record that is not as it was written can be replaced by. */
const REMEDY = "remove the record, or go back to an older version of the database";

/** Columns that are read for the latents of a record, and for the rest of it. */
export const LATENT_COLUMNS = ["id", "z", "context", "latents_checksum"];
export const RECORD_COLUMNS = [...LATENT_COLUMNS, "time", "score", "text", "tokens", "tags", "checksum"];

/** The column that latents are searched by: their keys, which lie beside them where a latent has several slots. */
export function keyColumn({ slots }: SpaceIdentity): "z" | "key" {
  return slots === 1 ? "z" : "key";
}

/** The columns of the records. Text is kept as bytes: Arrow takes U+FEFF from the beginning of a string. */
export function recordSchema(arrow: Arrow, space: SpaceIdentity): Schema {
  const { Binary, Field, FixedSizeList, Float32, Float64, Int32, Int64, Schema, Uint32, Utf8 } = arrow;
  const latent = (width: number) => new FixedSizeList(width, new Field("item", new Float32(), true));
  const { width, shape } = new LatentSpace(space);
  return new Schema([
    new Field("id", new Int64(), false),
    new Field("time", new Float64(), false),
    new Field("score", new Float64(), true),
    new Field("text", new Binary(), false),
    new Field("tokens", new Binary(), false),
    new Field("tags", new Utf8(), false),
    new Field("checksum", new Uint32(), false),
    // The words of the text, how many there are, and which records were added with this one.
    new Field("words", new Utf8(), false),
    new Field("length", new Int32(), false),
    new Field("first", new Int64(), false),
    new Field("last", new Int64(), false),
    new Field("z", latent(width), false),
    new Field("context", new Binary(), true),
    new Field("latents_checksum", new Uint32(), false),
    ...(shape.slots === 1 ? [] : [new Field("key", latent(shape.zDim / shape.slots), false)]),
  ]);
}

/** Records under the ids from `first` on, as rows. */
export function recordRows(arrow: Arrow, space: SpaceIdentity, records: readonly WholeRecord[], first: number): Table {
  const latents = new LatentSpace(space);
  const rows = records.map(({ time, score, text, ids, tags, z, contextZ }, i) => {
    const columns = { id: first + i, time, score: score ?? null, text, tokens: bytesOf(Int32Array.from(ids)) };
    const [ofZ, ofContext] = [bytesOf(z), contextZ ? bytesOf(contextZ) : null];
    return {
      ...columns,
      id: BigInt(columns.id),
      text: new TextEncoder().encode(text),
      tags: tagLines(tags),
      checksum: recordChecksum({ ...columns, tags: JSON.stringify(tags) }),
      words: wordsOf(text),
      length: wordList(text).length,
      first: BigInt(first),
      last: BigInt(first + records.length - 1),
      z,
      context: ofContext,
      latents_checksum: latentsChecksum(columns.id, ofZ, ofContext),
      key: latents.key(z),
    };
  });
  return tableOf(arrow, recordSchema(arrow, space), rows);
}

export function factSchema({ Field, Schema, Uint32, Utf8 }: Arrow): Schema {
  return new Schema([
    new Field("name", new Utf8(), false),
    new Field("value", new Utf8(), false),
    new Field("checksum", new Uint32(), false),
  ]);
}

export function factRows(arrow: Arrow, facts: Readonly<Record<string, string>>): Table {
  const rows = Object.entries(facts).map(([name, value]) => ({ name, value, checksum: factChecksum(name, value) }));
  return tableOf(arrow, factSchema(arrow), rows);
}

export function idSchema({ Field, Int64, Schema }: Arrow, metadata?: Map<string, string>): Schema {
  return new Schema([new Field("id", new Int64(), false)], metadata);
}

export function idRows(arrow: Arrow, ids: readonly number[]): Table {
  return tableOf(
    arrow,
    idSchema(arrow),
    ids.map((id) => ({ id: BigInt(id) })),
  );
}

/** The latents of a row. Throws "format" where it is damaged. */
export function latentsOf(place: string, row: Row): RecordLatents {
  const id = Number(row.id);
  const z = floatsOf(row.z as Vector);
  const context = row.context as Uint8Array | null;
  if (row.latents_checksum !== latentsChecksum(id, bytesOf(z), context)) throw damaged(place, id, "another checksum");
  return { id, z, ...(context ? { contextZ: new Float32Array(context.slice().buffer) } : {}) };
}

/** The record of a row. Throws "format" where it is damaged. */
export function recordOf(place: string, row: Row): MemoryRecord {
  const latents = latentsOf(place, row);
  const { id } = latents;
  const [time, score] = [row.time as number, row.score as number | null];
  const [tokens, text] = [row.tokens as Uint8Array, TEXT.decode(row.text as Uint8Array)];
  const tags = readTags(String(row.tags));
  const isWhole =
    tags !== undefined &&
    row.checksum === recordChecksum({ id, time, score, text, tokens, tags: JSON.stringify(tags) });
  if (!isWhole) throw damaged(place, id, "another checksum");
  const ids = Array.from(new Int32Array(tokens.slice().buffer));
  return { ...latents, text, ids, ...(score === null ? {} : { score }), tags, time };
}

/** A record that is not as it was written. */
export function damaged(place: string, id: number, got: string): Error {
  return damagedRecord(place, id, got).with({ remedy: REMEDY });
}

/** A row as Arrow gives it. */
export type Row = Readonly<Record<string, unknown>>;

const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

function readTags(lines: string): string[] | undefined {
  try {
    return tagsOf(lines);
  } catch {
    return undefined;
  }
}

/** Rows column by column: `vectorFromArray` looks at every value of a latent, which takes longer than all else. */
function tableOf(arrow: Arrow, schema: Schema, rows: readonly Row[]): Table {
  const columns = schema.fields.map(({ name, type }) => {
    const values = rows.map((row) => row[name]);
    if (!arrow.DataType.isFixedSizeList(type)) return arrow.vectorFromArray(values, type).data[0]!;
    const data = new Float32Array(rows.length * type.listSize);
    for (const [i, value] of values.entries()) data.set(value as Latent, i * type.listSize);
    const child = arrow.makeData({ type: new arrow.Float32(), data });
    return arrow.makeData({ type, length: rows.length, nullCount: 0, child });
  });
  const type = new arrow.Struct(schema.fields);
  const struct = arrow.makeData({ type, length: rows.length, nullCount: 0, children: columns });
  return new arrow.Table(schema, new arrow.RecordBatch(schema, struct));
}

function floatsOf(vector: Vector): Float32Array {
  return Float32Array.from(vector.toArray() as Float32Array);
}
