/** What the page asks of the server. */

import { Client } from "../../src/client/client.js";
import { CORPUS, type FoundSpan, type NodeMarks, type PassedSpan, type ProjectNode } from "../../src/project/types.js";
import type { MapPoint, ShownPlan, StudioEvent } from "../../src/studio/events.js";
import type { Explanation, Step, TrainingRun } from "../../src/studio/types.js";

export type {
  Explanation,
  FoundSpan,
  MapPoint,
  NodeMarks,
  PassedSpan,
  ProjectNode,
  ShownPlan,
  Step,
  StudioEvent,
  TrainingRun,
};
export { CORPUS };

/** All that a page begins with. */
export interface StudioState {
  model: string;
  nodes: ProjectNode[];
  /** Nodes that are written on, with the text that is not kept yet. */
  writing: { node: number; text: string }[];
  /** Corpora that are read, and how far. */
  reading: ({ node: number } & Reading)[];
  /** The memory beside the project, where there is one. */
  memory: { folder: string; records: number; isCalibrated: boolean } | null;
  /** Names of the experts that branches may be written by, where there are any. */
  experts: string[] | null;
}

/** How many texts of a corpus are encoded. */
export interface Reading {
  done: number;
  total: number;
}

/** The map as it is laid now. */
export interface MapState {
  layout: string;
  round: number;
  points: MapPoint[];
  plans: ShownPlan[];
  /** Spans that were written along plans. */
  passed: PassedSpan[];
}

/** A change of one waypoint. */
export interface WaypointEdit {
  /** A place of the map, whose latent it takes. */
  at?: { x: number; y: number };
  text?: string;
  tolerance?: number;
  weight?: number;
  insert?: boolean;
  remove?: boolean;
}

export interface BranchRequest {
  parent?: number;
  sampler: string;
  /** A plan of the project that is followed. */
  plan?: number;
  branches: number;
  /** Whether drafts are recalled from the memory. */
  recalls?: boolean;
  /** Whether experts write. */
  byExperts?: boolean;
  options: Record<string, unknown>;
}

/** Calls on latents, which any client of the server may make. */
export const latents = new Client({ url: "" });

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(path, {
    ...(body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) throw new Error(await failure(answer));
  return (await answer.json()) as T;
}

async function failure(answer: Response): Promise<string> {
  try {
    const { error } = (await answer.json()) as { error?: { message?: string } };
    return error?.message ?? answer.statusText;
  } catch {
    return answer.statusText;
  }
}

export const api = {
  state: () => ask<StudioState>("/studio/state"),
  type: (text: string, parent?: number) => ask<ProjectNode>("/studio/type", { text, parent }),
  write: (request: BranchRequest) => ask<{ nodes: number[] }>("/studio/write", request),
  stop: (node: number) => ask("/studio/stop", { node }),
  mark: (node: number, marks: Partial<NodeMarks>) => ask("/studio/mark", { node, marks }),
  turn: (direction: "undo" | "redo") => ask("/studio/turn", { direction }),
  search: (words: string) => ask<{ found: FoundSpan[] }>("/studio/search", { words }),
  latent: (span: number) => ask<{ z: number[] }>("/studio/latent", { span }),
  place: (x: number, y: number) => ask<{ z: number[]; text: string; nearest: MapPoint }>("/studio/place", { x, y }),
  map: () => ask<MapState>("/studio/map"),
  lay: (layout: string) => ask("/studio/lay", { layout }),
  mean: (spans: number[]) => ask<{ z: number[]; text: string }>("/studio/mean", { spans }),
  explain: (text: string, signal?: AbortSignal) => ask<Explanation>("/studio/explain", { text }, signal),
  steps: (texts: string[], signal?: AbortSignal) => ask<{ steps: Step[] }>("/studio/steps", { texts }, signal),
  keepPlan: (title: string, plan: object[]) => ask<ShownPlan>("/studio/plan", { title, plan }),
  editPlan: (plan: number, number: number, edit: WaypointEdit) =>
    ask<ShownPlan>("/studio/plan/edit", { plan, number, ...edit }),
  mergePlans: (plans: number[], append: boolean) => ask<ShownPlan>("/studio/plan/merge", { plans, append }),
  removePlan: (plan: number) => ask("/studio/plan/remove", { plan }),
  runs: (names: string[]) => ask<{ folder: string; runs: TrainingRun[] }>("/studio/runs", { names }),
  addCorpus: (name: string, content: string) => ask<{ node: number }>("/studio/corpus", { name, content }),
  labels: (name?: string) => ask<{ names: string[]; values: [number, string | number][] }>("/studio/labels", { name }),
  importProject: (file: unknown) => ask<{ nodes: number }>("/studio/import", file),
};

const RETRY_MS = 1000;

/** Listens to the project for as long as the page lives; `onState` tells whether the server answers. */
export function listen(onEvent: (event: StudioEvent) => void, onState: (isOnline: boolean) => void): void {
  const source = new EventSource("/studio/events");
  source.onopen = () => onState(true);
  source.onerror = () => {
    onState(false);
    // A browser tries again by itself, but not where it was refused: while the model is loaded.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listen(onEvent, onState), RETRY_MS);
  };
  source.onmessage = ({ data }: MessageEvent<string>) => onEvent(JSON.parse(data) as StudioEvent);
}
