/** What happens in a project while it is worked on, for whoever listens. */
import type { PassedWaypoint, ProjectNode } from "../project/types.js";

/** A span on the map. */
export interface MapPoint {
  /** Of the span; of a record of the memory, its own id, negative. */
  id: number;
  /** 0 for a record of the memory. */
  node: number;
  place: number;
  text: string;
  x: number;
  y: number;
  /** Number of the layout that it belongs to. */
  layout: number;
}

/** A plan on the map. */
export interface ShownPlan {
  id: number;
  title: string;
  removed: boolean;
  /** Number of the layout that its places belong to. */
  layout: number;
  waypoints: ShownWaypoint[];
}

interface ShownWaypoint {
  /** Empty where it is not known. */
  text: string;
  /** Of its latent. */
  hash: string;
  tolerance: number;
  weight: number;
  x: number;
  y: number;
  /** Distances to its neighbours. */
  toPrevious?: number;
  toNext?: number;
}

export type StudioEvent =
  /** A node that is new, or whose marks have changed. */
  | { kind: "node"; node: ProjectNode }
  /** A piece of text as it is written, behind the first `from` characters of its node; kept with its span. */
  | { kind: "text"; node: number; from: number; text: string }
  /** A span was kept, behind the first `from` characters of its node. Its point is left out where the text was not encoded; `recalled` are the points of the drafts that were recalled for it; `passed` is what a plan asked of it. */
  | {
      kind: "span";
      node: number;
      place: number;
      from: number;
      text: string;
      point?: MapPoint;
      recalled?: number[];
      passed?: PassedWaypoint;
    }
  /** A plan that is new, or has changed. */
  | { kind: "plan"; plan: ShownPlan }
  /** New records of the memory, and how many it has now. */
  | { kind: "memory"; records: number; points: MapPoint[] }
  /** Spans of a corpus were kept: how many of its texts are done. */
  | { kind: "corpus"; node: number; done: number; total: number; points: MapPoint[] }
  /** The map is being laid anew, from 0 to 1; at 1 all points have moved. */
  | { kind: "map"; share: number }
  /** Something that was begun could not be done; of a node, what was kept stays. */
  | { kind: "failed"; node?: number; message: string };

export class StudioEvents {
  readonly #listeners = new Set<(event: StudioEvent) => void>();

  /** Returns what ends the listening. */
  listen(listener: (event: StudioEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: StudioEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Tells why something could not be done. */
  fail(error: unknown, node?: number): void {
    const message = error instanceof Error ? error.message : String(error);
    this.tell({ kind: "failed", ...(node === undefined ? {} : { node }), message });
  }

  /** Closes a node that was written, and tells of it. A full disk is told too. */
  settle(project: { finish(node: number): void; node(id: number): ProjectNode }, node: number): void {
    try {
      project.finish(node);
      this.tell({ kind: "node", node: project.node(node) });
    } catch (error) {
      this.fail(error, node);
    }
  }
}
