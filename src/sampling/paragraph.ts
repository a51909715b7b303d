/** paragraph: averaged spans that keep to a topic and a task, then the topic of the next paragraph. MiniHF vae_infer.py. */
import {
  type Example,
  isLatent,
  type LatentModel,
  type Sampler,
  type SamplingOptions,
  type TextOrLatent,
  type TokenIds,
  type TracedLatent,
  tokensOf,
} from "./model.js";
import { askedFor, PlanWalk, weigh } from "./planWalk.js";
import { averaged, SamplingRun } from "./samplingRun.js";
import { countedExamples } from "./task.js";
import type { Plan } from "./waypoints.js";

/** Of what drafts are written from; the task's share of what a span is written from; of what the next topic is written from. */
export const PARAGRAPH_WEIGHTS = {
  span: 0.7,
  prompt: 0.2,
  task: 0.1,
  taskPull: 0.2,
  first: 0.5,
  last: 0.3,
  middle: 0.2,
};

/**
 * `options.nSteps` is 5 in MiniHF. With a plan, the waypoint that is asked for stands where the task does: drafts are written from 0.1 of it, and its
 * share in what a span is written from is weighed as the policy's, with `taskPull` as its lead. The spans end with the plan.
 */
export async function* paragraph(
  model: LatentModel,
  prompt: TextOrLatent,
  context: TokenIds,
  examples: readonly Example[],
  options: SamplingOptions,
  plan?: Plan,
): Sampler {
  const run = new SamplingRun(model, options);
  const weights = run.weights(PARAGRAPH_WEIGHTS);
  const s = options.span;
  let span: TextOrLatent = run.withBos(prompt);
  let before = run.withBos(context);
  const topic = await run.sample(span, "prompt");
  const walk = plan && new PlanWalk(plan, Number.POSITIVE_INFINITY, run.space);
  const summed = walk ? undefined : await summedTask(run, examples);
  const spanLatents: TracedLatent[] = [];
  for (let step = 0; step < options.nSteps && (!walk || walk.current); step++) {
    const task = summed ?? askedFor(walk!);
    const z = await run.sample(span, "span");
    const drafts = await run.drafts(
      run.mix([
        [z, weights.span],
        [topic, weights.prompt],
        [task, weights.task],
      ]),
      before,
      2 * s,
      s,
    );
    const wish = averaged(drafts.map(({ latent }) => latent));
    const weighed = walk && weigh(run, walk, wish, weights.taskPull);
    const next =
      weighed?.latent ??
      run.mix([
        [wish, 1 - weights.taskPull],
        [task, weights.taskPull],
      ]);
    // The original writes two spans and drops the second.
    const written = await run.write(next, before, s, drafts);
    before = [...before, ...tokensOf(span)];
    const arrived = weighed && walk.pass(weighed.asked, await run.mean(written.ids, "span"), weighed);
    yield { ...written, ...(arrived ? { plan: arrived } : {}) };
    span = written.ids;
    spanLatents.push(next);
  }
  const blankLine = run.model.tokenizer.encode("\n\n");
  const written = await run.write(
    nextTopic(run, spanLatents, weights),
    [...before, ...run.withBos(blankLine)],
    2 * s,
    [],
    { tau: options.tau === 0 ? 0 : NEXT_TOPIC_TAU },
  );
  yield written;
  return { ids: before, next: [...blankLine, ...written.ids] };
}

/** MiniHF samples the next topic at 1; noise off stays off. */
const NEXT_TOPIC_TAU = 1;

/** The plain sum of z of the last span of each example, which has the beginning token in front. A mean counts as often as it has examples. */
async function summedTask(run: SamplingRun, examples: readonly Example[]): Promise<TracedLatent> {
  const { sources, counts } = countedExamples(examples);
  const latents = await run.samples(
    sources.map((source) => (isLatent(source) ? source : run.withBos(source).slice(-run.options.span))),
    "task",
  );
  const z = run.space.weightedSum(
    latents.map((latent) => latent.z),
    counts,
  );
  return { z, role: "task", parents: latents.map((latent, i) => ({ latent, weight: counts[i]! })) };
}

/** Half of the first latent, 0.3 of the last, 0.2 of the mean of those between; of two, by the same ratio. */
function nextTopic(
  run: SamplingRun,
  latents: readonly TracedLatent[],
  weights: typeof PARAGRAPH_WEIGHTS,
): TracedLatent {
  const [first, last] = [latents[0]!, latents.at(-1)!];
  const middle = latents.slice(1, -1);
  const ends = weights.first + weights.last;
  return middle.length === 0
    ? run.mix([
        [first, weights.first / ends],
        [last, weights.last / ends],
      ])
    : run.mix([
        [first, weights.first],
        [last, weights.last],
        [averaged(middle), weights.middle],
      ]);
}
