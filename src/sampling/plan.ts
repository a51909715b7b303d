/** plan, plan-2 and plan-search: go from one latent to another, span by span. MiniHF vae_infer.py, its errors mended as named below. */
import { norm, randomLatent, rescale } from "../latent/index.js";
import type { LatentModel, Sampler, SamplingOptions, TokenIds, TracedLatent } from "./model.js";
import { averaged, mix, Run } from "./run.js";
import { taskVector } from "./task.js";

export interface PlanInputs {
  /** The text to arrive at. */
  terminal: TokenIds;
  /** The text to start from; a random latent at ae_scale where it is left out. */
  start?: TokenIds;
  context: TokenIds;
  /** Texts of the task vector; none where it is left out. */
  examples?: readonly TokenIds[];
  /** Root mean square of sampled latents: the radius of random starts. */
  aeScale: number;
}

/**
 * plan: nAvg drafts of z a step, averaged, then (0.975 - t) of the mean and (0.025 + t) of the terminal, t = 0.025, 0.05, ...,
 * at the mean's length; one span is written from that and is the next z. The original fixes the length at 50, and with a
 * start adds a span to the context that it has not written yet.
 */
export async function* plan(model: LatentModel, inputs: PlanInputs, options: SamplingOptions): Sampler {
  const run = new Run(model, options);
  const terminal = await run.sample(inputs.terminal, "terminal");
  let z = await startLatent(run, inputs, terminal);
  let context = inputs.context;
  for (let step = 1; step <= options.nSteps; step++) {
    const drafts = await run.drafts(z, context, 2 * options.span, options.span);
    const next = averaged(drafts.map(({ latent }) => latent));
    const t = Math.min(0.025 * step, 0.975);
    const pulled = withNorm(
      mix([
        [next, 0.975 - t],
        [terminal, 0.025 + t],
      ]),
      norm(next.z),
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
  const run = new Run(model, options);
  const terminal = await run.mean(inputs.terminal, "terminal");
  let z = await startLatent(run, inputs, terminal);
  let context = inputs.context;
  for (let step = 1; step <= options.nSteps; step++) {
    const t = Math.min(0.025 * step, 0.95);
    const pulled = mix(
      [
        [z, 0.95 - t],
        [terminal, 0.05 + t],
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

/** 0.8 of the start and 0.2 of the task vector; without a start 0.7 of a random latent and 0.3 of the task vector. */
async function startLatent(
  run: Run,
  { start, examples, aeScale }: PlanInputs,
  like: TracedLatent,
): Promise<TracedLatent> {
  const from = start ? await run.mean(start, "start") : randomStart(run, like, aeScale, 0);
  if (!examples?.length) return from;
  const task = await taskVector(run, examples);
  return start
    ? mix([
        [from, 0.8],
        [task, 0.2],
      ])
    : mix(
        [
          [from, 0.7],
          [task, 0.3],
        ],
        "meanNorm",
      );
}

function randomStart(run: Run, like: TracedLatent, aeScale: number, index: number): TracedLatent {
  const z = randomLatent(like.z.length, aeScale, run.options.rng.fork("random start", index));
  return { z, role: "random", parents: [] };
}

function withNorm(latent: TracedLatent, length: number): TracedLatent {
  return { ...latent, z: rescale(latent.z, length), norm: length };
}

export interface PlanSearchInputs extends Omit<PlanInputs, "start" | "examples"> {
  /** Random starts that are tried. */
  nStarts: number;
}

/**
 * plan-search: from random starts (0.7, with 0.3 of the terminal) plans of n = 1..nSteps spans; at step i the next z is
 * (n - i)/n of the last span's and the rest the terminal's. The plan whose text the router finds likeliest per token wins.
 * The original's pull to the terminal is without effect, and its score divides a mean by the length again.
 */
export async function* planSearch(model: LatentModel, inputs: PlanSearchInputs, options: SamplingOptions): Sampler {
  const run = new Run(model, { ...options, onToken: undefined });
  const terminal = await run.mean(inputs.terminal, "terminal");
  let best: { score: number; spans: Awaited<ReturnType<typeof planOnce>> } | undefined;
  for (let start = 0; start < inputs.nStarts; start++) {
    const random = randomStart(run, terminal, inputs.aeScale, start);
    for (let n = 1; n <= options.nSteps; n++) {
      const spans = await planOnce(
        run,
        mix([
          [random, 0.7],
          [terminal, 0.3],
        ]),
        terminal,
        inputs.context,
        n,
      );
      const score = await planScore(run, spans, inputs.context);
      if (!best || score > best.score) best = { score, spans };
    }
  }
  for (const span of best?.spans ?? []) {
    for (const id of span.ids) options.onToken?.(id);
    yield span;
  }
  return { ids: [...inputs.context, ...(best?.spans ?? []).flatMap(({ ids }) => ids)] };
}

/** One plan of n spans. */
async function planOnce(run: Run, start: TracedLatent, terminal: TracedLatent, context: TokenIds, n: number) {
  const spans = [];
  let z = start;
  let before = context;
  for (let i = 1; i <= n; i++) {
    const written = await run.write(z, before, run.options.span);
    spans.push(written);
    before = [...before, ...written.ids];
    const keep = (n - i) / n;
    if (i < n)
      z = mix([
        [await run.sample(written.ids, "span"), keep],
        [terminal, 1 - keep],
      ]);
  }
  return spans;
}

/** The router's mean log-likelihood per token of a plan, each span from its own latent. */
async function planScore(run: Run, spans: Awaited<ReturnType<typeof planOnce>>, context: TokenIds): Promise<number> {
  let before = context;
  let [sum, tokens] = [0, 0];
  for (const { ids, latent } of spans) {
    const [score] = await run.model.score([{ z: latent.z, target: ids }], before, run.options.signal);
    sum += score! * ids.length;
    tokens += ids.length;
    before = [...before, ...ids];
  }
  return sum / tokens;
}
