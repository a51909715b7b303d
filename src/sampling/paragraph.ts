/** paragraph: averaged spans that keep to a topic and a task, then the topic of the next paragraph. MiniHF vae_infer.py. */
import { weightedSum } from "../latent/index.js";
import type { LatentModel, Sampler, SamplingOptions, TokenIds, TracedLatent } from "./model.js";
import { averaged, mix, Run } from "./run.js";

/** `options.nSteps` is 5 in MiniHF. */
export async function* paragraph(
  model: LatentModel,
  prompt: TokenIds,
  context: TokenIds,
  examples: readonly TokenIds[],
  options: SamplingOptions,
): Sampler {
  const run = new Run(model, options);
  const s = options.span;
  let span = run.withBos(prompt);
  let before = run.withBos(context);
  const topic = await run.sample(span, "prompt");
  const task = await summedTask(run, examples);
  const spanLatents: TracedLatent[] = [];
  for (let step = 0; step < options.nSteps; step++) {
    const z = await run.sample(span, "span");
    const drafts = await run.drafts(
      mix([
        [z, 0.7],
        [topic, 0.2],
        [task, 0.1],
      ]),
      before,
      2 * s,
      s,
    );
    const next = mix([
      [averaged(drafts.map(({ latent }) => latent)), 0.8],
      [task, 0.2],
    ]);
    // The original writes two spans and drops the second.
    const written = await run.write(next, before, s, drafts);
    before = [...before, ...span];
    yield written;
    span = written.ids;
    spanLatents.push(next);
  }
  const blankLine = run.model.tokenizer.encode("\n\n");
  const written = await run.write(
    nextTopic(spanLatents),
    [...before, ...run.withBos(blankLine)],
    2 * s,
    [],
    options.tau === 0 ? 0 : NEXT_TOPIC_TAU,
  );
  yield written;
  return { ids: before, next: [...blankLine, ...written.ids] };
}

/** MiniHF samples the next topic at 1; noise off stays off. */
const NEXT_TOPIC_TAU = 1;

/** The plain sum of z of the last span of each example, which has the beginning token in front. */
async function summedTask(run: Run, examples: readonly TokenIds[]): Promise<TracedLatent> {
  const latents = await run.samples(
    examples.map((ids) => run.withBos(ids).slice(-run.options.span)),
    "task",
  );
  const z = weightedSum(
    latents.map((latent) => latent.z),
    latents.map(() => 1),
  );
  return { z, role: "task", parents: latents.map((latent) => ({ latent, weight: 1 })) };
}

/** Half of the first latent, 0.3 of the last, 0.2 of the mean of those between. */
function nextTopic(latents: readonly TracedLatent[]): TracedLatent {
  const [first, last] = [latents[0]!, latents.at(-1)!];
  const middle = latents.slice(1, -1);
  return middle.length === 0
    ? mix([
        [first, 0.5 / 0.8],
        [last, 0.3 / 0.8],
      ])
    : mix([
        [first, 0.5],
        [last, 0.3],
        [averaged(middle), 0.2],
      ]);
}
