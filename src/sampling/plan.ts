/** plan, plan-2 and plan-search: go from one latent to another, span by span. MiniHF vae_infer.py, its errors mended as named below. */
import type {
  Example,
  LatentModel,
  Sampler,
  SamplingOptions,
  Span,
  TextOrLatent,
  TokenIds,
  TracedLatent,
} from "./model.js";
import { averaged, SamplingRun } from "./samplingRun.js";
import { taskVector } from "./task.js";

/** The texts that a plan goes between, as tokens. */
export interface PlanInputs {
  /** The text to arrive at. */
  terminal: TextOrLatent;
  /** The text to start from; default: a random latent at ae_scale. */
  start?: TextOrLatent;
  /** Text that is continued. */
  context: TokenIds;
  /** What the task vector is made of; default: nothing, no task. */
  examples?: readonly Example[];
  /** Root mean square of sampled latents: the radius of random starts. */
  aeScale: number;
}

/** Shares of the start and of a random latent, the rest is the task's; of the terminal, and by how much it grows each step. */
export const PLAN_WEIGHTS = { start: 0.8, random: 0.7, pull: 0.025, pullStep: 0.025 };
export const PLAN_2_WEIGHTS = { start: 0.8, random: 0.7, pull: 0.05, pullStep: 0.025 };
/** Share of a random latent, the rest is the terminal's. */
export const PLAN_SEARCH_WEIGHTS = { random: 0.7 };

/**
 * plan: nAvg drafts of z a step, averaged, then (0.975 - t) of the mean and (0.025 + t) of the terminal, t = 0.025, 0.05, ...,
 * at the mean's length; one span is written from that and is the next z. The original fixes the length at 50, and with a
 * start adds a span to the context that it has not written yet.
 */
export async function* plan(model: LatentModel, inputs: PlanInputs, options: SamplingOptions): Sampler {
  const run = new SamplingRun(model, options);
  const terminal = await run.sample(inputs.terminal, "terminal");
  const weights = run.weights(PLAN_WEIGHTS);
  const from = inputs.start ? await run.sample(inputs.start, "start") : randomStart(run, terminal, inputs.aeScale, 0);
  let z = await withTask(run, from, inputs.examples, weights);
  let context = inputs.context;
  for (let step = 1; step <= options.nSteps; step++) {
    const drafts = await run.drafts(z, context, 2 * options.span, options.span);
    const next = averaged(drafts.map(({ latent }) => latent));
    const pull = pullAt(step, weights);
    const pulled = withNorm(
      run,
      run.mix([
        [next, 1 - pull],
        [terminal, pull],
      ]),
      run.space.norm(next.z),
    );
    const written = await run.write(pulled, context, options.span, drafts);
    yield written;
    context = [...context, ...written.ids];
    if (step < options.nSteps) z = await run.sample(written.ids, "span");
  }
  return { ids: context };
}

/**
 * plan-2: (0.95 - t) of z and (0.05 + t) of the terminal a step, t as in plan, at their mean length; two spans are written, of which the
 * first joins the context and the second is the next z; a text that ends within the first is the last. The original reads z before it exists where there is no start.
 */
export async function* plan2(model: LatentModel, inputs: PlanInputs, options: SamplingOptions): Sampler {
  const run = new SamplingRun(model, options);
  const terminal = await run.mean(inputs.terminal, "terminal");
  const weights = run.weights(PLAN_2_WEIGHTS);
  const from = inputs.start ? await run.mean(inputs.start, "start") : randomStart(run, terminal, inputs.aeScale, 0);
  let z = await withTask(run, from, inputs.examples, weights);
  let context = inputs.context;
  for (let step = 1; step <= options.nSteps; step++) {
    const pull = pullAt(step, weights);
    const pulled = run.mix(
      [
        [z, 1 - pull],
        [terminal, pull],
      ],
      "meanNorm",
    );
    const written = await run.write(pulled, context, 2 * options.span);
    yield written;
    context = [...context, ...written.ids.slice(0, options.span)];
    const rest = written.ids.slice(options.span);
    if (step === options.nSteps || rest.length === 0) break;
    z = await run.mean(rest, "span");
  }
  return { ids: context };
}

/** The terminal's share at a step (from 1): it reaches 1 and stays there. */
function pullAt(step: number, { pull, pullStep }: typeof PLAN_WEIGHTS): number {
  return Math.min(pull + pullStep * step, 1);
}

/** 0.8 of a start and 0.2 of the task vector; 0.7 of a random latent and 0.3 of it, at their mean length. */
async function withTask(
  run: SamplingRun,
  from: TracedLatent,
  examples: readonly Example[] | undefined,
  { start, random }: typeof PLAN_WEIGHTS,
): Promise<TracedLatent> {
  if (!examples?.length) return from;
  const [share, norm] = from.role === "random" ? ([random, "meanNorm"] as const) : ([start] as const);
  const task = await taskVector(run, examples);
  return run.mix(
    [
      [from, share],
      [task, 1 - share],
    ],
    norm,
  );
}

function randomStart(run: SamplingRun, like: TracedLatent, aeScale: number, index: number): TracedLatent {
  const z = run.space.random(like.z, aeScale, run.options.rng.fork("random start", index));
  return { z, role: "random", parents: [] };
}

function withNorm(run: SamplingRun, latent: TracedLatent, norm: number): TracedLatent {
  return { ...latent, z: run.space.rescale(latent.z, norm), norm };
}

/** What plan-search goes to; its starts are random. */
export interface PlanSearchInputs extends Omit<PlanInputs, "start" | "examples"> {
  /** Random starts that are tried. */
  nStarts: number;
}

/**
 * plan-search: from random starts (0.7, with 0.3 of the terminal) plans of n = 1..nSteps spans; each step writes two spans, of which the
 * first is the plan's and the second is encoded: the next z is (n - i)/n of that and the rest the terminal's, i = 1, 2, ... The plan
 * whose text the router finds likeliest per token wins. The original's pull to the terminal is without effect, and its score
 * divides a mean by the length again.
 */
export async function* planSearch(model: LatentModel, inputs: PlanSearchInputs, options: SamplingOptions): Sampler {
  const run = new SamplingRun(model, { ...options, onToken: undefined });
  const { random: share } = run.weights(PLAN_SEARCH_WEIGHTS);
  const terminal = await run.sample(inputs.terminal, "terminal");
  let best: { score: number; spans: Span[] } | undefined;
  for (let start = 0; start < inputs.nStarts; start++) {
    const random = run.mix([
      [randomStart(run, terminal, inputs.aeScale, start), share],
      [terminal, 1 - share],
    ]);
    for (let n = 1; n <= options.nSteps; n++) {
      const spans = await planOnce(run, random, terminal, inputs.context, n);
      const score = await planScore(run, spans, inputs.context);
      if (!best || score > best.score) best = { score, spans };
    }
  }
  const spans = best?.spans ?? [];
  for (const span of spans) {
    for (const id of span.ids) options.onToken?.(id);
    yield span;
  }
  return { ids: [...inputs.context, ...firstSpans(spans, options.span)] };
}

/** One plan of n spans, or of fewer where its text ends. */
async function planOnce(run: SamplingRun, start: TracedLatent, terminal: TracedLatent, context: TokenIds, n: number) {
  const s = run.options.span;
  const spans: Span[] = [];
  let z = start;
  for (let i = 1; i <= n; i++) {
    const written = await run.write(z, [...context, ...firstSpans(spans, s)], 2 * s);
    spans.push(written);
    const rest = written.ids.slice(s);
    if (i === n || rest.length === 0) break;
    const keep = (n - i) / n;
    z = run.mix([
      [await run.sample(rest, "span"), keep],
      [terminal, 1 - keep],
    ]);
  }
  return spans;
}

/** The first half of each of what was written: the text of a plan. */
function firstSpans(spans: readonly Span[], length: number): TokenIds {
  return spans.flatMap(({ ids }) => ids.slice(0, length));
}

/** The router's mean log-likelihood per token of a plan, each span from its own latent. */
async function planScore(run: SamplingRun, spans: readonly Span[], context: TokenIds): Promise<number> {
  const { span: s, signal } = run.options;
  let [sum, tokens] = [0, 0];
  for (const [i, { ids, latent }] of spans.entries()) {
    const target = ids.slice(0, s);
    const before = run.inWindow([...context, ...firstSpans(spans.slice(0, i), s)], target.length);
    const [score] = await run.model.score([{ z: latent.z, target }], before, signal);
    sum += score! * target.length;
    tokens += target.length;
  }
  return sum / tokens;
}
