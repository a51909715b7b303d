/** avg and user-avg: write from the mean of several continuations. The model card's example; MiniHF vae_infer.py, bigvae_generate_avg. */
import { type Averaging, averagedBy } from "./averaging.js";
import {
  isLatent,
  type LatentModel,
  type Sampler,
  type SamplingOptions,
  type TextOrLatent,
  type TokenIds,
  type TracedLatent,
  tokensOf,
} from "./model.js";
import { averaged, SamplingRun } from "./samplingRun.js";

/** Spans and weights of avg. */
export interface AvgPreset {
  /** Weight of the prompt in what drafts are written from. */
  draftPull: number;
  /** Weight of the prompt in what the span is written from. */
  meanPull: number;
  /** How far the key of what the span is written from moves to the prompt's: it holds the topic apart from the words. */
  keyPull: number;
  /** New spans of a draft. */
  draft: number;
  /** Spans at the end of a draft that are encoded. */
  tail: number;
  /**
   * Whether drafts go on from the span itself, and the next one is written behind it; only the last span may end the text. In the original drafts
   * write the span again from its latent, and the context of the next one ends ahead of it.
   */
  goesOn: boolean;
}

/** A preset of avg, by its name. */
export type AvgPresetName = "card" | "repository" | "thread";

/** The model card's numbers, MiniHF's, and those of our own that keep the thread of a text from span to span. */
export const AVG_PRESETS: Readonly<Record<AvgPresetName, AvgPreset>> = {
  card: { draftPull: 0.5, meanPull: 0.3, keyPull: 0, draft: 4, tail: 2, goesOn: false },
  repository: { draftPull: 0.3, meanPull: 0.2, keyPull: 0, draft: 2, tail: 1, goesOn: false },
  thread: { draftPull: 0.3, meanPull: 0.2, keyPull: 0.5, draft: 1, tail: 1, goesOn: true },
};

/** Of a span: a text shorter than that says too little to go on from by its latent, and the base writes the drafts. */
const SHORT = 0.5;

/**
 * Each step writes nAvg drafts from the span's latent, pulled toward the prompt's, which holds the topic; the latents of
 * their ends are averaged, pulled again, and write the next span. That distils drafts into one better continuation.
 * With the averaging "one" a step writes a single draft.
 */
export async function* avg(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  options: SamplingOptions,
  preset: AvgPreset,
  averaging: Averaging = "mean",
): Sampler {
  const run = new SamplingRun(model, averaging === "one" ? { ...options, nAvg: 1 } : options);
  const { draftPull, meanPull, keyPull } = run.weights(pullsOf(preset));
  const [draftTokens, tail] = [preset.draft * options.span, preset.tail * options.span];
  const { goesOn } = preset;
  let span: TextOrLatent = run.withBos(prompt);
  let before = run.withBos(context);
  const topic = await run.sample(span, "prompt");
  for (let step = 0; step < options.nSteps; step++) {
    const text = tokensOf(span);
    const grown = [...before, ...text];
    const drafts =
      goesOn && !isLatent(span) && text.length < SHORT * options.span
        ? await run.plainDrafts(grown, draftTokens)
        : await run.drafts(
            await pulledSpan(run, span, topic, draftPull),
            before,
            // Drafts of a latent without a text write its span first.
            goesOn && isLatent(span) ? 2 * draftTokens : draftTokens,
            tail,
            goesOn ? text : [],
          );
    // The router writes z's span, then the one after it: the end of a draft speaks for what comes next.
    const next = averagedBy(
      averaging,
      drafts.map(({ latent }) => latent),
      run.space,
    );
    // The original writes on to the length of a draft and drops the rest.
    const toWrite = run.towardKey(
      run.mix([
        [next, 1 - meanPull],
        [topic, meanPull],
      ]),
      topic,
      keyPull,
    );
    const written = goesOn
      ? await run.write(run.ofLength(toWrite, draftTokens), grown, draftTokens, drafts, {
          endless: step + 1 < options.nSteps,
        })
      : await run.write(toWrite, before, draftTokens - tail, drafts);
    before = grown;
    yield written;
    span = written.ids;
  }
  // The last span written is not in it.
  return { ids: before };
}

/** The weights of a preset, which `SamplingOptions.weights` may replace. */
export function pullsOf({ draftPull, meanPull, keyPull }: AvgPreset) {
  return { draftPull, meanPull, keyPull };
}

/** The span's latent, pulled toward the topic. */
async function pulledSpan(
  run: SamplingRun,
  span: TextOrLatent,
  topic: TracedLatent,
  pull: number,
): Promise<TracedLatent> {
  const z = await run.sample(span, "span");
  return run.mix([
    [z, 1 - pull],
    [topic, pull],
  ]);
}

/** Writes from the mean of the user's own sentences, at tau 1 in MiniHF. */
export async function* userAvg(
  model: LatentModel,
  prompts: readonly TextOrLatent[],
  context: TokenIds,
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, options);
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
