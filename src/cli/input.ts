/** Texts from arguments, a file, standard input or a JSON file: read by one reader, and refused by file and line. */
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { splitLines } from "../data/lines.js";
import { BigVaeError } from "../errors.js";
import { errorCode } from "../formats/fileOps.js";
import { warn } from "./shared.js";

export interface Line {
  text: string;
  /** For errors: "texts.txt, line 3". */
  where: string;
  /** From 1, blank lines counted; none for an argument. */
  line?: number;
}

/**
 * Texts given as arguments, or else the lines of `file` that are not blank ("-" or nothing: standard input). The file is opened
 * here, so that a wrong path is named before a model is loaded. Throws "usage", at their end, where there are none.
 */
export async function inputLines(
  given: readonly string[],
  { file, quiet }: { file?: string; quiet: boolean },
): Promise<AsyncIterable<Line>> {
  if (given.length > 0) {
    notBoth(given, "--file", file);
    return argumentLines(given);
  }
  if (file !== undefined && file !== "-") return numbered(await openFile("--file", file), file);
  if (process.stdin.isTTY) warn({ quiet }, "reading lines from the terminal; Ctrl-D ends");
  return numbered(process.stdin, "standard input");
}

/** Throws "usage" where texts are given as arguments and by an option too. */
export function notBoth(given: readonly string[], option: string, value: unknown): void {
  if (given.length === 0 || value === undefined || value === false) return;
  throw new BigVaeError(
    "usage",
    `expected texts as arguments or by ${option}, got both; leave out ${JSON.stringify(given[0]!.slice(0, 40))} or ${option}`,
  );
}

async function* argumentLines(given: readonly string[]): AsyncGenerator<Line> {
  for (const [i, text] of given.entries()) yield { text, where: `text ${i + 1}` };
}

async function* numbered(bytes: Readable, name: string): AsyncGenerator<Line> {
  let [line, count] = [0, 0];
  for await (const text of splitLines(bytes, name)) {
    // Nobody reads the output any more.
    if (process.stdout.destroyed) return;
    line++;
    if (text.trim() === "") continue;
    count++;
    yield { text, line, where: `${name}, line ${line}` };
  }
  if (count === 0)
    throw new BigVaeError("usage", `${name}: expected at least one text, got none; write a text on each line`);
}

/** Work on lines as one call, whose "text 8" is for the user a line of a file. */
export async function placed<T>(lines: readonly Line[], work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    const [prefix, index] = (error instanceof BigVaeError && /^text (\d+)(?=: )/.exec(error.message)) || [];
    if (prefix === undefined) throw error;
    const { kind, message } = error as BigVaeError;
    throw new BigVaeError(kind, lines[Number(index)]!.where + message.slice(prefix.length), { cause: error });
  });
}

/** Throws "usage" where a flag names a path at which nothing lies. */
export async function checkPath(
  flag: string,
  path: string,
  expected: string,
  advice = "check the path",
): Promise<void> {
  const code = await stat(path).then(() => undefined, errorCode);
  if (code !== "ENOENT" && code !== "ENOTDIR") return;
  throw new BigVaeError("usage", `${flag} ${path}: expected ${expected}, got nothing there; ${advice}`);
}

async function openFile(flag: string, path: string, expected = "a file"): Promise<Readable> {
  await checkPath(flag, path, expected);
  const fail = (got: string) =>
    new BigVaeError("usage", `${flag} ${path}: expected ${expected}, got ${got}; name a readable file`);
  const file = await open(path).catch((error) => {
    throw fail(errorCode(error) ?? `${error}`);
  });
  if (!(await file.stat()).isDirectory()) return file.createReadStream();
  await file.close();
  throw fail("a folder");
}

/** The texts of a JSON array file, for --task. */
export async function readTask(path: string): Promise<string[]> {
  const expected = "a JSON array of texts";
  const fail = (got: string): never => {
    throw new BigVaeError(
      "usage",
      `--task ${path}: expected ${expected}, got ${got}; write ["first text", "second text"]`,
    );
  };
  const lines: string[] = [];
  for await (const line of splitLines(await openFile("--task", path, expected), path)) lines.push(line);
  const value = parseJson(lines.join("\n"), (error) => fail(`no JSON (${error.message.replaceAll(/\s+/g, " ")})`));
  if (!Array.isArray(value)) return fail(`a JSON ${value === null ? "null" : typeof value}`);
  if (value.length === 0) return fail("an empty one");
  const other = value.findIndex((item) => typeof item !== "string");
  return other === -1 ? value : fail(`a ${typeof value[other]} at place ${other}`);
}

export function parseJson<T>(text: string, fail: (error: Error) => T): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(error as Error);
  }
}
