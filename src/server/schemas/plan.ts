/** Requests and answers of the routes under /plan and /strategy, and plans as all routes take and give them. */
import { z } from "zod";
import { DEFAULT_TOLERANCE, MOST_WAYPOINTS, PLAN_WAYS } from "../../sampling/waypoints.js";
import { latent, MAX_INPUTS, seed, stream, tau, text, textOrLatent } from "./common.js";

const tolerance = z.number().min(0).max(2).describe("distance within which a waypoint is reached");
const weight = z.number().min(0).max(1).describe("how far a waypoint counts against the context");

const waypoint = z
  .strictObject({
    z: latent.optional(),
    text: text.optional().describe("what it is to say; encoded where there is no z"),
    tolerance: tolerance.default(DEFAULT_TOLERANCE),
    weight: weight.default(1),
  })
  .refine((given) => given.z !== undefined || given.text !== undefined, "expected z or text");
export type StoredWaypoint = z.output<typeof waypoint>;
export const plan = z.array(waypoint).min(1).max(MOST_WAYPOINTS).describe("waypoints in their order");
/** A plan that was made: every waypoint has its latent. */
const madePlan = z.array(z.object({ z: latent, text: z.string().optional(), tolerance, weight }));

export const makeRequest = z.strictObject({
  by: z
    .enum(PLAN_WAYS)
    .default("texts")
    .describe(
      "a waypoint for each source; from each to the next; what is to the third as the second is to the first; a search from the context to the only one",
    ),
  sources: z.array(textOrLatent).min(1).max(MAX_INPUTS),
  tolerance: tolerance.optional(),
  weight: weight.optional(),
  steps: z
    .int()
    .min(1)
    .max(64)
    .optional()
    .describe("line, search: waypoints to each source, that one included; default: 4"),
  context: text.optional().describe("search: text that the plan goes on from"),
  nAvg: z.int().min(1).max(64).optional().describe("search: directions from each way; default: 4"),
  beam: z.int().min(1).max(64).optional().describe("search: ways that are kept at each step; default: 2"),
  tau: tau.optional().describe("search: temperature of what is written on the way; default: 0.9"),
  weights: z
    .record(z.string(), z.number())
    .optional()
    .describe("search: what likelihood, nearness and coherence count"),
  seed: seed.optional(),
  stream: stream.default(false).describe("whether each step of a search is told as it is done, as an event named step"),
});
export const makeAnswer = z.object({ plan: madePlan, seed: z.int() });

export const editRequest = z.strictObject({
  plan,
  number: z.int().min(1).describe("of the waypoint, from 1"),
  z: latent.optional(),
  text: text.optional().describe("what it is to say; encoded where there is no z"),
  tolerance: tolerance.optional(),
  weight: weight.optional(),
  insert: z.boolean().default(false).describe("whether a new waypoint is put there"),
  remove: z.boolean().default(false).describe("whether it is taken out"),
});
export const mergeRequest = z.strictObject({
  plans: z.array(plan).min(2).max(64),
  weights: z.array(z.number()).optional().describe("what each plan counts; default: all the same"),
  append: z.boolean().default(false).describe("one after the other, in place of mixed"),
});
export const planAnswer = z.object({ plan: madePlan });

export const showRequest = z.strictObject({ plan });
export const showAnswer = z.object({
  waypoints: z.array(
    z.object({
      ...madePlan.element.shape,
      decoded: z.string().describe("what the decoder makes of its latent"),
      toPrevious: z.number().optional().describe("distance to the waypoint before it"),
      toNext: z.number().optional().describe("distance to the waypoint behind it"),
    }),
  ),
});

const taskVector = z.strictObject({ z: latent, examples: z.int().min(1) });
/** Texts, latents, and task vectors of several. */
export const examples = z.array(z.union([textOrLatent, taskVector])).max(MAX_INPUTS);
export const strategyName = z.string().min(1).max(120);
const version = z.int().min(1);
const from = z.array(z.string()).describe("the strategies that it was merged from");

export const strategiesAnswer = z.object({
  folder: z.string(),
  strategies: z.array(
    z.object({
      name: z.string(),
      versions: z.array(version).describe("the newest last"),
      examples: z.int().optional().describe("of the newest version's task vector"),
      waypoints: z.int().optional().describe("of the newest version's plan"),
      problem: z.string().optional().describe("why the newest version cannot be read"),
    }),
  ),
});
export const saveStrategyRequest = z.strictObject({
  name: strategyName,
  examples: examples.default([]).describe("what it is to resemble"),
  plan: plan.optional().describe("places to pass"),
  origin: textOrLatent.optional().describe("where the plan begins: applied elsewhere, it is moved by analogy"),
});
export const saveStrategyAnswer = z.object({ name: z.string(), version });
export const showStrategyRequest = z.strictObject({ name: strategyName.describe("NAME, or NAME@VERSION") });
export const showStrategyAnswer = z.object({
  ...saveStrategyAnswer.shape,
  task: z.object({ z: latent, examples: z.int() }).optional(),
  plan: z.array(madePlan.element.partial({ z: true })).optional(),
  origin: latent.optional(),
  from: from.optional(),
});
export const removeStrategyRequest = z.strictObject({
  name: strategyName.describe("NAME@VERSION for that version, NAME for all of them"),
});
export const removeStrategyAnswer = z.object({ removed: z.int() });
export const mergeStrategiesRequest = z.strictObject({
  name: strategyName.describe("of the new one"),
  names: z.array(strategyName).min(1).max(64).describe("the strategies to merge, as NAME or NAME@VERSION"),
  weights: z.array(z.number()).optional().describe("what each counts; default: all the same"),
});
export const mergeStrategiesAnswer = z.object({ ...saveStrategyAnswer.shape, from });
