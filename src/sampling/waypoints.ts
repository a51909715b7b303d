/** Plans: the places that a text is to pass, one after the other. Pure functions on their latents. */
import { BigVaeError } from "../errors.js";
import { checkLatent, type Latent, type LatentSpace } from "../latent/index.js";

/** A place that a text is to pass. */
export interface Waypoint {
  /** What is to be said there, [W]. */
  z: Latent;
  /** The waypoint is reached by a span whose latent is no farther from it (`latentDistance`), 0 to 2. */
  tolerance: number;
  /** How far it counts against the context, 0 to 1. */
  weight: number;
  /** What it says, where that is known. */
  text?: string;
}

/** Waypoints in the order in which they are passed. */
export type Plan = readonly Waypoint[];

/** Waypoints of a plan that is made or sent, at most. */
export const MOST_WAYPOINTS = 512;

/** Ways to a plan: a waypoint for each text, from each to the next, what is to the third as the second is to the first, and a search toward a goal. */
export const PLAN_WAYS = ["texts", "line", "analogy", "search"] as const;
/** One of PLAN_WAYS. */
export type PlanWay = (typeof PLAN_WAYS)[number];

/** Of waypoints that do not say otherwise. Of spans of unrelated stories, fewer than 1 % are as near (docs/plans.md). */
export const DEFAULT_TOLERANCE = 0.45;

/** How far apart two latents are: 1 - their similarity (`LatentSpace.similarity`), 0 to 2. */
export function latentDistance(space: LatentSpace, a: Latent, b: Latent): number {
  return 1 - space.similarity(a, b);
}

/** A waypoint with the usual tolerance and the whole weight. */
export function waypoint(z: Latent, settings: Partial<Omit<Waypoint, "z">> = {}): Waypoint {
  return { z, tolerance: DEFAULT_TOLERANCE, weight: 1, ...settings };
}

/** `count` waypoints on the line from a to b: evenly spread between the two, neither of which is among them. */
export function lineBetweenLatents(space: LatentSpace, a: Latent, b: Latent, count: number): Waypoint[] {
  return Array.from({ length: count }, (_, i) => waypoint(between(space, a, b, (i + 1) / (count + 1))));
}

/** In a straight line; of a space of one slot at the norm between theirs, as its blends are (`BigVae.interpolate`). */
function between(space: LatentSpace, a: Latent, b: Latent, t: number): Latent {
  return space.hasLength ? space.lerp(a, b, t) : space.normLerp(a, b, t);
}

/**
 * The plan by analogy: it leads from `to` where the given one leads from `from`. Each waypoint is z + to - from, with its own length where latents
 * have one, and without its text, which it no longer says.
 */
export function transposed(space: LatentSpace, plan: Plan, from: Latent, to: Latent): Waypoint[] {
  return plan.map(({ z, tolerance, weight }) => {
    const moved = space.weightedSum([z, to, from], [1, 1, -1]);
    return { z: space.ofLength(moved, space.lengthOf(z)), tolerance, weight };
  });
}

/**
 * Several plans as one, as long as the longest: each is read at places spread evenly over it, and what stands there is mixed by the plans' weights at
 * the mean norm. Tolerances and weights are means; a text stays where a single plan has a share.
 * @throws BigVaeError("usage") for no plan, an empty one, or weights that are not above 0, one for each.
 */
export function mergedPlans(
  space: LatentSpace,
  plans: readonly Plan[],
  weights: readonly number[] = plans.map(() => 1),
): Waypoint[] {
  checkMerge(plans, weights);
  const shares = sharesOf(weights);
  const length = Math.max(...plans.map((plan) => plan.length));
  return Array.from({ length }, (_, i) => {
    const parts = plans.map((plan) => placeOf(space, plan, length === 1 ? 1 : i / (length - 1)));
    if (parts.length === 1) return parts[0]!;
    const mean = (of: (part: Waypoint) => number) => parts.reduce((sum, part, k) => sum + shares[k]! * of(part), 0);
    const z = space.normKeptSum(
      parts.map((part) => part.z),
      shares,
    );
    return { z, tolerance: mean(({ tolerance }) => tolerance), weight: mean(({ weight }) => weight) };
  });
}

/** Weights above 0 as shares of their sum, which may be larger than any number. */
export function sharesOf(weights: readonly number[]): number[] {
  const largest = Math.max(...weights);
  const total = weights.reduce((sum, weight) => sum + weight / largest, 0);
  return weights.map((weight) => weight / largest / total);
}

/** What stands at a place of a plan, from 0 at its first waypoint to 1 at its last. */
function placeOf(space: LatentSpace, plan: Plan, place: number): Waypoint {
  const at = place * (plan.length - 1);
  const [before, after] = [plan[Math.floor(at)]!, plan[Math.ceil(at)]!];
  const t = at - Math.floor(at);
  if (t === 0) return before;
  const lerp = (a: number, b: number) => (1 - t) * a + t * b;
  return {
    z: between(space, before.z, after.z, t),
    tolerance: lerp(before.tolerance, after.tolerance),
    weight: lerp(before.weight, after.weight),
  };
}

function checkMerge(plans: readonly Plan[], weights: readonly number[]): void {
  const isSound = plans.length > 0 && weights.length === plans.length && weights.every((weight) => weight > 0);
  if (isSound && plans.every((plan) => plan.length > 0)) return;
  throw new BigVaeError("usage", {
    subject: "merge",
    expected: "plans of at least one waypoint, and a weight above 0 for each",
    got: `plans of ${plans.map((plan) => plan.length).join(", ") || "nothing"} with the weights ${weights.join(", ") || "none"}`,
    remedy: "give a weight for each plan, or none for equal ones",
  });
}

/** @throws BigVaeError: "usage" for what is no plan, "mismatch" and "nonFinite" for latents that are not of the space. */
export function checkPlan(what: string, plan: Plan, width: number): Plan {
  const fail = (expected: string, got: unknown): never => {
    throw new BigVaeError("usage", { subject: what, expected, got: `${got}`, remedy: "give waypoints in their order" });
  };
  if (!Array.isArray(plan))
    return fail("a list of waypoints", plan === null ? "null" : `a value of type ${typeof plan}`);
  if (plan.length === 0) return fail("at least one waypoint", "an empty list");
  for (const [i, given] of plan.entries()) {
    const { z, tolerance, weight } = (given ?? {}) as Waypoint;
    const named = `${what}, waypoint ${i + 1}`;
    if (!(z instanceof Float32Array)) fail(`a latent as z of waypoint ${i + 1}`, z);
    checkLatent(z, width, named);
    checkNumbers(named, { tolerance, weight });
  }
  return plan;
}

/** @throws BigVaeError("usage") for a tolerance outside 0 to 2, or a weight outside 0 to 1. */
export function checkNumbers(what: string, { tolerance, weight }: Pick<Waypoint, "tolerance" | "weight">): void {
  for (const [name, value, most] of [
    ["tolerance", tolerance, 2],
    ["weight", weight, 1],
  ] as const) {
    if (typeof value === "number" && value >= 0 && value <= most) continue;
    throw new BigVaeError("usage", {
      subject: what,
      expected: `\`${name}\` to be a number from 0 to ${most}`,
      got: `${value}`,
      remedy: "leave it out for the usual one",
    });
  }
}
