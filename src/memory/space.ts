/** Spaces of latents, compared. */
import { BigVaeError } from "../errors.js";
import { checkSameSpace } from "../latent/index.js";
import type { SpaceIdentity } from "./types.js";

/** Throws "mismatch" where two spaces are not the same; `what` is of the first. */
export function checkSpace(own: SpaceIdentity, given: SpaceIdentity, what: string): void {
  const remedy = "use the model that it was made with, or encode its texts into a new memory";
  checkSameSpace(own, given, what, remedy);
}

/** The error of a folder that holds no memory, and no space to begin one with. */
export function noMemory(folder: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `memory ${folder}`,
    expected: "a memory",
    got: "none",
    remedy: "begin one: bigvae memory add keeps texts, bigvae memory calibrate makes it fit for drafts",
  });
}
