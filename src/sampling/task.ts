/** The task vector: what example texts have in common. */
import { BigVaeError } from "../errors.js";
import { average } from "../latent/index.js";
import { isLatent, type TextOrLatent, type TracedLatent } from "./model.js";
import type { SamplingRun } from "./samplingRun.js";

/** Means of the first span of each example, averaged, with their mean length. */
export async function taskVector(run: SamplingRun, examples: readonly TextOrLatent[]): Promise<TracedLatent> {
  if (examples.length === 0)
    throw new BigVaeError("usage", {
      subject: "task vector",
      expected: "example texts",
      got: "none",
      remedy: "give at least one",
    });
  const means = await run.means(
    examples.map((example) => (isLatent(example) ? example : example.slice(0, run.options.span))),
    "task",
  );
  const zs = means.map(({ z }) => z);
  const norm = run.space.meanNorm(zs);
  const parents = means.map((latent) => ({ latent, weight: 1 / means.length }));
  return { z: run.space.rescale(average(zs), norm), role: "task", parents, norm };
}
