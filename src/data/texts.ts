/** The reader of texts: lines of .txt, records of .jsonl, .jsonl.gz and .parquet, by one rule wherever they are read. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { BigVaeError } from "../errors.js";
import { readError } from "../formats/fileOps.js";
import type { InputFile, TextOptions } from "./inputs.js";
import { type Meter, splitLines, wholeText } from "./lines.js";
import { readParquet } from "./parquet.js";

/** A text, never blank, with its place and what decides its split. */
export interface TextRecord {
  readonly text: string;
  /** For errors: "texts.txt, line 3". */
  readonly where: string;
  /** From 1, blank ones counted: the line, or the row of a Parquet file. */
  readonly line: number;
  readonly id?: string;
  readonly split?: string;
  /** What kind of text it is, where a record says so: by itself, or among its labels. */
  readonly kind?: string;
  /** Labels by name, where a record has them. */
  readonly factors?: Readonly<Record<string, string>>;
  /** What else a record says of it in short values, its labels among them, by name. */
  readonly values?: Readonly<Record<string, RecordValue>>;
}

/** A value of a record. */
export type RecordValue = string | number | boolean;

/** Longer strings are no labels. */
const MOST_CHARACTERS = 80;

const FIELD = "text";

/** @throws BigVaeError("usage") where no record of the files holds any text; reads up to the first that does. */
export async function requireText(files: readonly InputFile[], options: TextOptions): Promise<void> {
  for await (const _ of readFiles(files, options)) return;
  const others = files.length > 1 ? ` and ${files.length - 1} more` : "";
  throw new BigVaeError("usage", {
    subject: `${files[0]!.path}${others}`,
    expected: "at least one text",
    got: "none",
    remedy: "give files with text",
  });
}

/**
 * The texts of one file after line number `after`, in order; blank ones are passed over.
 * @throws BigVaeError("format") naming the file and the line or row.
 */
export async function* readTexts(
  { path }: InputFile,
  options: TextOptions = {},
  after = 0,
  meter: Meter = { bytesRead: 0 },
): AsyncGenerator<TextRecord> {
  try {
    if (path.endsWith(".parquet")) yield* readRows(path, options, after, meter);
    else {
      const kind = path.endsWith(".txt") ? "lines" : "records";
      for await (const record of textsOfBytes(readBytes(path, meter), path, kind, options))
        if (record.line > after) yield record;
    }
  } catch (error) {
    throw readError(path, error);
  }
}

/** The texts of several files, one behind the other. */
export async function* readFiles(files: readonly InputFile[], options: TextOptions): AsyncGenerator<TextRecord> {
  for (const file of files) yield* readTexts(file, options);
}

/** The texts of a stream: plain lines, or a JSON record a line. `name` stands for it in errors. */
export async function* textsOfBytes(
  bytes: AsyncIterable<Uint8Array>,
  name: string,
  kind: "lines" | "records",
  { field = FIELD, whole = false }: TextOptions = {},
): AsyncGenerator<TextRecord> {
  if (whole && kind === "lines") {
    const text = await wholeText(bytes, name);
    if (!isBlank(text)) yield { text, where: name, line: 1 };
    return;
  }
  let line = 0;
  for await (const text of splitLines(bytes, name)) {
    line++;
    if (isBlank(text)) continue;
    const place = { where: `${name}, line ${line}`, line };
    const record = kind === "lines" ? { text, ...place } : jsonRecord(text, field, place);
    if (!isBlank(record.text)) yield record;
  }
}

function isBlank(text: string): boolean {
  return text.trim() === "";
}

async function* readRows(
  path: string,
  { field = FIELD }: TextOptions,
  after: number,
  meter: Meter,
): AsyncGenerator<TextRecord> {
  let line = after;
  for await (const row of readParquet(path, [field, "id", "split", "kind", "factors"], after, meter)) {
    const record = toRecord(row, field, { where: `${path}, row ${++line}`, line });
    if (!isBlank(record.text)) yield record;
  }
}

type Place = Pick<TextRecord, "where" | "line">;

function jsonRecord(text: string, field: string, place: Place): TextRecord {
  try {
    const value = JSON.parse(text);
    if (typeof value?.id === "number" && !Number.isSafeInteger(value.id))
      value.id = JSON.parse(withExactNumbers(text)).id;
    return toRecord(value, field, place);
  } catch (cause) {
    if (cause instanceof BigVaeError) throw cause;
    throw new BigVaeError(
      "format",
      { subject: place.where, expected: "JSON", got: "something else", remedy: "correct or remove that line" },
      { cause },
    );
  }
}

/** JSON with its long whole numbers as strings: JSON.parse rounds those beyond 2^53. */
function withExactNumbers(json: string): string {
  const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  return json.replace(token, (found) => (/^-?\d{16,}$/.test(found) ? `"${found}"` : found));
}

function toRecord(value: unknown, field: string, place: Place): TextRecord {
  const fields = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  const text = fields.get(field);
  const split = fields.get("split");
  const factors = labels(fields.get("factors"));
  const kind = fields.get("kind") ?? factors?.kind;
  if (typeof text !== "string")
    throw new BigVaeError("format", {
      subject: place.where,
      expected: `a text in the field ${JSON.stringify(field)}`,
      got: textlessFields(fields),
      remedy: "name the field that holds it by `field`",
    });
  if (/\p{Surrogate}/u.test(text))
    throw new BigVaeError("format", {
      subject: place.where,
      expected: "whole characters",
      got: "half of one (a lone surrogate)",
      remedy: "correct that text",
    });
  return {
    text,
    ...place,
    id: idOf(fields.get("id")),
    split: typeof split === "string" && split !== "" ? split : undefined,
    ...(typeof kind === "string" && kind !== "" ? { kind } : {}),
    ...(factors ? { factors } : {}),
    ...valuesOf(fields, factors, field),
  };
}

function valuesOf(
  fields: ReadonlyMap<string, unknown>,
  factors: Readonly<Record<string, string>> | undefined,
  field: string,
): Pick<TextRecord, "values"> {
  const all = [...fields, ...Object.entries(factors ?? {})].filter(
    (entry): entry is [string, RecordValue] => entry[0] !== field && entry[0] !== "id" && isShort(entry[1]),
  );
  return all.length > 0 ? { values: Object.fromEntries(all) } : {};
}

function isShort(value: unknown): value is RecordValue {
  if (typeof value === "string") return value !== "" && value.length <= MOST_CHARACTERS;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}

/** What a record has in place of the text. */
function textlessFields(fields: ReadonlyMap<string, unknown>): string {
  const names = [...fields.keys()].slice(0, 8).map((name) => JSON.stringify(name));
  return names.length > 0 ? `the fields ${names.join(", ")}` : "no fields";
}

function idOf(id: unknown): string | undefined {
  return typeof id === "string" || typeof id === "number" || typeof id === "bigint" ? String(id) : undefined;
}

/** The values that are strings; none where there is no such value. */
function labels(value: unknown): Record<string, string> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const found = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** The file's bytes, unpacked where it ends in .gz. */
async function* readBytes(path: string, meter: Meter): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: 2 ** 18 });
  // A failure destroys the unpacked stream too, which then throws below.
  const bytes = path.endsWith(".gz") ? pipeline(file, createGunzip(), () => undefined) : file;
  try {
    for await (const chunk of bytes) {
      meter.bytesRead = file.bytesRead;
      yield chunk as Uint8Array;
    }
    meter.bytesRead = file.bytesRead;
  } finally {
    file.destroy();
  }
}
