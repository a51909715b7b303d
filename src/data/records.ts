/** Texts from files: .txt, .jsonl, .jsonl.gz, .parquet and folders of them, streamed in constant memory. */
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { BigVaeError } from "../errors.js";
import { errorCode, readError } from "../formats/fileOps.js";
import { type Meter, splitLines, splitParagraphs } from "./lines.js";
import { readParquet } from "./parquet.js";

/** A text with what decides its split. */
export interface TextRecord {
  readonly text: string;
  readonly id?: string;
  readonly split?: string;
  /** Labels by name, where a line of JSON has them. */
  readonly factors?: Readonly<Record<string, string>>;
}

export interface InputFile {
  readonly path: string;
  readonly sizeBytes: number;
}

const EXTENSIONS = [".txt", ".jsonl", ".jsonl.gz", ".parquet"];
/** A longer .txt file is read as one text a paragraph. */
export const WHOLE_TEXT_BYTES = 4 * 2 ** 20;

/**
 * The files behind `inputs`, folders in the order of their names.
 * @throws BigVaeError("format") for what cannot be read, BigVaeError("usage") for a wrong path, a file of another kind or none at all.
 */
export async function listInputs(inputs: readonly string[]): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const input of inputs) {
    const path = resolve(input);
    const status = await stat(path).catch((error) => {
      if (errorCode(error) !== "ENOENT") throw readError(path, error);
      throw new BigVaeError("usage", `${path}: expected a file or folder, got nothing there; check the path`);
    });
    if (status.isDirectory()) files.push(...(await listFolder(path)));
    else if (isKnown(path)) files.push({ path, sizeBytes: status.size });
    else throw new BigVaeError("usage", `${path} is none of ${EXTENSIONS.join(", ")}; convert it to one of them.`);
  }
  if (files.length > 0) return files;
  throw new BigVaeError("usage", `There is no ${EXTENSIONS.join(", ")} file in ${inputs.join(", ") || "no inputs"}.`);
}

/** @throws BigVaeError("usage") where no record of the files holds any text; reads up to the first that does. */
export async function requireText(files: readonly InputFile[], field: string): Promise<void> {
  for (const file of files)
    for await (const { text } of readRecords(file, field, 0, { bytesRead: 0 })) if (text.trim() !== "") return;
  const others = files.length > 1 ? ` and ${files.length - 1} more` : "";
  throw new BigVaeError(
    "usage",
    `${files[0]!.path}${others}: expected at least one text, got none; give files with text`,
  );
}

async function listFolder(folder: string): Promise<InputFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && isKnown(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(paths.map(async (path) => ({ path, sizeBytes: (await stat(path)).size })));
}

function isKnown(path: string): boolean {
  return EXTENSIONS.some((extension) => path.endsWith(extension));
}

/**
 * The records of one file from number `skip` on, in a fixed order. `field` holds the text.
 * @throws BigVaeError("format") naming the file and the line or row.
 */
export async function* readRecords(
  file: InputFile,
  field: string,
  skip: number,
  meter: Meter,
): AsyncGenerator<TextRecord> {
  const { path } = file;
  try {
    if (path.endsWith(".parquet")) yield* readParquetRecords(file, field, skip, meter);
    else if (path.endsWith(".txt")) yield* readTexts(file, skip, meter);
    else yield* readJsonLines(path, field, skip, meter);
  } catch (error) {
    throw readError(path, error);
  }
}

async function* readTexts({ path, sizeBytes }: InputFile, skip: number, meter: Meter): AsyncGenerator<TextRecord> {
  if (sizeBytes <= WHOLE_TEXT_BYTES) {
    meter.bytesRead = sizeBytes;
    if (skip === 0) yield { text: decodeUtf8(await readFile(path), path) };
    return;
  }
  let at = 0;
  for await (const text of splitParagraphs(readBytes(path, meter), path)) if (at++ >= skip) yield { text };
}

async function* readJsonLines(path: string, field: string, skip: number, meter: Meter): AsyncGenerator<TextRecord> {
  let line = 0;
  let at = 0;
  for await (const text of splitLines(readBytes(path, meter), path)) {
    line++;
    if (text.trim() === "" || at++ < skip) continue;
    const where = `${path}, line ${line}`;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new BigVaeError("format", `${where} is not JSON; correct or remove that line.`, { cause });
    }
    yield toRecord(value, field, where);
  }
}

async function* readParquetRecords(
  file: InputFile,
  field: string,
  skip: number,
  meter: Meter,
): AsyncGenerator<TextRecord> {
  let row = skip;
  for await (const value of readParquet(file.path, [field, "id", "split"], skip, meter))
    yield toRecord(value, field, `${file.path}, row ${++row}`);
}

function toRecord(value: unknown, field: string, where: string): TextRecord {
  const fields = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  const text = fields.get(field);
  const id = fields.get("id");
  const split = fields.get("split");
  const factors = labels(fields.get("factors"));
  if (typeof text !== "string")
    throw new BigVaeError(
      "format",
      `${where} has no text in the field ${JSON.stringify(field)}; name the field that has.`,
    );
  return {
    text,
    id: typeof id === "string" || typeof id === "number" || typeof id === "bigint" ? String(id) : undefined,
    split: typeof split === "string" && split !== "" ? split : undefined,
    ...(factors ? { factors } : {}),
  };
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

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BigVaeError("format", `${path} is not UTF-8; convert it first.`, { cause });
  }
}
