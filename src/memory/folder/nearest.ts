/** The nearest records of a folder: the index chooses more than are asked for, and what it chose is compared again by the records' own latents. */
import { FIRST_CHOICE, type Latent, type LatentSpace } from "../../latent/index.js";
import { Comparison, type FoundId, LEAST_CHOSEN, type NearQuery, OVERSAMPLING } from "../search.js";
import { type Condition, conditionOf } from "./filter.js";
import type { RecordStore } from "./recordStore.js";

/** Looks for records near to a latent: their ids, about the nearest first. */
type Choose = (key: Latent, count: number) => number[];

/** So many records that fit a filter are all compared; of more, the index chooses. */
const ALL_COMPARED = 2000;

/** The records nearest to z that fit, the nearest first. `choose` is the index; it is not asked where all records are compared. */
export function nearestRecords(store: RecordStore, space: LatentSpace, choose: Choose, query: NearQuery): FoundId[] {
  const { z, count, filter, by, exact } = query;
  const condition: Condition | undefined = conditionOf(filter);
  const fitting = condition && store.ids(condition, { limit: ALL_COMPARED + 1 });
  if (fitting && fitting.length <= ALL_COMPARED) return compared(store, space, query, fitting);
  const all = () => (condition ? store.ids(condition) : store.everyId());
  if (exact) return compared(store, space, query, all());
  const key = space.key(z);
  const least = by === "match" ? FIRST_CHOICE : LEAST_CHOSEN;
  const last = store.last();
  for (let chosen = Math.max(OVERSAMPLING * count, least); chosen < last; chosen *= OVERSAMPLING) {
    const ids = choose(key, chosen);
    const found = compared(store, space, query, condition ? store.ids(condition, { among: ids }) : ids);
    if (found.length >= count) return found;
    // A filter that few fit: from here on all of them are less work.
    if (chosen > ALL_COMPARED * OVERSAMPLING) break;
  }
  return compared(store, space, query, all());
}

/** The nearest of some records, by their latents as they are stored. */
function compared(store: RecordStore, space: LatentSpace, query: NearQuery, ids: readonly number[]): FoundId[] {
  const comparison = new Comparison(space, query);
  for (let from = 0; from < ids.length; from += 1024)
    for (const latents of store.latents(ids.slice(from, from + 1024))) comparison.add(latents);
  return comparison.found();
}
