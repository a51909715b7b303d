/** The HTTP side of the server: Fastify with the routes, and what holds of all of them. */
import { randomUUID } from "node:crypto";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from "fastify";
import { z } from "zod";
import { Strategies } from "../plans/index.js";
import { Rng } from "../rng.js";
import { EventStream, plainFloats } from "./eventStream.js";
import { answerTo, invalidBody, RequestError } from "./failures.js";
import { Metrics } from "./metrics.js";
import { openApiOf } from "./openApi.js";
import { Queue } from "./queue.js";
import type { RequestContext, Route } from "./route.js";
import { engineRoutes } from "./routes/engine.js";
import { latentRoutes } from "./routes/latents.js";
import { memoryRoutes } from "./routes/memory.js";
import { miniLoomRoutes } from "./routes/miniLoom.js";
import { openAiRoutes } from "./routes/openAi.js";
import { planRoutes } from "./routes/plans.js";
import { samplingRoutes } from "./routes/sampling.js";
import { closing, statusRoutes } from "./routes/status.js";
import { strategyRoutes } from "./routes/strategies.js";
import { Access, type AccessOptions } from "./security.js";
import type { ServedMemory } from "./servedMemory.js";
import type { ServedModel } from "./servedModel.js";

export interface AppOptions extends AccessOptions {
  /** Requests at work at most. */
  maxActive: number;
  /** Requests that wait at most; further ones are refused. */
  maxWaiting: number;
  /** Bytes of a body at most. */
  maxBodyBytes: number;
  /** The time that a connection has for the headers of a request. */
  headersTimeoutMs: number;
  /** Of all random numbers of requests without one. */
  seed: number;
  version: string;
  /** Folder of strategies. */
  strategies: string;
  /** What the studio adds. */
  studio?: { routes: readonly Route[]; attach(app: FastifyInstance): void } | undefined;
  /** Where log lines go; none are written without it. */
  log?: { write(line: string): void } | undefined;
}

/** A Fastify server, and what the rest of the program sees of it. */
export interface App {
  fastify: FastifyInstance;
  metrics: Metrics;
  /** From here on new requests are refused; settles when those at work are answered. */
  drain(): Promise<void>;
  /** Calls off what is at work. */
  abort(): void;
}

export function makeApp(model: ServedModel, memory: ServedMemory, options: AppOptions): App {
  const { maxBodyBytes, headersTimeoutMs, log, version } = options;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    logger: log ? { level: "info", stream: log, base: null } : false,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: "id" }),
    genReqId: (request) => requestId(request.headers["x-request-id"]),
    requestTimeout: 30_000,
    http: { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: headersTimeoutMs / 5 },
    forceCloseConnections: true,
    return503OnClosing: false,
    clientErrorHandler(error: NodeJS.ErrnoException, socket) {
      if (error.code === "ECONNRESET" || socket.destroyed) return;
      const { status, body } = answerTo(malformedRequest(error));
      const text = JSON.stringify(body);
      socket.end(
        `HTTP/1.1 ${status} Bad Request\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
    },
    frameworkErrors(error, _, reply: FastifyReply) {
      reply.code(400).send(answerTo(malformedRequest(error)).body);
    },
  });
  const answering = new Answering(app, model, memory, options);
  let documentation = "";
  const openApi: Route = {
    method: "GET",
    path: "/openapi.json",
    tag: "server",
    summary: "This document.",
    answer: z.looseObject({ openapi: z.string() }),
    handle: () => JSON.parse(documentation),
  };
  const routes = [
    ...openAiRoutes,
    ...latentRoutes,
    ...samplingRoutes,
    ...planRoutes,
    ...strategyRoutes,
    ...memoryRoutes,
    ...engineRoutes,
    ...miniLoomRoutes,
    ...statusRoutes(() => answering.isClosing),
    ...(options.studio?.routes ?? []),
    openApi,
  ];
  documentation = JSON.stringify(openApiOf(routes, version));
  readJson(app);
  guard(app, new Access(options));
  for (const each of routes)
    app.route({
      method: each.method,
      url: each.path,
      handler: (request, reply) => answering.answer(each, request, reply),
    });
  options.studio?.attach(app);
  app.setNotFoundHandler((request) => {
    throw new RequestError(404, "not_found", {
      subject: `${request.method} ${request.url.split("?")[0]!.slice(0, 80)}`,
      expected: "a route of this server",
      got: "none",
      remedy: "see /openapi.json",
    });
  });
  app.setErrorHandler((error, request, reply) => {
    const answer = answerTo(error);
    if (answer.status >= 500 && !(error instanceof RequestError)) request.log.error({ err: error }, "failed");
    if (answer.retryAfterSeconds !== undefined) reply.header("retry-after", answer.retryAfterSeconds);
    return reply.code(answer.status).send(answer.body);
  });
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "none";
    const ms = Math.round(reply.elapsedTime);
    answering.metrics.requests.inc({ route, status: String(reply.statusCode) });
    answering.metrics.seconds.observe({ route }, ms / 1000);
    request.log.info({ method: request.method, route, status: reply.statusCode, ms }, "answered");
  });
  return { fastify: app, metrics: answering.metrics, drain: () => answering.drain(), abort: () => answering.abort() };
}

/** Runs routes: queue, seeds, streams, and the end of all work. */
class Answering {
  readonly metrics: Metrics;
  readonly #queue: Queue;
  readonly #rng: Rng;
  readonly #strategies: Strategies;
  readonly #running = new Set<Promise<unknown>>();
  readonly #abort = new AbortController();
  #count = 0;
  isClosing = false;

  constructor(
    readonly app: FastifyInstance,
    readonly model: ServedModel,
    readonly memory: ServedMemory,
    { maxActive, maxWaiting, seed, strategies }: AppOptions,
  ) {
    this.#queue = new Queue(maxActive, maxWaiting);
    this.#rng = Rng.fromSeed(seed);
    this.#strategies = new Strategies(strategies);
    this.metrics = new Metrics(this.#queue, () => model.isReady);
  }

  async drain(): Promise<void> {
    this.isClosing = true;
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
  }

  abort(): void {
    this.#abort.abort();
  }

  async answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const run = this.#answer(route, request, reply);
    this.#running.add(run);
    try {
      return await run;
    } finally {
      this.#running.delete(run);
    }
  }

  async #answer(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const gone = new AbortController();
    reply.raw.once("close", () => {
      if (!reply.raw.writableFinished) gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, this.#abort.signal]);
    const rng = this.#rng.fork("request", this.#count++);
    const context: RequestContext = {
      ...{ model: this.model, memory: this.memory, strategies: this.#strategies, metrics: this.metrics },
      ...{ signal, id: request.id, rng },
    };
    if (route.method === "GET") return this.#send(reply, await route.handle(context, undefined));
    if (this.isClosing) throw closing();
    const body = parsed(route, request.body);
    const streams = typeof body === "object" && body !== null && "stream" in body && body.stream === true;
    const events = streams ? new EventStream(reply, () => gone.abort()) : undefined;
    try {
      this.model.get();
      const work = async () => route.handle(context, body, events && ((data, event) => events.send(data, event)));
      const answer = await this.#queue.run(work, signal);
      if (!events) return this.#send(reply, answer);
      if (route.streamEnd === undefined) events.send(answer, "result");
      events.end(route.streamEnd);
      return reply;
    } catch (error) {
      events?.drop();
      const failed = answerTo(error, route.names);
      if (failed.status >= 500 && !(error instanceof RequestError)) request.log.error({ err: error }, "failed");
      if (events?.hasBegun) {
        events.fail(failed);
        events.end(route.streamEnd);
        return reply;
      }
      if (failed.retryAfterSeconds !== undefined) reply.header("retry-after", failed.retryAfterSeconds);
      return reply.code(failed.status).send(failed.body);
    }
  }

  #send(reply: FastifyReply, answer: unknown): FastifyReply {
    if (typeof answer === "string") return reply.type("text/plain; version=0.0.4; charset=utf-8").send(answer);
    return reply.type("application/json; charset=utf-8").send(JSON.stringify(answer, plainFloats));
  }
}

function parsed(route: Route, body: unknown): unknown {
  const result = route.body!.safeParse(body ?? {});
  if (result.success) return result.data;
  throw invalidBody(result.error);
}

/** What is no HTTP request at all. */
function malformedRequest(error: Error & { code?: string }): RequestError {
  return new RequestError(error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400, "malformed_request", {
    subject: "request",
    expected: "well-formed HTTP",
    got: error.code ?? error.message.replace(/\.$/, ""),
    remedy: "send it again",
  });
}

/** Ids that callers give are kept where they are short and plain. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}

/** Bodies are JSON in UTF-8, and nothing else. */
function readJson(app: FastifyInstance): void {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, (_, body, done) => {
    try {
      done(null, JSON.parse(utf8.decode(body as Buffer)));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.slice(0, 120).replace(/\.$/, "") : "something else";
      done(
        new RequestError(400, "invalid_json", {
          subject: "body",
          expected: "JSON in UTF-8",
          got: reason,
          remedy: "send one JSON object",
        }),
      );
    }
  });
}

/** What every request passes: names of the server, origins of pages, the key. */
function guard(app: FastifyInstance, access: Access): void {
  const forMiniLoom = new Set(miniLoomRoutes.map(({ path }) => path));
  app.addHook("onRequest", async (request, reply) => {
    reply.header("x-request-id", request.id);
    const { host = "", origin } = request.headers;
    access.checkHost(request.headers.host);
    const path = request.url.split("?")[0]!;
    if (origin !== undefined && access.allowsOrigin(origin, host, forMiniLoom.has(path))) {
      reply.headers({
        "access-control-allow-origin": origin,
        vary: "origin",
        "access-control-expose-headers": "x-request-id, retry-after",
      });
      if (request.method === "OPTIONS")
        return reply
          .headers({
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "authorization, content-type, x-request-id",
            "access-control-max-age": "600",
          })
          .code(204)
          .send();
    }
    if (path !== "/healthz" && path !== "/readyz") access.checkKey(request.headers.authorization);
    return undefined;
  });
}
