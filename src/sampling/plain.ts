/** Plain sampling: the base goes on from a text by itself, without a latent. */
import type { LatentModel, SamplingOptions, TokenIds, Written } from "./model.js";
import { SamplingRun } from "./samplingRun.js";

/** A span that the base has written. */
export interface PlainSpan {
  /** The new tokens, without the context. */
  ids: TokenIds;
}

/** `options.nSteps` spans, or fewer where the text ends. The text is read behind the token that begins one. */
export async function* plain(
  model: LatentModel,
  context: TokenIds,
  options: SamplingOptions,
): AsyncGenerator<PlainSpan, Written, void> {
  const run = new SamplingRun(model, options);
  const { nSteps, ignoreEos } = options;
  let text = context;
  for (let step = 0; step < nSteps; step++) {
    const ids = await run.writePlain(text);
    yield { ids };
    text = [...text, ...ids];
    if (!ignoreEos && ids.at(-1) === model.tokenizer.eosId) break;
  }
  return { ids: text };
}
