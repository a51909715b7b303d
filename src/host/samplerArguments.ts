/** From the options of a call to what samplers take: texts as token ids, numbers with their defaults. */
import { BigVaeError } from "../errors.js";
import { checkLatent, type Latent, type LatentSpace } from "../latent/index.js";
import { Rng } from "../rng.js";
import type { Example, SamplingOptions } from "../sampling/model.js";
import type { SamplerInputs } from "../sampling/samplers.js";
import { checkPlan } from "../sampling/waypoints.js";
import type { Tokenizer } from "../tokenizer/index.js";
import { type GenerateOptions, SAMPLING_DEFAULTS, type TaskExample, type TextOrLatent } from "./calls.js";
import { checkTaskVector, checkTexts, wrongValue } from "./checkCall.js";

/** What reads texts and latents of a model. */
interface Reader {
  tokenizer: Tokenizer;
  space: LatentSpace;
}

/** The tokens of a text. Throws "usage" for an empty one and for what is none, by the name `what`. */
export function textIds(tokenizer: Tokenizer, text: string, what: string, expected = "a text (a string)"): number[] {
  if (typeof text !== "string") throw wrongValue(what, expected, text);
  if (text.trim() !== "") return tokenizer.encode(text);
  const got = text === "" ? "an empty one" : "only spaces";
  throw new BigVaeError("usage", {
    subject: what,
    expected: "some text",
    got,
    remedy: "give at least one word",
  });
}

/** What a sampler begins from. Throws "usage" for what is neither a text nor a latent of the model. */
export function samplerInputs(model: Reader & { aeScale: number }, options: GenerateOptions): SamplerInputs {
  const { prompt = [], context = "", start, terminal, task = [], preset, averaging, nStarts, nTries, plan } = options;
  const prompts = typeof prompt === "string" || prompt instanceof Float32Array ? [prompt] : prompt;
  if (!Array.isArray(prompts)) throw wrongValue("generate: prompt", "texts or latents", prompts);
  checkTexts("generate: context", [context]);
  return {
    prompts: prompts.map((source) => sourceOf(model, source, "`prompt`")),
    context: model.tokenizer.encode(context),
    examples: taskExamples(model, "generate: task", task),
    ...(start === undefined ? {} : { start: sourceOf(model, start, "`start`") }),
    ...(terminal === undefined ? {} : { terminal: sourceOf(model, terminal, "`terminal`") }),
    aeScale: model.aeScale,
    preset,
    averaging,
    nStarts,
    nTries,
    ...(plan === undefined ? {} : { plan: checkPlan("`plan`", plan, model.space.width) }),
  };
}

/** Numbers and callbacks of a run; `span` is the model's. */
export function samplingOptions(options: GenerateOptions, span: number): SamplingOptions {
  const { seed = 0, weights = {}, ignoreEos = false, cfgScale, memory, experts, signal, onWarning, ...given } = options;
  const { nSteps, nAvg, tau, noise } = { ...SAMPLING_DEFAULTS, ...given };
  const calls = {
    ...(cfgScale === undefined ? {} : { cfgScale }),
    ...(memory ? { memory } : {}),
    ...(experts ? { experts } : {}),
    ...(signal ? { signal } : {}),
    ...(onWarning ? { onWarning } : {}),
  };
  const numbers = { nSteps, nAvg, tau, noise, span: given.span ?? span };
  return { ...numbers, weights, ignoreEos, ...calls, rng: Rng.fromSeed(seed) };
}

/** Examples of a task. Throws "usage" for a list that is none, or for what is no example. */
export function taskExamples(model: Reader, what: string, examples: readonly TaskExample[]): Example[] {
  if (!Array.isArray(examples)) throw wrongValue(what, "a list of texts or latents", examples);
  return examples.map((example: TaskExample, i) => {
    const named = `${what}: example ${i + 1}`;
    if (typeof example !== "object" || example === null || !("z" in example)) return sourceOf(model, example, named);
    checkTaskVector(named, example, model.space.width);
    return example;
  });
}

/** The tokens of a text; a latent as it is. */
function sourceOf({ tokenizer, space }: Reader, source: TextOrLatent, what: string): number[] | Latent {
  if (!(source instanceof Float32Array)) return textIds(tokenizer, source, what, "a text (a string) or a latent");
  checkLatent(source, space.width, what);
  return source;
}
