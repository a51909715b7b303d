/** Experts for a loaded model: those of a folder, known to be of its latents. */
import type { BigVae } from "../bigVae.js";
import { ExpertChoice, type ExpertOptions, readExperts } from "../expert/index.js";
import { checkSameSpace } from "../latent/index.js";
import { spaceOfModel } from "./space.js";

/**
 * The experts of a folder, to be handed to `vae.generate` as `experts`. Their keys are read now, an adapter when it first writes.
 * @throws BigVaeError: "usage" where there are none, "mismatch" where one is of another model's latents, "format" and "unsupported" for damaged files.
 * @example
 * const experts = await openExperts(vae, "experts", { k: 2 });
 * for await (const span of vae.generate("avg", { prompt: "Dear Tess,", experts }))
 *   console.log(span.text, span.written.experts);
 */
export async function openExperts(
  vae: Pick<BigVae, "hashes" | "space">,
  folder: string,
  options?: ExpertOptions,
): Promise<ExpertChoice> {
  const experts = await readExperts(folder);
  const own = await spaceOfModel(vae);
  const remedy = "use the model that it was trained for, or train it again for this one";
  for (const { facts } of experts) checkSameSpace(facts.space, own, `expert ${facts.name} of ${folder}`, remedy);
  return new ExpertChoice(experts, vae.space, options);
}
