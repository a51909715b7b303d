/** The studio on a server: a project, its loom, the routes of the page, and the page itself. */
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { BigVae } from "../bigVae.js";
import { hashLatents } from "../host/modelFiles.js";
import { exportProject, type Project } from "../project/index.js";
import { samplers } from "../sampling/samplers.js";
import { LAYOUTS } from "../studio/layout.js";
import { Loom } from "../studio/loom.js";
import { EventStream } from "./eventStream.js";
import { type RequestContext, type Route, route, seedOf, toSource } from "./route.js";
import { latent, seed, text } from "./schemas/common.js";
import type { ServedModel } from "./servedModel.js";
import { attachPage } from "./studioPage.js";

export interface Studio {
  routes: readonly Route[];
  attach(app: FastifyInstance): void;
  /** Stops what is written, and closes the project. */
  close(): Promise<void>;
}

/** Says whose latents the project holds. Throws "mismatch" for another model's. */
export async function claimLatents(project: Project, { paths }: BigVae, model: string): Promise<void> {
  const sha256 = await hashLatents(paths);
  if (sha256 !== undefined) project.addFacts({ model, latents_sha256: sha256 });
}

export function openStudio(model: ServedModel, project: Project): Studio {
  let made: Loom | undefined;
  // The map needs the space of the model's latents.
  const loom = () => (made ??= new Loom(project, () => model.withLatents()));
  const streams = new Set<EventStream>();
  return {
    routes: routesOf(loom, model),
    attach(app) {
      attachPage(app);
      app.get("/studio/events", (_, reply) => {
        const { events: told } = loom();
        const events = new EventStream(reply, () => stop());
        streams.add(events);
        const stop = told.listen((event) => events.send(event));
        reply.raw.once("close", () => {
          stop();
          events.drop();
          streams.delete(events);
        });
        events.open();
      });
      app.get("/studio/export", (_, reply) =>
        reply
          .header("content-disposition", 'attachment; filename="project.json"')
          .type("application/json; charset=utf-8")
          .send(JSON.stringify(exportProject(project))),
      );
    },
    async close() {
      await made?.close();
      for (const events of streams) events.end();
      await project.close();
    },
  };
}

const id = z.int().min(1);
const node = z.looseObject({ id, text: z.string(), finished: z.boolean() });
const at = { x: z.number(), y: z.number() };
const point = z.object({ id, node: id, place: z.int(), text: z.string(), ...at, layout: z.int() });
const layout = z.enum(LAYOUTS);
const done = z.object({ done: z.literal(true) });

/** `loom` throws a 503 while the model is loaded. */
function routesOf(loom: () => Loom, model: ServedModel): Route[] {
  const studioRoute = <Body extends z.ZodType, Answer extends z.ZodType>(
    path: string,
    summary: string,
    body: Body,
    answer: Answer,
    handle: (loom: Loom, body: z.output<Body>, context: RequestContext) => unknown,
    example?: z.input<Body>,
  ): Route =>
    route({
      ...{ method: "POST", path, tag: "studio", summary, body, answer },
      ...(example === undefined ? {} : { example }),
      handle: (context, request) => handle(loom(), request, context),
    });
  const state = route({
    method: "GET",
    path: "/studio/state",
    tag: "studio",
    summary: "The project: its nodes, and what is being written or read.",
    answer: z.object({
      model: z.string(),
      nodes: z.array(node),
      writing: z.array(z.object({ node: id, text: z.string() })),
      reading: z.array(z.object({ node: id, done: z.int(), total: z.int() })),
    }),
    handle: () => ({
      model: model.name,
      nodes: loom().nodes(),
      writing: loom().pending(),
      reading: loom().corpora.pending(),
    }),
  });
  const map = route({
    method: "GET",
    path: "/studio/map",
    tag: "studio",
    summary: "The spans of the project on a plane.",
    answer: z.object({ layout, round: z.int(), points: z.array(point) }),
    handle() {
      const { map } = loom().atlas;
      return { layout: map.layout, round: map.round, points: map.points() };
    },
  });
  const options = z.strictObject({
    prompt: z.union([text, latent]).optional(),
    terminal: z.union([text, latent]).optional(),
    nSteps: z.int().min(1).max(64).optional(),
    nAvg: z.int().min(1).max(16).optional(),
    span: z.int().min(1).optional(),
    tau: z.number().min(0).optional(),
    noise: z.number().min(0).optional(),
  });
  return [
    state,
    map,
    studioRoute(
      "/studio/type",
      "Adds a typed text to the tree, cut into spans and encoded.",
      z.strictObject({ text, parent: id.optional(), title: z.string().max(200).optional() }),
      node,
      (at, { text, parent, title = "" }) => at.type(text, { title, ...(parent === undefined ? {} : { parent }) }),
      { text: "The fox found a lamp." },
    ),
    studioRoute(
      "/studio/write",
      "Begins branches behind a node; what is written is told by /studio/events.",
      z.strictObject({
        parent: id,
        sampler: z.enum(Object.keys(samplers) as [keyof typeof samplers]).default("avg"),
        branches: z.int().min(1).max(16).default(1),
        seed: seed.optional(),
        options: options.default({}),
      }),
      z.object({ nodes: z.array(id) }),
      (at, { options: { prompt, terminal, ...numbers }, seed, ...request }, context) => ({
        nodes: at.write({
          ...request,
          seed: seedOf(context, seed),
          options: {
            ...numbers,
            ...(prompt === undefined ? {} : { prompt: toSource(prompt) }),
            ...(terminal === undefined ? {} : { terminal: toSource(terminal) }),
          },
        }),
      }),
    ),
    studioRoute(
      "/studio/stop",
      "Ends the writing of a node, or the reading of a corpus.",
      z.strictObject({ node: id }),
      done,
      (at, body) => {
        at.stop(body.node);
        return { done: true };
      },
    ),
    studioRoute(
      "/studio/mark",
      "Changes title, rating, unread or removed of a node.",
      z.strictObject({
        node: id,
        marks: z.strictObject({
          title: z.string().max(200).optional(),
          rating: z.int().min(-1).max(1).optional(),
          unread: z.boolean().optional(),
          removed: z.boolean().optional(),
        }),
      }),
      done,
      (at, body) => {
        at.mark(body.node, body.marks as Parameters<Loom["mark"]>[1]);
        return { done: true };
      },
    ),
    studioRoute(
      "/studio/turn",
      "Undoes the newest change of a mark, or does it again.",
      z.strictObject({ direction: z.enum(["undo", "redo"]) }),
      done,
      (at, { direction }) => {
        at.turn(direction);
        return { done: true };
      },
    ),
    studioRoute(
      "/studio/search",
      "Spans that hold all words.",
      z.strictObject({ words: z.string().max(200) }),
      z.object({ found: z.array(z.object({ node: id, place: z.int(), excerpt: z.string() })) }),
      (at, { words }) => ({ found: at.project.search(words) }),
      { words: "fox" },
    ),
    studioRoute(
      "/studio/latent",
      "The latent of a span.",
      z.strictObject({ span: id }),
      z.object({ z: latent }),
      ({ atlas }, { span }) => ({ z: atlas.latentOf(span) }),
    ),
    studioRoute(
      "/studio/place",
      "The text of a place on the map.",
      z.strictObject(at),
      z.object({ z: latent, text: z.string(), nearest: point }),
      ({ atlas }, { x, y }, { signal }) => atlas.read(x, y, signal),
    ),
    studioRoute(
      "/studio/mean",
      "The text of the mean of spans.",
      z.strictObject({ spans: z.array(id).min(1).max(1_000_000) }),
      z.object({ z: latent, text: z.string() }),
      ({ atlas }, { spans }, { signal }) => atlas.mean(spans, signal),
    ),
    studioRoute("/studio/lay", "Lays the map anew.", z.strictObject({ layout }), done, ({ atlas }, body) => {
      atlas.lay(body.layout);
      return { done: true };
    }),
    studioRoute(
      "/studio/corpus",
      "Begins to read the texts of a file into the project: lines, or records of .jsonl.",
      z.strictObject({ name: z.string().min(1).max(200), content: z.string() }),
      z.object({ node: id }),
      async ({ corpora }, { name, content }) => ({ node: await corpora.add(name, content) }),
      { name: "two.txt", content: "It rained.\nThe fox ran home." },
    ),
    studioRoute(
      "/studio/import",
      "Adds the nodes of an export.",
      z.looseObject({ format: z.string() }),
      z.object({ nodes: z.int() }),
      (at, file) => ({ nodes: at.import(file) }),
    ),
  ];
}
