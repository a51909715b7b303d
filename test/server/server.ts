/** The built server with the pocket model, as a program would start it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import type { ServeOptions, Server } from "../../src/server/serve.js";

/** Starts one on a free port, and waits until its model is loaded. */
export async function startServer(options: Partial<ServeOptions> = {}): Promise<Server> {
  const { serve } = (await import(
    /* @vite-ignore */ new URL("../../dist/server/serve.js", import.meta.url).href
  )) as typeof import("../../src/server/serve.js");
  const server = await serve({ port: 0, seed: 1, version: "0.0.0", load: { threads: 1 }, ...options });
  await server.loaded.catch(async (error) => {
    await server.close();
    throw error;
  });
  return server;
}

/** Starts one for all tests of a file, with a memory and strategies in a folder of its own; the server and the folder, once it runs. */
export function startServerWithMemory(): { server: Server; folder: string } {
  const started = {} as { server: Server; folder: string };
  beforeAll(async () => {
    started.folder = await mkdtemp(join(tmpdir(), "bigvae-served-memory-"));
    started.server = await startServer({ memory: started.folder, strategies: join(started.folder, "strategies") });
  });
  afterAll(async () => {
    await started.server.close();
    await rm(started.folder, { recursive: true });
  });
  return started;
}

/** An answer, its body read. */
export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** The shape of an error. */
export interface Failed {
  error: { message: string; type: string; param: string | null; code: string | null };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
export async function post<T = any>(url: string, body: unknown, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await fetch(url, {
    method: "POST",
    body: typeof body === "string" || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
}

/** One event of a stream. */
export interface ServerEvent {
  event: string;
  data: string;
}

/** The events of a text, as EventSource reads them. */
export function eventsOf(text: string): ServerEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block.includes("data: "))
    .map((block) => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? "message",
      data: /^data: (.*)$/m.exec(block)![1]!,
    }));
}

/** Whether a condition comes true within a time. */
export async function until(holds: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (await holds()) return true;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return holds();
}
