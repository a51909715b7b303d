/** A route as a value: from its schemas come validation, types and its part of the OpenAPI document. */
import type { z } from "zod";
import type { BigVae, TaskExample } from "../bigVae.js";
import { checkLatent } from "../latent/index.js";
import type { Strategies } from "../plans/index.js";
import type { Rng } from "../rng.js";
import type { Metrics } from "./metrics.js";
import type { ServedMemory } from "./servedMemory.js";
import type { ServedModel } from "./servedModel.js";

/** What a request has besides its body. */
export interface RequestContext {
  model: ServedModel;
  memory: ServedMemory;
  /** The server's folder of them. */
  strategies: Strategies;
  metrics: Metrics;
  /** Aborts when the connection closes. */
  signal: AbortSignal;
  /** Of the request, in answers that have one. */
  id: string;
  /** Random numbers of this request, where it gives no seed. */
  rng: Rng;
}

/** Sends a part of an answer while it is written. */
export type Send = (data: unknown, event?: string) => void;

export interface Route<Body extends z.ZodType = z.ZodType, Answer extends z.ZodType = z.ZodType> {
  method: "GET" | "POST";
  path: string;
  summary: string;
  tag: "OpenAI" | "latents" | "plans" | "memory" | "MiniLoom" | "engine" | "studio" | "server";
  body?: Body;
  answer: Answer;
  /** A body that the pocket model answers. */
  example?: z.input<Body>;
  /** What ends a stream of events; default: an event named result, with the whole answer. */
  streamEnd?: string;
  /** Options of the library by what this route calls them. */
  names?: Readonly<Record<string, string>>;
  /** Whether it is answered without a key, in a full queue, and while the server closes. */
  isOpen?: boolean;
  /** `send` is there where the body asks for a stream. What is returned is then the last event. */
  handle(context: RequestContext, body: z.output<Body>, send?: Send): Promise<z.input<Answer>> | z.input<Answer>;
}

/** A route with the types of its schemas. */
export function route<Body extends z.ZodType, Answer extends z.ZodType>(
  of: Omit<Route<Body, Answer>, "handle"> & {
    handle(context: RequestContext, body: z.output<Body>, send?: Send): Promise<unknown> | unknown;
  },
): Route {
  return of as unknown as Route;
}

/** The seed of a request: its own, or one of the server's. */
export function seedOf({ rng }: RequestContext, seed: number | null | undefined): number {
  return seed ?? rng.integer(2 ** 31);
}

/** JSON's numbers as a latent. */
export function toLatent(z: readonly number[]): Float32Array {
  return Float32Array.from(z);
}

/** A text as it is, numbers as a latent. */
export function toSource(source: string | readonly number[]): string | Float32Array {
  return typeof source === "string" ? source : toLatent(source);
}

/** A text, a latent, or a task vector of several examples. */
export function toExample(example: string | readonly number[] | { z: number[]; examples: number }): TaskExample {
  return typeof example === "object" && "z" in example
    ? { z: toLatent(example.z), examples: example.examples }
    : toSource(example);
}

/** Latents of texts, encoded together, and of latents. */
export async function latentsOf(
  vae: BigVae,
  sources: readonly (string | readonly number[])[],
  signal: AbortSignal,
): Promise<{ zs: Float32Array[]; longerThanSpan: boolean }> {
  const texts = sources.filter((source) => typeof source === "string");
  const encoded = texts.length > 0 ? await vae.encode(texts, signal) : [];
  const means = encoded.map(({ mean }) => mean).values();
  const zs = sources.map((source, i) => {
    if (typeof source === "string") return means.next().value!;
    const z = toLatent(source);
    checkLatent(z, vae.width, `latent ${i + 1}`);
    return z;
  });
  return { zs, longerThanSpan: encoded.some((text) => text.longerThanSpan) };
}
