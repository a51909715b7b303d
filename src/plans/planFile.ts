/** A plan as a file: JSON that can be read and edited, with the latents beside it. */
import { exists } from "../formats/readFiles.js";
import type { NamedLatent } from "../host/latentFiles.js";
import type { SpaceIdentity } from "../latent/index.js";
import { DEFAULT_TOLERANCE, type Waypoint } from "../sampling/waypoints.js";
import { Fields, latentField, readJson, spaceField, wrong } from "./jsonFields.js";
import { checkJsonPath, writeWithLatents } from "./latentSheet.js";

const KIND = "bigvae plan";

/** A waypoint as a file has it: without a latent where its text is yet to be encoded. */
export interface StoredWaypoint extends Omit<Waypoint, "z"> {
  /** What is to be said there, [W]. */
  z?: Waypoint["z"];
}

/** A plan as a file has it. */
export interface StoredPlan {
  /** Of which space its latents are. */
  space: SpaceIdentity;
  waypoints: readonly StoredWaypoint[];
}

/**
 * Reads a plan; its latents are read from the files that it names. A waypoint whose text is not the one that its latent was written with has been
 * edited, and comes without latent.
 * @throws BigVaeError: "format" for a file that is missing, damaged or no plan, "usage" for a reference to no latent, "mismatch" for latents of another width.
 */
export async function readPlan(path: string): Promise<StoredPlan> {
  const file = (await readJson(path, KIND)).only("kind", "space", "waypoints");
  const space = spaceField(file);
  return { space, waypoints: await waypointsField(path, file, "waypoints", space) };
}

/** Throws where a plan may not be written: "usage" for another ending than .json, "format" for a file that is something else, which is not replaced. */
export async function checkPlanPath(path: string): Promise<void> {
  checkJsonPath(path);
  if (await exists(path)) await readJson(path, KIND);
}

/** Writes a plan in one step. @throws BigVaeError: "usage" for a path of another ending than .json, "disk". */
export async function writePlan(path: string, { space, waypoints }: StoredPlan): Promise<void> {
  await checkPlanPath(path);
  await writeWithLatents(path, latentsOf(waypoints), (references) => ({
    kind: KIND,
    space: named(space),
    waypoints: withReferences(waypoints, references),
  }));
}

/** The space by its fields alone. */
export function named({ base, encoder, zDim, slots, span }: SpaceIdentity): SpaceIdentity {
  return { base, encoder, zDim, slots, span };
}

/** The latents that are written beside waypoints. */
export function latentsOf(waypoints: readonly StoredWaypoint[]): NamedLatent[] {
  return waypoints.flatMap(({ z, text }) => (z ? [{ z, ...(text === undefined ? {} : { text }) }] : []));
}

/** Waypoints as JSON has them; references are given to those that have latents, in their order. */
export function withReferences(waypoints: readonly StoredWaypoint[], references: readonly string[]): object[] {
  const next = references.values();
  return waypoints.map(({ z, text, tolerance, weight }) => ({
    ...(text === undefined ? {} : { text }),
    ...{ tolerance, weight },
    ...(z ? { z: next.next().value } : {}),
  }));
}

/** The waypoints of a field of a file. */
export async function waypointsField(
  path: string,
  file: Fields,
  name: string,
  space: SpaceIdentity,
): Promise<StoredWaypoint[]> {
  const items = file.list(name).map((item, i) => Fields.of(`${file.where}, waypoint ${i + 1}`, item));
  return Promise.all(items.map((item) => storedWaypoint(path, item, space)));
}

async function storedWaypoint(path: string, item: Fields, space: SpaceIdentity): Promise<StoredWaypoint> {
  item.only("text", "tolerance", "weight", "z");
  if (!item.has("text") && !item.has("z")) throw wrong(item.where, "a text, a latent z, or both", undefined);
  const text = item.has("text") ? item.text("text") : undefined;
  const latent = item.has("z") ? await latentField(path, item, "z", space) : undefined;
  const isEdited = text !== undefined && latent?.text !== undefined && latent.text !== text;
  return {
    tolerance: item.has("tolerance") ? item.number("tolerance", 0, 2) : DEFAULT_TOLERANCE,
    weight: item.has("weight") ? item.number("weight", 0, 1) : 1,
    ...(text === undefined ? {} : { text }),
    ...(latent && !isEdited ? { z: latent.z } : {}),
  };
}
