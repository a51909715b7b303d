/** The task vector: what example texts have in common. */
import { BigVaeError } from "../errors.js";
import { type Example, isLatent, type TextOrLatent, type TracedLatent } from "./model.js";
import type { SamplingRun } from "./samplingRun.js";

/** Examples as texts and latents, and how many texts each counts as. */
export function countedExamples(examples: readonly Example[]): { sources: TextOrLatent[]; counts: number[] } {
  return {
    sources: examples.map((example) => ("z" in example ? example.z : example)),
    counts: examples.map((example) => ("z" in example ? example.examples : 1)),
  };
}

/** Means of the first span of each example, averaged, with their mean length. */
export async function taskVector(run: SamplingRun, examples: readonly Example[]): Promise<TracedLatent> {
  if (examples.length === 0)
    throw new BigVaeError("usage", {
      subject: "task vector",
      expected: "example texts",
      got: "none",
      remedy: "give at least one",
    });
  const { sources, counts } = countedExamples(examples);
  const means = await run.means(
    sources.map((source) => (isLatent(source) ? source : source.slice(0, run.options.span))),
    "task",
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  const parents = means.map((latent, i) => ({ latent, weight: counts[i]! / total }));
  const norm = parents.reduce((sum, { latent, weight }) => sum + weight * run.space.norm(latent.z), 0);
  const mean = run.space.weightedSum(
    means.map(({ z }) => z),
    parents.map(({ weight }) => weight),
  );
  return { z: run.space.rescale(mean, norm), role: "task", parents, norm };
}
