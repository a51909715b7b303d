/** Which space a folder's latents are of, as it is kept in its file. */
import { damagedFact } from "../problems.js";
import { checkSpace, noMemory } from "../space.js";
import type { SpaceIdentity } from "../types.js";
import type { RecordStore } from "./recordStore.js";

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
