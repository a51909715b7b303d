/** How the latents of several drafts become one. */
import { BigVaeError } from "../errors.js";
import type { LatentSpace } from "../latent/index.js";
import type { TracedLatent } from "./model.js";
import { averaged } from "./samplingRun.js";

type Rule = (latents: readonly TracedLatent[], space: LatentSpace) => TracedLatent;

const RULES = {
  /** Their mean, as on the model card: shorter than they are, the more they differ. */
  mean: averaged,
  /** The mean at the mean of their norms. */
  normKept: (latents, space) => {
    const mean = averaged(latents);
    const norm = space.meanNorm(latents.map(({ z }) => z));
    return { ...mean, z: space.rescale(mean.z, norm), norm };
  },
  /** The medoid: a latent that belongs to an actual text. */
  medoid: (latents, space) => {
    const z = space.medoid(latents.map((latent) => latent.z));
    return latents.find((latent) => latent.z === z)!;
  },
  /** The first: nothing is averaged. */
  one: ([first]) => first!,
} satisfies Record<string, Rule>;

/** A rule by its name: the mean (the card's), the mean at their mean norm, the one nearest to all, or the first alone. */
export type Averaging = keyof typeof RULES;

export const AVERAGING_RULES = Object.keys(RULES) as Averaging[];

/** One latent of several. */
export function averagedBy(averaging: Averaging, latents: readonly TracedLatent[], space: LatentSpace): TracedLatent {
  return RULES[averaging](latents, space);
}

/** @throws BigVaeError("usage") for an unknown rule. */
export function checkAveraging(averaging: Averaging): Averaging {
  if (Object.hasOwn(RULES, averaging)) return averaging;
  throw new BigVaeError("usage", {
    subject: "avg",
    expected: `averaging by ${AVERAGING_RULES.join(", ")}`,
    got: JSON.stringify(averaging),
    remedy: "leave it out for the card's",
  });
}
