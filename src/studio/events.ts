/** What happens in a project while it is worked on, for whoever listens. */
import type { ProjectNode } from "../project/types.js";

/** A span on the map. */
export interface MapPoint {
  /** Of the span. */
  id: number;
  node: number;
  place: number;
  text: string;
  x: number;
  y: number;
}

export type StudioEvent =
  /** A node that is new, or whose marks have changed. */
  | { kind: "node"; node: ProjectNode }
  /** A piece of text as it is written; kept with its span. */
  | { kind: "text"; node: number; text: string }
  /** A span was kept. Its point is left out where the text was not encoded. */
  | { kind: "span"; node: number; place: number; text: string; point?: MapPoint }
  /** The map was laid anew: all points have moved. */
  | { kind: "map"; points: MapPoint[] }
  /** A node could not be written on. */
  | { kind: "failed"; node: number; message: string };

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
}
