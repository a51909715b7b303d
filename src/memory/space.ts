/** Which space a memory's latents are of, as it is kept and compared. */
import { BigVaeError } from "../errors.js";
import { checkSameSpace } from "../latent/index.js";
import { damagedFact } from "./problems.js";
import type { RecordStore } from "./recordStore.js";
import type { SpaceIdentity } from "./types.js";

const FACT = "space";

/** The space of a memory's latents. Throws "format" where it cannot be read. */
export function spaceOf(store: RecordStore): SpaceIdentity {
  const fact = store.fact(FACT);
  if (fact === undefined) throw damagedFact(store.path, FACT);
  return JSON.parse(fact) as SpaceIdentity;
}

/**
 * The space of a memory that is opened for latents of `given`: a new one takes it. Throws "mismatch" where the memory's is another, "usage"
 * where a new one is told none.
 */
export function settledSpace(store: RecordStore, folder: string, given: SpaceIdentity | undefined): SpaceIdentity {
  if (!store.isNew()) {
    const own = spaceOf(store);
    if (given) checkSpace(own, given, `memory ${folder}`);
    return own;
  }
  if (given === undefined) throw noMemory(folder);
  const { base, encoder, zDim, slots, span } = given;
  store.together(() => {
    store.setFact(FACT, JSON.stringify({ base, encoder, zDim, slots, span }));
    store.reserve(0);
  });
  return given;
}

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
