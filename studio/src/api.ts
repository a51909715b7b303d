/** What the page asks of the server. */

import { CORPUS, type FoundSpan, type NodeMarks, type ProjectNode } from "../../src/project/types.js";
import type { MapPoint, StudioEvent } from "../../src/studio/events.js";

export type { FoundSpan, MapPoint, NodeMarks, ProjectNode, StudioEvent };
export { CORPUS };

/** All that a page begins with. */
export interface StudioState {
  model: string;
  nodes: ProjectNode[];
  /** Nodes that are written on, with the text that is not kept yet. */
  writing: { node: number; text: string }[];
  /** Corpora that are read, and how far. */
  reading: ({ node: number } & Reading)[];
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
}

export interface BranchRequest {
  parent?: number;
  sampler: string;
  branches: number;
  options: Record<string, unknown>;
}

/** A part of a mix: a text, or a latent. */
export interface MixPart {
  weight: number;
  source: string | number[];
}

export class ServerError extends Error {}

async function ask<T>(path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const answer = await fetch(path, {
    ...(body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) throw new ServerError(await failure(answer));
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
  addCorpus: (name: string, content: string) => ask<{ node: number }>("/studio/corpus", { name, content }),
  importProject: (file: unknown) => ask<{ nodes: number }>("/studio/import", file),
};

/** Listens to the project; `onState` tells whether the server answers. */
export function listen(onEvent: (event: StudioEvent) => void, onState: (isOnline: boolean) => void): () => void {
  const source = new EventSource("/studio/events");
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  source.onmessage = ({ data }: MessageEvent<string>) => onEvent(JSON.parse(data) as StudioEvent);
  return () => source.close();
}

/** Mixes latents and tells the text as it is written; resolves with the whole. */
export async function streamMix(
  request: { parts: MixPart[]; kind: string },
  onText: (piece: string) => void,
  signal: AbortSignal,
): Promise<{ text: string; norm: number }> {
  const answer = await fetch("/latent/mix", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...request, stream: true }),
    signal,
  });
  if (!answer.ok || !answer.body) throw new ServerError(await failure(answer));
  let result: { text: string; norm: number } | undefined;
  for await (const { event, data } of eventsOf(answer.body)) {
    const value = JSON.parse(data) as { text: string; norm: number; error?: { message: string } };
    if (event === "error") throw new ServerError(value.error?.message ?? data);
    if (event === "result") result = value;
    else if (typeof value.text === "string") onText(value.text);
  }
  if (!result) throw new ServerError("the answer ended early");
  return result;
}

/** Server-sent events of a body. */
async function* eventsOf(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<{ event: string; data: string }> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const lines = buffer.slice(0, end).split("\n");
      buffer = buffer.slice(end + 2);
      const field = (name: string) =>
        lines
          .filter((line) => line.startsWith(`${name}: `))
          .map((line) => line.slice(name.length + 2))
          .join("\n");
      const data = field("data");
      if (data !== "") yield { event: field("event") || "message", data };
    }
  }
}
