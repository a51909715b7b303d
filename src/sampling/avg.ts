/** avg and user-avg: write from the mean of several continuations. The model card's example; MiniHF vae_infer.py, bigvae_generate_avg. */
import { type Averaging, averagedBy } from "./averaging.js";
import type { LatentModel, Sampler, SamplingOptions, TokenIds } from "./model.js";
import { averaged, Run } from "./run.js";

/** What the card and the repository do differently, in spans and weights. */
export interface AvgPreset {
  /** Weight of the prompt in what drafts are written from. */
  draftPull: number;
  /** Weight of the prompt in what the span is written from. */
  meanPull: number;
  /** Spans of a draft. */
  draft: number;
  /** Spans at the end of a draft that are encoded. */
  tail: number;
}

export const AVG_PRESETS = {
  card: { draftPull: 0.5, meanPull: 0.3, draft: 4, tail: 2 },
  repository: { draftPull: 0.3, meanPull: 0.2, draft: 2, tail: 1 },
} as const satisfies Record<string, AvgPreset>;

/**
 * Each step writes nAvg drafts from the span's latent, pulled toward the prompt's, which holds the topic; the latents of
 * their ends are averaged, pulled again, and write the next span. That distils drafts into one better continuation.
 * With the averaging "one" a step writes a single draft.
 */
export async function* avg(
  model: LatentModel,
  prompt: TokenIds,
  context: TokenIds,
  options: SamplingOptions,
  preset: AvgPreset,
  averaging: Averaging = "mean",
): Sampler {
  const run = new Run(model, averaging === "one" ? { ...options, nAvg: 1 } : options);
  const { draftPull, meanPull } = run.weights({ draftPull: preset.draftPull, meanPull: preset.meanPull });
  const [draftTokens, tail] = [preset.draft * options.span, preset.tail * options.span];
  let span = run.withBos(prompt);
  let before = run.withBos(context);
  const topic = await run.sample(span, "prompt");
  for (let step = 0; step < options.nSteps; step++) {
    const z = await run.sample(span, "span");
    const pulled = run.mix([
      [z, 1 - draftPull],
      [topic, draftPull],
    ]);
    const drafts = await run.drafts(pulled, before, draftTokens, tail);
    // The router writes z's span, then the one after it: the end of a draft speaks for what comes next.
    const next = averagedBy(
      averaging,
      drafts.map(({ latent }) => latent),
      run.space,
    );
    // The original writes on to the length of a draft and drops the rest.
    const toWrite = run.mix([
      [next, 1 - meanPull],
      [topic, meanPull],
    ]);
    const written = await run.write(toWrite, before, draftTokens - tail, drafts);
    before = [...before, ...span];
    yield written;
    span = written.ids;
  }
  // The last span written is not in it.
  return { ids: before };
}

/** Writes from the mean of the user's own sentences, at tau 1 in MiniHF. */
export async function* userAvg(
  model: LatentModel,
  prompts: readonly TokenIds[],
  context: TokenIds,
  options: SamplingOptions,
): Sampler {
  const run = new Run(model, options);
  const before = run.withBos(context);
  const latents = await run.samples(
    prompts.map((prompt) => run.withBos(prompt)),
    "prompt",
  );
  // The original writes twice as much and drops the second half.
  const written = await run.write(averaged(latents), before, 2 * options.span);
  yield written;
  return { ids: [...before, ...written.ids] };
}
