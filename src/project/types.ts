/** What a project holds, as the studio and its files see it. */

/** The origin of texts that are no text of the tree: each line of a file is a span or several, and all are one node. */
export const CORPUS = "corpus";

/** Part of a text, and where it came from. */
export interface ProjectSpan {
  text: string;
  /** [Z]; left out for text that was not encoded. */
  z?: Float32Array;
  /** What its latent was mixed from: roles and weights, as a trace tells them. First { labels, plan }, where something is said of the span by name, or a plan asked for it. */
  origins?: readonly unknown[];
}

/** Fields of a node that may change. */
export interface NodeMarks {
  title: string;
  /** -1, 0 or 1. */
  rating: number;
  unread: boolean;
  removed: boolean;
}

export interface ProjectNode extends NodeMarks {
  id: number;
  /** None of the first node of a text. */
  parent?: number;
  /** Who wrote it: "typed", a sampler, or CORPUS. */
  origin: string;
  /** Options of the sampler. */
  settings: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  created: number;
  /** Whether it was written to its end. */
  finished: boolean;
  /** Empty for a corpus. */
  text: string;
}

/** A new node. */
export interface NewNode extends Partial<NodeMarks> {
  parent?: number;
  origin: string;
  settings?: Readonly<Record<string, unknown>>;
  /** Default: now. */
  created?: number;
}

/** A span with its place in the project. */
export interface PlacedSpan extends ProjectSpan {
  id: number;
  node: number;
  /** Its number within the node. */
  place: number;
}

/** A place that a text is to pass. */
export interface ProjectWaypoint {
  /** [Z] */
  z: Float32Array;
  /** What it says, where that is known. */
  text?: string;
  tolerance: number;
  weight: number;
}

export interface ProjectPlan {
  id: number;
  title: string;
  removed: boolean;
  /** In their order. */
  waypoints: readonly ProjectWaypoint[];
}

/** What a change was of. */
export interface Changed {
  kind: "node" | "plan";
  id: number;
}

/** What a plan asked of a span, and what came of it. */
export interface PassedWaypoint {
  /** Number of the waypoint of the plan, from 1, as the plan was then. */
  waypoint: number;
  /** Of the waypoint's latent: by it the waypoint is known where the plan has changed since. */
  hash: string;
  /** Whether a search put another one on the way to it, which was asked for. */
  isFound: boolean;
  /** Number of the try. */
  tries: number;
  distance: number;
  tolerance: number;
  isReached: boolean;
}

/** A span that was written along a plan. */
export interface PassedSpan extends PassedWaypoint {
  node: number;
  place: number;
  text: string;
}

/** A span that a search found. */
export interface FoundSpan {
  node: number;
  place: number;
  /** The text around the words, which stand between \u0001 and \u0002. */
  excerpt: string;
}

/** A project as JSON: latents are base64 of little-endian fp32. */
export interface ProjectFile {
  format: "bigvae-project";
  version: number;
  facts: Readonly<Record<string, string>>;
  nodes: readonly (Omit<ProjectNode, "text"> & {
    spans: readonly { text: string; z?: string; origins?: readonly unknown[] }[];
  })[];
  /** None in an export of version 1. */
  plans?: readonly StoredPlan[];
}

/** A plan as JSON: latents are base64 of little-endian fp32. */
export interface StoredPlan extends Omit<ProjectPlan, "waypoints"> {
  waypoints: readonly (Omit<ProjectWaypoint, "z"> & { z: string })[];
}
