/** What commands on latents are given: texts, or latents of files, "@FILE" or "@FILE#NUMBER". And where they write latents. */
import { createReadStream } from "node:fs";
import { dirname, extname } from "node:path";
import type { TextOrLatent } from "../bigVae.js";
import { splitLines } from "../data/index.js";
import { BigVaeError } from "../errors.js";
import { checkPath } from "../formats/fileOps.js";
import {
  checkLatentsPath,
  isLatentsPath,
  LATENT_ENDINGS,
  type NamedLatent,
  writeLatents,
} from "../host/latentFiles.js";
import { type LatentPlace, parseLatentPlace, readLatent } from "../host/latentPlaces.js";
import type { Latent } from "../latent/index.js";
import { checkFile, parseJson } from "./input.js";
import { type OutputFlags, reportWritten } from "./shared.js";
import type { Vectors } from "./vectors.js";

/** A text, or the place of a latent. */
export type LatentInput = { text: string } | LatentPlace;

/** A latent of the command line. */
export interface TakenLatent {
  z: Latent;
  /** The text that it is of; none for a latent of a file. */
  text?: string;
  /** Whether it is that of a text longer than the model's span. */
  longerThanSpan: boolean;
}

/** For the help of commands that take latents in place of texts. */
export const LATENT_HELP = `A text that begins with "@" names a latent in a file (${LATENT_ENDINGS}): "@z.npy" is the only one in it,
"@z.npy#3" the third. "@@" stands for the "@" of a text that begins with one.`;

/** "@z.npy#3" -> { file: "z.npy", latent: 3 }; "@@ you" -> { text: "@ you" }. Throws "usage" for what is neither. */
export function parseLatentInput(given: string): LatentInput {
  if (given.startsWith("@@")) return { text: given.slice(1) };
  if (!given.startsWith("@")) {
    refuseFileName(given, isLatentsPath(given));
    return { text: given };
  }
  return parseLatentPlace(given, 'for a text that begins with "@", write "@@"');
}

/** Throws "usage" for a single word that is the name of a file: whoever writes it means what the file holds. */
export function refuseFileName(given: string, isFileName: boolean): void {
  if (!isFileName || /\s/.test(given)) return;
  throw new BigVaeError("usage", {
    subject: JSON.stringify(given),
    expected: "a text, or a file behind @",
    got: "the name of a file",
    remedy: `write "@${given}"`,
  });
}

/** Throws "usage" where an input of the command names a file that is not there, before a model is loaded. */
export async function checkInputs(command: string, inputs: readonly LatentInput[]): Promise<void> {
  for (const input of inputs) if ("file" in input) await checkLatentsFile(command, input.file);
}

/** Throws "usage" for a file of another kind or one that cannot be read. */
export async function checkLatentsFile(command: string, path: string): Promise<void> {
  checkLatentsPath(path);
  await checkFile(command, path, "a file of latents");
}

/** The latents of inputs, in their order. */
export async function takeLatents({ width, of }: Vectors, inputs: readonly LatentInput[]): Promise<TakenLatent[]> {
  const lines = inputs.flatMap((input, i) => ("text" in input ? [{ text: input.text, where: `text ${i + 1}` }] : []));
  const texts = (lines.length > 0 ? await of(lines) : []).values();
  return Promise.all(
    inputs.map(async (input) => {
      if ("file" in input) return { z: (await readLatent(input, width)).z, longerThanSpan: false };
      const { mean: z, text, longerThanSpan = false } = texts.next().value!;
      return { z, text, longerThanSpan };
    }),
  );
}

/** The text of an input, or its latent. */
export async function textOrLatent(input: LatentInput, width: number): Promise<TextOrLatent> {
  return "text" in input ? input.text : (await readLatent(input, width)).z;
}

/**
 * Whether a file holds latents: by its ending, and of JSON lines by what the first has, as texts lie in them too.
 * Throws "usage" where the flag names no file.
 */
export async function holdsLatents(flag: string, path: string): Promise<boolean> {
  await checkFile(flag, path);
  if (extname(path).toLowerCase() !== ".jsonl") return isLatentsPath(path);
  for await (const line of splitLines(createReadStream(path), path)) {
    if (line.trim() === "") continue;
    const { z, mean } = (parseJson(line, () => undefined) ?? {}) as Record<string, unknown>;
    return Array.isArray(z) || Array.isArray(mean);
  }
  return false;
}

/** Of --output of commands that make latents. */
export const OUTPUT_HELP = `write the latents there instead: ${LATENT_ENDINGS} (with the texts)`;

/** Throws "usage" where latents cannot be written to --output, before a model is loaded. */
export async function checkOutput(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  checkLatentsPath(path);
  await checkPath("--output", dirname(path), "a folder to write into", "make it first");
}

/** Writes the latents in one step, and says how many. */
export async function writeOutput(flags: OutputFlags, output: string, latents: readonly NamedLatent[]): Promise<void> {
  await writeLatents(output, latents);
  const count = latents.length;
  reportWritten(flags, { output, latents: count }, `${output}: ${count} ${count === 1 ? "latent" : "latents"}`);
}
