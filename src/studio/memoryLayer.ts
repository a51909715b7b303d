/** The memory beside a project: its records are points of the map, and branches recall its drafts. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import type { Memory } from "../memory/index.js";
import type { DraftMemory } from "../sampling/draftMemory.js";
import type { MapPoint, StudioEvents } from "./events.js";
import type { SpanMap } from "./spanMap.js";

/** What the studio needs of a memory. */
export interface StudioMemory {
  /** The open memory. */
  get(): Pick<Memory, "count" | "ids" | "record">;
  /** Its drafts. Throws "usage" where it is not calibrated. */
  drafts(model: BigVae): Promise<{ forRun(): DraftMemory }>;
}

/** Records on the map at most: the newest. */
const MOST_SHOWN = 100_000;
export class MemoryLayer {
  constructor(
    readonly memory: StudioMemory,
    readonly events: StudioEvents,
    readonly map: SpanMap,
  ) {}

  /** Puts the records on the map. */
  async show(): Promise<void> {
    await this.#place((await this.memory.get().ids()).slice(-MOST_SHOWN));
    if (this.map.isStale) this.map.layByAxes();
    this.events.tell({ kind: "map", share: 1 });
  }

  /** Brings the map up to records that were added or deleted elsewhere. */
  async change({
    added = [],
    deleted = [],
  }: {
    added?: readonly number[];
    deleted?: readonly number[];
  }): Promise<void> {
    this.map.remove(new Set(deleted.map(pointOfRecord)));
    const points = await this.#place(added);
    this.events.tell({ kind: "memory", records: await this.memory.get().count(), points });
    // Pages take all points anew.
    if (deleted.length > 0) this.events.tell({ kind: "map", share: 1 });
  }

  /** The latent of a point of a record. Throws "usage" for one that was deleted meanwhile. */
  async latentOf(point: number): Promise<Latent> {
    return (await this.memory.get().record(recordOf(point))).z;
  }

  /** The drafts for one run. */
  async forRun(model: BigVae): Promise<DraftMemory> {
    return (await this.memory.drafts(model)).forRun();
  }

  async #place(ids: readonly number[]): Promise<MapPoint[]> {
    const memory = this.memory.get();
    const points: MapPoint[] = [];
    for (const id of ids) {
      const record = await memory.record(id).catch(unlessDeleted);
      if (!record) continue;
      const { text, z } = record;
      const point = this.map.add({ id: pointOfRecord(id), node: 0, place: 0, text, z });
      if (point) points.push(point);
    }
    return points;
  }
}

/** A record may be deleted while others are read. */
function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof BigVaeError && error.kind === "usage")) throw error;
}

/** Points of records have negative ids and node 0: they are no spans of the project. */
export function pointOfRecord(record: number): number {
  return -record;
}

/** Whether a point is of a record. */
export function isOfRecord(point: number): boolean {
  return point < 0;
}

function recordOf(point: number): number {
  return -point;
}
