/** Texts from arguments, a file, standard input or a JSON file: read by the reader of data/, and refused by file and line. */
import { createReadStream } from "node:fs";
import { access, constants, stat } from "node:fs/promises";
import type { Command } from "@commander-js/extra-typings";
import {
  type InputFile,
  KNOWN_ENDINGS,
  listInputs,
  readTexts,
  type TextOptions,
  type TextRecord,
  textsOfBytes,
} from "../data/index.js";
import { BigVaeError } from "../errors.js";
import { checkPath, errorCode } from "../formats/fileOps.js";
import { refuseUnused } from "./flags.js";
import { warn } from "./shared.js";

/** A text as a command takes it; an argument has no line. */
export type Line = Pick<TextRecord, "text" | "where"> & Partial<TextRecord>;

/** What the options of `withTexts` give. */
export type TextFlags = TextOptions & { whole: boolean };

/** Adds --field and --whole: how texts lie in the files that a command reads. */
export function withTexts<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return command
    .option("--field <name>", "field of a record of .jsonl or .parquet that holds the text; default: text")
    .option("--whole", "a .txt file is one text, not a text a line", false);
}

/** Adds --file, --field and --whole. */
export function withFile<A extends unknown[], O extends Record<string, unknown>>(command: Command<A, O>) {
  return withTexts(
    command.option(
      "--file <path>",
      `texts (${KNOWN_ENDINGS}); "-" is standard input, a text a line or a record a line with --field`,
    ),
  );
}

interface FileFlags extends TextOptions {
  file?: string;
  quiet: boolean;
  /** Whether every line is taken as it is, whatever the file is. */
  asLines?: boolean;
}

/**
 * Texts given as arguments, or else those of `file` ("-" or nothing: standard input). The file is looked at here, so that a
 * wrong path is named before a model is loaded. Throws "usage", at their end, where there are none.
 */
export async function inputTexts(given: readonly string[], flags: FileFlags): Promise<AsyncIterable<Line>> {
  const { file } = flags;
  if (given.length > 0) {
    notBoth(given, "--file", file);
    refuseUnused((name) => ["field", "whole"].includes(name), "texts of a file", "texts as arguments");
    return argumentTexts(given);
  }
  if (file !== undefined && file !== "-") return atLeastOne(await fileTexts(file, flags), file);
  if (process.stdin.isTTY) warn(flags, "reading texts from the terminal; Ctrl-D ends");
  return atLeastOne(textsOfBytes(process.stdin, "standard input", streamKind(flags), flags), "standard input");
}

/** How a stream is read: as lines, or as records where a field is named. */
function streamKind({ field }: FileFlags): "lines" | "records" {
  if (field === undefined) return "lines";
  refuseUnused((name) => name === "whole", "plain text", "records, by --field");
  return "records";
}

async function fileTexts(path: string, flags: FileFlags): Promise<AsyncIterable<TextRecord>> {
  await checkFile("--file", path);
  if (flags.asLines) return textsOfBytes(createReadStream(path), path, "lines");
  // A pipe (`--file <(zcat texts.gz)`) has no ending.
  if (!(await stat(path)).isFile()) return textsOfBytes(createReadStream(path), path, streamKind(flags), flags);
  const { files } = await listInputs([path], flags);
  return readTexts(files[0]!, flags);
}

/** The files of texts behind paths; says what of folders is left out. */
export async function textFiles(
  paths: readonly string[],
  flags: TextOptions & { quiet: boolean },
): Promise<readonly InputFile[]> {
  const { files, leftOut } = await listInputs(paths, flags);
  if (leftOut) warnLeftOut(flags, leftOut);
  return files;
}

export function warnLeftOut(flags: { quiet: boolean }, what: string): void {
  warn(flags, `left out: ${what}; texts are read from ${KNOWN_ENDINGS}`);
}

/** Throws "usage" where texts are given as arguments and by an option too. */
function notBoth(given: readonly string[], option: string, value: unknown): void {
  if (given.length === 0 || value === undefined || value === false) return;
  throw new BigVaeError("usage", {
    subject: "texts",
    expected: `arguments or ${option}`,
    got: "both",
    remedy: `leave out ${JSON.stringify(given[0]!.slice(0, 40))} or ${option}`,
  });
}

/** Throws "usage" for flags that say how texts are read, where something else than texts is. */
export function refuseTextFlags(got: string): void {
  refuseUnused((name) => ["field", "whole", "chunk"].includes(name), "texts to read", got);
}

async function* argumentTexts(given: readonly string[]): AsyncGenerator<Line> {
  for (const [i, text] of given.entries()) yield { text, where: `text ${i + 1}` };
}

async function* atLeastOne(texts: AsyncIterable<Line>, name: string): AsyncGenerator<Line> {
  let count = 0;
  for await (const text of texts) {
    // Nobody reads the output any more.
    if (process.stdout.destroyed) return;
    count++;
    yield text;
  }
  if (count === 0)
    throw new BigVaeError("usage", {
      subject: name,
      expected: "at least one text",
      got: "none",
      remedy: "write a text on each line",
    });
}

/** Work on lines as one call, whose "text 8" is for the user a line of a file. */
export async function placed<T>(lines: readonly Line[], work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const [, index] = (error instanceof BigVaeError && /^text (\d+)$/.exec(error.detail?.subject ?? "")) || [];
    if (index === undefined) throw error;
    throw (error as BigVaeError).with({ subject: lines[Number(index) - 1]!.where });
  });
}

/** Throws "usage" where a flag names something else than a file that can be read. */
export async function checkFile(flag: string, path: string, expected = "a file"): Promise<void> {
  await checkPath(flag, path, expected);
  const fail = (got: string) =>
    new BigVaeError("usage", {
      subject: `${flag} ${path}`,
      expected,
      got,
      remedy: "name a readable file",
    });
  await access(path, constants.R_OK).catch((error) => {
    throw fail(errorCode(error) ?? `${error}`);
  });
  if ((await stat(path)).isDirectory()) throw fail("a folder");
}

export function parseJson<T>(text: string, fail: (error: Error) => T): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(error as Error);
  }
}
