/** Routes of plans: what comes in and goes out is the plan itself, so that the server keeps none. */
import type { BigVae } from "../../bigVae.js";
import { distancesOf, editedPlan, joinedPlans, makePlan } from "../../operations/planMaking.js";
import { settled } from "../../operations/plans.js";
import type { Waypoint } from "../../sampling/waypoints.js";
import { type Route, route, seedOf, toLatent, toSource } from "../route.js";
import * as schemas from "../schemas/plan.js";

/** Waypoints with their latents: texts that have none are encoded. Throws "mismatch" for latents of another width. */
export function planOf(vae: BigVae, plan: readonly schemas.StoredWaypoint[], signal: AbortSignal): Promise<Waypoint[]> {
  const stored = plan.map(({ z, text, ...numbers }) => ({
    ...numbers,
    ...(z ? { z: toLatent(z) } : {}),
    ...(text === undefined ? {} : { text }),
  }));
  return settled(vae, stored, signal);
}

const make = route({
  method: "POST",
  path: "/plan/make",
  tag: "plans",
  summary: "Makes a plan of texts, along a line, by analogy or by search.",
  body: schemas.makeRequest,
  answer: schemas.makeAnswer,
  example: {
    ...{ by: "search", sources: ["They all danced."], context: "The owl lost a button." },
    ...{ steps: 2, nAvg: 2, beam: 1, seed: 7 },
  },
  async handle(context, { sources, seed, stream: _, ...options }, send) {
    const vae = context.model.withLatents();
    const own = seedOf(context, seed);
    const plan = await makePlan(vae, {
      ...options,
      ...{ sources: sources.map(toSource), seed: own, signal: context.signal },
      ...(send ? { onStep: (step) => send(step, "step") } : {}),
    });
    return { plan, seed: own };
  },
});

const TEXTS = [{ text: "A storm came up." }, { text: "They all danced." }];

const edit = route({
  method: "POST",
  path: "/plan/edit",
  tag: "plans",
  summary: "Changes a waypoint of a plan, takes it out, or puts another one there.",
  body: schemas.editRequest,
  answer: schemas.planAnswer,
  example: { plan: TEXTS, number: 2, text: "They all slept.", tolerance: 0.4 },
  async handle({ model, signal }, { plan, number, z, ...edit }) {
    const vae = model.withLatents();
    const change = { ...edit, ...(z ? { z: toLatent(z) } : {}) };
    return { plan: await editedPlan(vae, await planOf(vae, plan, signal), number, change, signal) };
  },
});

const merge = route({
  method: "POST",
  path: "/plan/merge",
  tag: "plans",
  summary: "Plans as one: mixed where they stand at the same place, or one after the other.",
  body: schemas.mergeRequest,
  answer: schemas.planAnswer,
  example: { plans: [TEXTS, [{ text: "It was calm." }]], weights: [2, 1] },
  async handle({ model, signal }, { plans, ...joining }) {
    const vae = model.withLatents();
    const settledPlans = await Promise.all(plans.map((plan) => planOf(vae, plan, signal)));
    return { plan: joinedPlans(vae.space, settledPlans, joining) };
  },
});

const show = route({
  method: "POST",
  path: "/plan/show",
  tag: "plans",
  summary: "What each waypoint of a plan says, and how far it is from its neighbours.",
  body: schemas.showRequest,
  answer: schemas.showAnswer,
  example: { plan: TEXTS },
  async handle({ model, signal }, body) {
    const vae = model.withLatents();
    const plan = await planOf(vae, body.plan, signal);
    const zs = plan.map(({ z }) => z);
    const texts = await vae.decodeAll(zs, { signal });
    const distances = distancesOf(vae.space, plan);
    return { waypoints: plan.map((each, i) => ({ ...each, decoded: texts[i]!.trim(), ...distances[i] })) };
  },
});

export const planRoutes: readonly Route[] = [make, edit, merge, show];
