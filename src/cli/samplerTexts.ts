/** What a sampler is given to begin from: texts, or latents of files in their place. */
import type { TextOrLatent } from "../bigVae.js";
import { isLatentsPath, readLatents } from "../host/latentFiles.js";
import { readTask } from "./input.js";
import { checkInputs, checkLatentsFile, type LatentInput, parseLatentInput, textOrLatent } from "./latentInput.js";

/** The flags that name them. */
interface TextFlags {
  prompt: readonly string[];
  start?: string;
  terminal?: string;
  /** A JSON file of texts, or a file of latents. */
  task?: string;
}

/** Texts and latents of a run, as `BigVae.generate` takes them. */
export interface SamplerTexts {
  prompt: readonly TextOrLatent[];
  start: TextOrLatent | undefined;
  terminal: TextOrLatent | undefined;
  task: readonly TextOrLatent[] | undefined;
}

/**
 * Checks what the flags name, before a model is loaded; returns the function that reads it for latents of `width` values.
 * Throws "usage" for a file that is missing or of another kind.
 */
export async function samplerTexts(flags: TextFlags): Promise<(width: number) => Promise<SamplerTexts>> {
  const prompts = flags.prompt.map(parseLatentInput);
  const [start, terminal] = [flags.start, flags.terminal].map((text) =>
    text === undefined ? undefined : parseLatentInput(text),
  );
  await checkInputs("--prompt", prompts);
  await checkInputs("--start", start ? [start] : []);
  await checkInputs("--terminal", terminal ? [terminal] : []);
  const task = await openTask(flags.task);
  return async (width) => ({
    prompt: await Promise.all(prompts.map((input) => textOrLatent(input, width))),
    start: await optional(start, width),
    terminal: await optional(terminal, width),
    task: await task?.(width),
  });
}

async function optional(input: LatentInput | undefined, width: number): Promise<TextOrLatent | undefined> {
  return input && textOrLatent(input, width);
}

/** The examples of a task: texts are read at once, latents when their width is known. */
async function openTask(path: string | undefined) {
  if (path === undefined) return undefined;
  if (isLatentsPath(path)) {
    await checkLatentsFile("--task", path);
    return async (width: number) => (await readLatents(path, width)).map(({ z }) => z);
  }
  const texts = await readTask(path);
  return async () => texts;
}
