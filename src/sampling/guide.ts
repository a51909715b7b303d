/** guide and task: every latent is pulled toward the prompt's, which holds the topic, and toward a task vector. MiniHF vae_infer.py. */
import {
  type Example,
  type LatentModel,
  type Sampler,
  type SamplingOptions,
  type Span,
  type TextOrLatent,
  type TokenIds,
  type TracedLatent,
  tokensOf,
} from "./model.js";
import { SamplingRun } from "./samplingRun.js";
import { taskVector } from "./task.js";

/** z of the next text from z of the last span. */
type Guidance = (z: TracedLatent) => TracedLatent;

/** Where a guided text stands after its steps. */
export interface Guided {
  context: TokenIds;
  /** The span after the context: written, and not yet part of it. */
  span: TokenIds;
}

export const GUIDE_WEIGHTS = { span: 0.85, prompt: 0.15 };
export const TASK_WEIGHTS = { span: 0.75, prompt: 0.1, task: 0.15 };

/** guide: 0.85 of the span, 0.15 of the prompt, at their mean length. */
export async function* guide(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, options);
  const guided = yield* guidedSteps(run, prompt, context, await towardPrompt(run, prompt));
  return { ids: guided.context };
}

/** task: 0.75 of the span, 0.10 of the prompt, 0.15 of the task vector, at their mean length. */
export async function* task(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  examples: readonly Example[],
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, options);
  const toward = towardTask(run, await run.sample(prompt, "prompt"), await taskVector(run, examples));
  const guided = yield* guidedSteps(run, prompt, run.withBos(context), toward);
  return { ids: [...guided.context, ...guided.span] };
}

export async function towardPrompt(run: SamplingRun, prompt: TextOrLatent): Promise<Guidance> {
  const topic = await run.sample(prompt, "prompt");
  const weights = run.weights(GUIDE_WEIGHTS);
  return (z) =>
    run.mix(
      [
        [z, weights.span],
        [topic, weights.prompt],
      ],
      "meanNorm",
    );
}

export function towardTask(run: SamplingRun, prompt: TracedLatent, task: TracedLatent): Guidance {
  const weights = run.weights(TASK_WEIGHTS);
  return (z) =>
    run.mix(
      [
        [z, weights.span],
        [prompt, weights.prompt],
        [task, weights.task],
      ],
      "meanNorm",
    );
}

/**
 * Each step writes two spans: the first says z and joins the context, the second continues it and is encoded next. A text that
 * ends within its first span leaves nothing to go on from: it is the last.
 */
export async function* guidedSteps(
  run: SamplingRun,
  prompt: TextOrLatent,
  context: TokenIds,
  toward: Guidance,
): AsyncGenerator<Span, Guided, void> {
  const { nSteps, span: s } = run.options;
  let span: TextOrLatent = prompt;
  for (let step = 0; step < nSteps; step++) {
    const z = toward(await run.sample(span, step === 0 ? "prompt" : "span"));
    const written = await run.write(z, context, 2 * s);
    yield written;
    context = [...context, ...written.ids.slice(0, s)];
    span = written.ids.slice(s);
    if (span.length === 0) break;
  }
  return { context, span: tokensOf(span) };
}
