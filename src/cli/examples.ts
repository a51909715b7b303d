/** Examples of a task: texts, or what files hold, "@FILE" or "@FILE#NUMBER": a JSON array of texts, or latents. */
import { createReadStream } from "node:fs";
import { extname } from "node:path";
import type { TaskExample } from "../bigVae.js";
import { splitLines } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import { LATENT_ENDINGS, readLatents } from "../host/latentFiles.js";
import { itemAt } from "../host/latentPlaces.js";
import { checkFile, parseJson } from "./input.js";
import { checkLatentsFile, parseLatentInput, refuseFileName } from "./latentInput.js";

const ARRAY = ".json";

/** Of options and arguments that take examples. */
export const EXAMPLES_HELP = `a text, or "@FILE" for all that a file holds: a JSON array of texts, or latents (${LATENT_ENDINGS}); "@FILE#3" for the third`;

/** Examples, once it is known how wide the model's latents are. */
export type OpenExamples = (width: number) => Promise<TaskExample[]>;

/**
 * Reads texts at once, so that a wrong path is named before a model is loaded. `what` takes the examples: a flag or a command.
 * Throws "usage" for what is neither a text nor a file of examples.
 */
export async function openExamples(what: string, given: readonly string[]): Promise<OpenExamples> {
  const opened = await Promise.all(given.map((example) => openExample(what, example)));
  return async (width) => (await Promise.all(opened.map((open) => open(width)))).flat();
}

async function openExample(what: string, given: string): Promise<OpenExamples> {
  const [, array, number] = /^@(?!@)(.*?)(?:#(\d+))?$/s.exec(given) ?? [];
  if (array !== undefined && isArray(array)) {
    const texts = await readTexts(what, array);
    return async () => (number === undefined ? texts : [itemAt(texts, array, Number(number))]);
  }
  refuseFileName(given, isArray(given));
  const input = parseLatentInput(given);
  if ("text" in input) return async () => [input.text];
  const { file, latent } = input;
  await checkLatentsFile(what, file);
  return async (width) => {
    const examples = (await readLatents(file, width)).map(({ z, examples = 1 }) => ({ z, examples }));
    return latent === undefined ? examples : [itemAt(examples, file, latent)];
  };
}

function isArray(path: string): boolean {
  return extname(path).toLowerCase() === ARRAY;
}

async function readTexts(what: string, path: string): Promise<string[]> {
  const expected = "a JSON array of texts";
  const fail = (got: string): never => {
    throw new BigVaeError("usage", {
      subject: `${what} ${path}`,
      expected,
      got,
      remedy: 'write ["first text", "second text"]',
    });
  };
  const lines: string[] = [];
  await checkFile(what, path, expected);
  for await (const line of splitLines(createReadStream(path), path)) lines.push(line);
  const value = parseJson(lines.join("\n"), (error) => fail(`no JSON (${error.message.replaceAll(/\s+/g, " ")})`));
  if (!Array.isArray(value)) return fail(`a JSON ${value === null ? "null" : typeof value}`);
  if (value.length === 0) return fail("an empty one");
  const other = value.findIndex((item) => typeof item !== "string");
  return other === -1 ? value : fail(`a ${typeof value[other]} at place ${other}`);
}
