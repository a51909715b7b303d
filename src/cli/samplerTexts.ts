/** What a sampler is given to begin from: texts, or latents of files in their place. */
import type { TaskExample, TextOrLatent } from "../bigVae.js";
import { openExamples } from "./examples.js";
import { checkInputs, type LatentInput, parseLatentInput, textOrLatent } from "./latentInput.js";

/** The flags that name them. */
interface TextFlags {
  prompt: readonly string[];
  start?: string;
  terminal?: string;
  task: readonly string[];
}

/** Texts and latents of a run, as `BigVae.generate` takes them. */
export interface SamplerTexts {
  prompt: readonly TextOrLatent[];
  start: TextOrLatent | undefined;
  terminal: TextOrLatent | undefined;
  task: readonly TaskExample[];
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
  const task = await openExamples("--task", flags.task);
  return async (width) => ({
    prompt: await Promise.all(prompts.map((input) => textOrLatent(input, width))),
    start: await optional(start, width),
    terminal: await optional(terminal, width),
    task: await task(width),
  });
}

async function optional(input: LatentInput | undefined, width: number): Promise<TextOrLatent | undefined> {
  return input && textOrLatent(input, width);
}
