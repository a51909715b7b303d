/** generate: the latent of each span writes the next ones. MiniHF vae_infer.py. */
import {
  type LatentModel,
  type Sampler,
  type SamplingOptions,
  type TextOrLatent,
  type TokenIds,
  tokensOf,
} from "./model.js";
import { SamplingRun } from "./samplingRun.js";

/** Each step encodes the span, writes four spans' worth of tokens after the context, and takes the last two as the next span. */
export async function* generate(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, options);
  let span: TextOrLatent = run.withBos(prompt);
  let before = run.withBos(context);
  for (let step = 0; step < options.nSteps; step++) {
    const z = await run.sample(span, step === 0 ? "prompt" : "span");
    const written = await run.write(z, before, 4 * options.span);
    before = [...before, ...tokensOf(span)];
    yield written;
    span = written.ids.slice(-2 * options.span);
  }
  // The last span written is not in it.
  return { ids: before };
}
