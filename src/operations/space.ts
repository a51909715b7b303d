/** The space of a loaded model's latents, as what is kept of them names it. */
import type { BigVae } from "../bigVae.js";
import { checkSameSpace, type SpaceIdentity, spaceOf } from "../latent/index.js";

/** What tells the latents of a model from others'. Throws "usage" for a base without adapters, which makes none. */
export async function spaceOfModel(vae: Pick<BigVae, "hashes" | "space">): Promise<SpaceIdentity> {
  return spaceOf(await vae.hashes(), vae.space.shape);
}

/** Throws "mismatch" where two spaces are not the same; `what` is of the first. */
export function checkSpace(own: SpaceIdentity, given: SpaceIdentity, what: string): void {
  checkSameSpace(own, given, what, "use the model that it was made with, or encode its texts anew");
}
