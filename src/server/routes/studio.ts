/** Routes of the studio's page. */
import { z } from "zod";
import { samplers, suitedSampler } from "../../sampling/samplers.js";
import { LAYOUTS } from "../../studio/layout.js";
import type { Loom } from "../../studio/loom.js";
import { MOST_TITLE } from "../../studio/plans.js";
import { explain, measureSteps } from "../../studio/reading.js";
import type { Runs } from "../../studio/runs.js";
import { type RequestContext, type Route, route, seedOf, toSource } from "../route.js";
import { latent, seed, text } from "../schemas/common.js";
import { editRequest, mergeRequest, plan as storedPlan } from "../schemas/plan.js";
import type { ServedMemory } from "../servedMemory.js";
import type { ServedModel } from "../servedModel.js";
import { planOf } from "./plans.js";

const id = z.int().min(1);
const node = z.looseObject({ id, text: z.string(), finished: z.boolean() });
const at = { x: z.number(), y: z.number() };
/** Of a span of the project, or, negative, of a record of the memory. */
const pointId = z.int();
const point = z.object({ id: pointId, node: z.int().min(0), place: z.int(), text: z.string(), ...at, layout: z.int() });
const layout = z.enum(LAYOUTS);
const plan = z.object({
  id,
  title: z.string(),
  removed: z.boolean(),
  layout: z.int(),
  waypoints: z.array(
    z.object({
      ...{ text: z.string(), hash: z.string(), tolerance: z.number(), weight: z.number(), ...at },
      ...{ toPrevious: z.number().optional(), toNext: z.number().optional() },
    }),
  ),
});
/** A span that was written along a plan. */
const passed = z.looseObject({ node: id, place: z.int(), text: z.string(), waypoint: z.int(), isReached: z.boolean() });
const { number, tolerance, weight, insert, remove } = editRequest.shape;
const { append } = mergeRequest.shape;
const done = z.object({ done: z.literal(true) });

/** `loom` throws a 503 while the model is loaded. */
export function studioRoutes(
  loom: () => Loom,
  model: ServedModel,
  runs: Runs,
  memory: ServedMemory | undefined,
): Route[] {
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
      memory: z.object({ folder: z.string(), records: z.int(), isCalibrated: z.boolean() }).nullable(),
      experts: z.array(z.string()).nullable().describe("their names"),
    }),
    handle: async () => ({
      model: model.name,
      nodes: loom().nodes(),
      writing: loom().pending(),
      reading: loom().corpora.pending(),
      memory: memory
        ? {
            folder: memory.folder,
            records: await memory.get().count(),
            isCalibrated: (await memory.limits()) !== undefined,
          }
        : null,
      experts: model.openExperts ? model.experts(1).names : null,
    }),
  });
  const map = route({
    method: "GET",
    path: "/studio/map",
    tag: "studio",
    summary: "The spans of the project on a plane, and its plans.",
    answer: z.object({ layout, round: z.int(), points: z.array(point), plans: z.array(plan), passed: z.array(passed) }),
    handle() {
      const { atlas, plans, project } = loom();
      const { layout, round } = atlas.map;
      return { layout, round, points: atlas.map.points(), plans: plans.shown(), passed: project.passed() };
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
      z.strictObject({ text, parent: id.optional(), title: z.string().max(MOST_TITLE).optional() }),
      node,
      (at, { text, parent, title = "" }) => at.type(text, { title, ...(parent === undefined ? {} : { parent }) }),
      { text: "The fox found a lamp." },
    ),
    studioRoute(
      "/studio/write",
      "Begins branches behind a node; what is written is told by /studio/events.",
      z.strictObject({
        parent: id,
        sampler: z
          .enum(Object.keys(samplers) as [keyof typeof samplers])
          .optional()
          .describe("default: policy where there is a plan, else avg"),
        branches: z.int().min(1).max(16).default(1),
        plan: id.optional().describe("a plan of the project that is followed"),
        byExperts: z.boolean().default(false).describe("whether experts write"),
        recalls: z.boolean().default(false).describe("whether drafts are recalled from the memory, and kept in it"),
        seed: seed.optional(),
        options: options.default({}),
      }),
      z.object({ nodes: z.array(id) }),
      async (at, { options: { prompt, terminal, ...numbers }, seed, sampler, ...request }, context) => ({
        nodes: await at.write({
          ...request,
          sampler: sampler ?? suitedSampler({ hasPlan: request.plan !== undefined }),
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
          title: z.string().max(MOST_TITLE).optional(),
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
      async (at, { direction }) => {
        await at.turn(direction);
        return { done: true };
      },
    ),
    studioRoute(
      "/studio/plan",
      "Keeps a plan in the project.",
      z.strictObject({ title: z.string().max(MOST_TITLE), plan: storedPlan }),
      plan,
      async ({ plans }, { title, plan }, { model, signal }) =>
        plans.keep(title, await planOf(model.withLatents(), plan, signal)),
      { title: "Home", plan: [{ text: "They all came home." }] },
    ),
    studioRoute(
      "/studio/plan/edit",
      "Changes a waypoint of a plan, takes it out, or puts another one there; at a place of the map it takes the latent of that place.",
      z.strictObject({
        ...{ plan: id, number, at: z.strictObject(at).optional(), text: text.optional() },
        ...{ tolerance, weight, insert, remove },
      }),
      plan,
      ({ plans }, { plan, number, ...edit }, { signal }) => plans.edit(plan, number, edit, signal),
    ),
    studioRoute(
      "/studio/plan/merge",
      "Keeps plans of the project as one more: mixed where they stand at the same place, or one after the other.",
      z.strictObject({ plans: z.array(id).min(2).max(64), append }),
      plan,
      ({ plans }, { plans: ids, append }, { signal }) => plans.merge(ids, { append }, signal),
    ),
    studioRoute(
      "/studio/plan/remove",
      "Takes a plan out.",
      z.strictObject({ plan: id }),
      done,
      async ({ plans }, body) => {
        await plans.remove(body.plan);
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
      z.strictObject({ span: pointId }),
      z.object({ z: latent }),
      async ({ atlas }, { span }) => ({ z: await atlas.latentOf(span) }),
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
      z.strictObject({ spans: z.array(pointId).min(1).max(1_000_000) }),
      z.object({ z: latent, text: z.string() }),
      ({ atlas }, { spans }, { signal }) => atlas.mean(spans, signal),
    ),
    studioRoute(
      "/studio/explain",
      "How a text is read: what its latent was taken from, what comes back of it, and the spans nearest to it.",
      z.strictObject({ text }),
      z.object({
        pieces: z.array(z.object({ text: z.string(), weight: z.number(), slots: z.array(z.number()) })),
        reconstruction: z.string(),
        confidence: z.number(),
        isKnown: z.boolean(),
        longerThanSpan: z.boolean(),
        nearest: z.array(point.extend({ similarity: z.number() })),
      }),
      ({ atlas }, { text }, { signal }) => explain({ atlas, model: model.withLatents() }, text, signal),
      { text: "The fox found a lamp." },
    ),
    studioRoute(
      "/studio/steps",
      "How a chain of texts goes from step to step.",
      z.strictObject({ texts: z.array(text).min(1).max(64) }),
      z.object({
        steps: z.array(z.object({ ...at, loss: z.number(), toPrevious: z.number() })),
      }),
      async ({ atlas }, { texts }, { signal }) => ({
        steps: await measureSteps({ atlas, model: model.withLatents() }, texts, signal),
      }),
      { texts: ["The fox found a lamp.", "The fox lost it."] },
    ),
    studioRoute(
      "/studio/runs",
      "Training runs, the newest first; those that are named with their curves.",
      z.strictObject({ names: z.array(z.string().max(200)).max(8) }),
      z.object({
        folder: z.string(),
        runs: z.array(z.looseObject({ name: z.string(), command: z.string(), step: z.int() })),
      }),
      async (_, { names }) => ({ folder: runs.folder, runs: await runs.list(names) }),
      { names: [] },
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
      "/studio/labels",
      "Labels of spans under a name: fields of records, the experts that wrote; without a name, the names.",
      z.strictObject({ name: z.string().max(200).optional() }),
      z.object({
        names: z.array(z.string()),
        values: z.array(z.tuple([id, z.union([z.string(), z.number()])])),
      }),
      ({ project }, { name }) => ({
        names: project.labelNames(),
        values: name === undefined ? [] : project.labels(name),
      }),
      {},
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
