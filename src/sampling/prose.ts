/** prose and paragraph-topic: a guided text, cut after its last full sentence, and the topic of the next paragraph. MiniHF vae_infer.py. */
import { guidedSteps, towardPrompt, towardTask } from "./guide.js";
import type {
  Example,
  LatentModel,
  Sampler,
  SamplingOptions,
  Span,
  TextOrLatent,
  TextTokenizer,
  TokenIds,
  TracedLatent,
  Written,
} from "./model.js";
import { SamplingRun } from "./samplingRun.js";
import { taskVector } from "./task.js";

/** guide, then the cut; the last span before the cut writes what follows and the next topic. */
export async function* prose(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, options);
  const toward = await towardPrompt(run, prompt);
  const { context: written } = yield* guidedSteps(run, prompt, context, toward);
  const { before, span } = cutAtSentence(written, options.span, model.tokenizer);
  return yield* closing(run, await run.sample(span, "span"), before);
}

/**
 * Means without noise and CFG throughout: the first step writes from the prompt's mean alone, the others as task does, until
 * a text ends within its first span; then the cut of prose.
 */
export async function* paragraphTopic(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  examples: readonly Example[],
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, { ...options, noise: 0 });
  const topic = await run.mean(prompt, "prompt");
  const toward = towardTask(run, topic, await taskVector(run, examples));
  let text = context;
  let rest: TextOrLatent = prompt;
  for (let step = 0; step < options.nSteps && rest.length > 0; step++) {
    const z = step === 0 ? topic : toward(await run.mean(rest, "span"));
    const written = await run.write(z, text, 2 * options.span);
    yield written;
    text = [...text, ...written.ids.slice(0, options.span)];
    rest = written.ids.slice(options.span);
  }
  const { before, span } = cutAtSentence(text, options.span, model.tokenizer);
  return yield* closing(run, await run.mean(span, "span"), before);
}

/** Writes two spans: the first joins the text, the second is the next topic, which a text that ends before it does not have. */
async function* closing(run: SamplingRun, z: TracedLatent, context: TokenIds): AsyncGenerator<Span, Written, void> {
  const s = run.options.span;
  const written = await run.write(z, context, 2 * s);
  yield written;
  const next = written.ids.slice(s);
  return { ids: [...context, ...written.ids.slice(0, s)], ...(next.length > 0 ? { next } : {}) };
}

/**
 * The text up to its last full stop, a blank line behind it, as tokens: the last span of them, and what is before. A text
 * without a full stop stays whole (the original drops it whole).
 */
function cutAtSentence(ids: TokenIds, span: number, tokenizer: TextTokenizer): { before: TokenIds; span: TokenIds } {
  const text = tokenizer.decode(ids).trim();
  const end = text.lastIndexOf(".") + 1 || text.length;
  const cut = tokenizer.encode(`${text.slice(0, end)}\n\n`);
  return { before: cut.slice(0, -span), span: cut.slice(-span) };
}
