/** What the commands that use a model share: its options, loading, texts from arguments, files or standard input, and output. */
import { readFile, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Command } from "@commander-js/extra-typings";
import { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { threadCount, wholeNumber } from "./options.js";

export type OutputFlags = {
  json: boolean;
  quiet: boolean;
};

export type ModelFlags = OutputFlags & {
  model: string;
  adapters?: string;
  threads?: number;
  seed: number;
};

/** Adds --json and --quiet. */
export function withOutput(command: Command): Command<[], OutputFlags> {
  return command
    .option("--json", "JSON lines on standard output", false)
    .option("--quiet", "no warnings, no progress, no closing line", false);
}

/** Adds --model, --adapters, --threads, --seed, --json and --quiet. */
export function withModel(command: Command): Command<[], ModelFlags> {
  return withOutput(command)
    .option("--model <name>", '"pocket", a model\'s folder or a .gguf file', "pocket")
    .option("--adapters <folder>", "folder of encoder/, decoder/, router/ and vae.safetensors, where it is another")
    .option("--threads <n>", "threads; all cores where left out", threadCount)
    .option("--seed <n>", "seed of all noise, where there is any", wholeNumber(), 0);
}

/** Loads the model, hands it over, and closes it whatever happens. */
export async function useModel<T>(flags: ModelFlags, use: (vae: BigVae) => Promise<T>): Promise<T> {
  const { model, adapters, threads } = flags;
  const vae = await BigVae.load(model, { ...(adapters ? { adapters } : {}), ...(threads ? { threads } : {}) });
  try {
    return await use(vae);
  } finally {
    await vae.close();
  }
}

/**
 * Texts given as arguments, or else the lines of `file` ("-" or nothing: standard input). The file is opened here, so that
 * a wrong path is named before a model is loaded.
 */
export async function texts(given: readonly string[], file?: string): Promise<AsyncIterable<string>> {
  if (given.length > 0) {
    notBoth(given, "--file", file);
    return Readable.from(given);
  }
  return textsOf(await numberedLines(file));
}

async function* textsOf(lines: AsyncIterable<{ text: string }>): AsyncGenerator<string> {
  for await (const { text } of lines) yield text;
}

/** Throws "usage" where texts are given as arguments and by an option too. */
export function notBoth(given: readonly string[], option: string, value: unknown): void {
  if (given.length === 0 || value === undefined || value === false) return;
  throw new BigVaeError(
    "usage",
    `expected texts as arguments or by ${option}, got both; leave out ${JSON.stringify(given[0]!.slice(0, 40))} or ${option}`,
  );
}

/** The lines of `file` that are not blank ("-" or nothing: standard input), numbered from 1 with the blank ones counted. */
export async function numberedLines(file?: string): Promise<AsyncIterable<{ text: string; line: number }>> {
  return linesOf(file === undefined || file === "-" ? process.stdin : await fileStream(file));
}

async function* linesOf(input: Readable): AsyncGenerator<{ text: string; line: number }> {
  let line = 0;
  for await (const text of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    // Nobody reads the output any more.
    if (process.stdout.destroyed) return;
    line++;
    if (text.trim() !== "") yield { text, line };
  }
}

async function fileStream(path: string) {
  const { createReadStream } = await import("node:fs");
  if ((await stat(path).catch(() => undefined))?.isDirectory())
    throw new BigVaeError("usage", `--file ${path}: expected a file, got a folder; name a file of it`);
  const stream = createReadStream(path);
  await new Promise<void>((resolve, reject) => {
    stream.once("open", () => resolve());
    stream.once("error", (error) =>
      reject(
        new BigVaeError("usage", `--file ${path}: expected a readable file, got ${error.message}; check the path`),
      ),
    );
  });
  return stream;
}

/** The texts of a JSON array file, for --task. */
export async function readTexts(path: string): Promise<string[]> {
  const fail = (got: string): never => {
    throw new BigVaeError(
      "usage",
      `--task ${path}: expected a JSON array of texts, got ${got}; write ["first text", "second text"]`,
    );
  };
  const text = await readFile(path, "utf8").catch((error: Error) =>
    fail(`a file that cannot be read (${error.message})`),
  );
  const value = parse(text, (error) => fail(`no JSON (${error.message.replaceAll(/\s+/g, " ")})`));
  if (!Array.isArray(value)) return fail(`a JSON ${value === null ? "null" : typeof value}`);
  if (value.length === 0) return fail("an empty one");
  const other = value.findIndex((item) => typeof item !== "string");
  return other === -1 ? value : fail(`a ${typeof value[other]} at place ${other}`);
}

function parse(text: string, fail: (error: Error) => never): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return fail(error as Error);
  }
}

/** One JSON line on standard output. Arrays of floats are written as plain arrays. */
export function printJson(value: unknown): void {
  process.stdout.write(
    `${JSON.stringify(value, (_, item) => (item instanceof Float32Array ? Array.from(item) : item))}\n`,
  );
}

/** What a command has written to files: a JSON line, or a sentence, or nothing. */
export function reportWritten(flags: OutputFlags, result: object, sentence: string): void {
  if (flags.json) printJson(result);
  else if (!flags.quiet) process.stdout.write(`${sentence}\n`);
}

export function warn(flags: { quiet: boolean }, line: string): void {
  if (!flags.quiet) process.stderr.write(`bigvae: ${line}\n`);
}

const warned = new WeakSet<object>();

/** Says, once a command, which text is longer than a span. */
export function warnLong(
  flags: { quiet: boolean },
  vae: BigVae,
  encoded: readonly { text: string; ids: readonly number[] }[],
): void {
  const long = encoded.find(({ ids }) => ids.length > vae.span);
  if (!long || warned.has(flags)) return;
  warned.add(flags);
  const begin = JSON.stringify(long.text.slice(0, 40));
  warn(
    flags,
    `${begin}... has ${long.ids.length} tokens, more than the span of ${vae.span}; it is encoded whole, and less exactly`,
  );
}
