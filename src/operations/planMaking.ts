/** Plans made in one of four ways, changed waypoint by waypoint, joined and measured: the same for the command line, the server and the studio. */
import type { BigVae, TextOrLatent } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { checkLatent, type Latent, type LatentSpace } from "../latent/index.js";
import type { StoredWaypoint } from "../plans/index.js";
import {
  checkNumbers,
  DEFAULT_TOLERANCE,
  latentDistance,
  MOST_WAYPOINTS,
  mergedPlans,
  type Plan,
  type PlanWay,
  type Waypoint,
} from "../sampling/waypoints.js";
import { type PlanSearchOptions, planAlong, planByAnalogy, planBySearch, planOfTexts, settled } from "./plans.js";

/** What a plan is made of: options of a search may be left undefined. */
export type PlanRequest = {
  [Name in Exclude<keyof PlanSearchOptions, "goal">]?: PlanSearchOptions[Name] | undefined;
} & {
  /** Default: texts. */
  by?: PlanWay | undefined;
  /** Texts or latents; of a search, the goal. */
  sources: readonly TextOrLatent[];
};

/** Options that only some ways take, by their names. */
const PLAN_OPTIONS: Readonly<Record<PlanWay, readonly string[]>> = {
  texts: [],
  line: ["steps"],
  analogy: [],
  search: ["steps", "context", "nAvg", "beam", "tau", "weights"],
};

/** Whether an option has no effect on a plan of this way. */
export function isUnusedBy(by: PlanWay, option: string): boolean {
  return Object.values(PLAN_OPTIONS).flat().includes(option) && !PLAN_OPTIONS[by].includes(option);
}

/** Texts that each way takes. */
const COUNTS: Readonly<Record<PlanWay, [expected: string, fits: (count: number) => boolean]>> = {
  texts: ["at least one text", (count) => count >= 1],
  line: ["at least two texts", (count) => count >= 2],
  analogy: ["three texts", (count) => count === 3],
  search: ["one text, the goal", (count) => count === 1],
};

/** Waypoints to each text, where nothing is said. */
export const DEFAULT_PLAN_STEPS = 4;

/** Throws "usage" for another number of texts than the way takes. */
export function checkSources(by: PlanWay, count: number): void {
  const [expected, fits] = COUNTS[by];
  if (fits(count)) return;
  throw new BigVaeError("usage", { subject: `plan by ${by}`, expected, got: count, remedy: `give ${expected}` });
}

/** Waypoints that a way makes. */
function lengthOf(by: PlanWay, sources: number, steps = DEFAULT_PLAN_STEPS): number {
  return by === "line" ? (sources - 1) * steps : by === "search" ? steps : sources;
}

/** Throws "usage" for more waypoints than a plan may have. */
function checkLength(subject: string, waypoints: number, remedy: string): void {
  if (waypoints <= MOST_WAYPOINTS) return;
  const expected = `at most ${MOST_WAYPOINTS} waypoints`;
  throw new BigVaeError("usage", { subject, expected, got: waypoints, remedy });
}

/** Makes a plan. Throws "usage" for options that the way does not take, and another number of texts than it takes. */
export async function makePlan(
  vae: BigVae,
  { by = "texts", sources, signal, onStep, seed, tolerance, weight, ...options }: PlanRequest,
): Promise<Waypoint[]> {
  checkSources(by, sources.length);
  checkLength(`plan by ${by}`, lengthOf(by, sources.length, options.steps), "give fewer texts, or fewer steps");
  const { steps = DEFAULT_PLAN_STEPS, ...search }: Given<typeof options> = given(options);
  for (const name of Object.keys(given(options))) if (isUnusedBy(by, name)) throw unusedBy(by, name);
  const settings = given({ tolerance, weight });
  switch (by) {
    case "texts":
      return planOfTexts(vae, sources, settings, signal);
    case "line":
      return planAlong(vae, sources, steps, settings, signal);
    case "analogy":
      return planByAnalogy(vae, sources as [TextOrLatent, TextOrLatent, TextOrLatent], settings, signal);
    case "search": {
      return planBySearch(vae, {
        ...search,
        ...settings,
        ...given({ signal, onStep, seed }),
        goal: sources[0]!,
        steps,
      });
    }
  }
}

type Given<Options> = { [Name in keyof Options]?: Exclude<Options[Name], undefined> };

/** Without what is undefined. */
function given<Options extends object>(options: Options): Given<Options> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Given<Options>;
}

function unusedBy(by: PlanWay, option: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `\`${option}\``,
    expected: "a plan that takes it",
    got: `one by ${by}`,
    remedy: `leave out \`${option}\``,
  });
}

/** A change of one waypoint. */
export interface PlanEdit {
  /** A new latent. A `text` beside it is kept as what it says, and not encoded. */
  z?: Latent | undefined;
  /** What it is to say; encoded where there is no z. */
  text?: string | undefined;
  tolerance?: number | undefined;
  weight?: number | undefined;
  /** Whether a new waypoint is put there. */
  insert?: boolean | undefined;
  /** Whether it is taken out. */
  remove?: boolean | undefined;
}

/** Throws "usage" for edits that do not go together. */
export function checkEdit({ z, text, tolerance, weight, insert, remove }: PlanEdit): void {
  const fail = (expected: string, got: string) => {
    throw new BigVaeError("usage", {
      subject: "plan edit",
      expected,
      got,
      remedy: "give what is to change, or `remove` alone",
    });
  };
  const changes = [z, text, tolerance, weight].some((value) => value !== undefined);
  if (!changes && !remove) fail("a change of the waypoint", "none");
  if (remove && (changes || insert)) fail("`remove` alone", "other changes too");
  if (insert && text === undefined && z === undefined) fail("the `text` of the new waypoint", "none");
}

/**
 * The plan with its waypoint of that number, from 1, changed, taken out, or another one put before it. A waypoint with another latent or text no longer
 * has the old one. Throws "usage" for a number beyond the plan, edits that do not go together, and where no waypoint would be left.
 */
export async function editedPlan(
  vae: BigVae,
  plan: Plan,
  number: number,
  edit: PlanEdit,
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  checkEdit(edit);
  const { z, text, tolerance, weight, insert = false, remove = false } = edit;
  const most = plan.length + (insert ? 1 : 0);
  if (!(Number.isInteger(number) && number >= 1 && number <= most))
    throw new BigVaeError("usage", {
      subject: `waypoint ${number}`,
      expected: `a number from 1 to ${most}`,
      got: number,
      remedy: "number the waypoints from 1",
    });
  if (remove && plan.length === 1)
    throw new BigVaeError("usage", {
      subject: "plan edit",
      expected: "a plan of at least two waypoints to take one out of",
      got: "a plan of one",
      remedy: "change the waypoint, or delete the plan",
    });
  if (remove) return plan.toSpliced(number - 1, 1);
  if (insert) checkLength("plan edit", most, "take one out first");
  const usual = { tolerance: DEFAULT_TOLERANCE, weight: 1 };
  const old = insert ? usual : plan[number - 1]!;
  const numbers = { tolerance: tolerance ?? old.tolerance, weight: weight ?? old.weight };
  checkNumbers(`waypoint ${number}`, numbers);
  if (z === undefined && text === undefined) return plan.with(number - 1, { ...plan[number - 1]!, ...numbers });
  if (z) checkLatent(z, vae.space.width, `waypoint ${number}`);
  const said = { ...(z ? { z } : {}), ...(text === undefined ? {} : { text }), ...numbers };
  const settledAs = (await settled(vae, [said], signal))[0]!;
  return insert ? plan.toSpliced(number - 1, 0, settledAs) : plan.with(number - 1, settledAs);
}

/** How plans become one. */
export interface PlanJoining {
  /** What each counts. */
  weights?: readonly number[] | undefined;
  /** One after the other, in place of mixed. */
  append?: boolean | undefined;
}

/** Plans as one: mixed where they stand at the same place (`mergedPlans`), or one after the other. Throws "usage" for weights of plans that are not mixed. */
export function joinedPlans(space: LatentSpace, plans: readonly Plan[], { weights, append }: PlanJoining): Waypoint[] {
  if (append && weights)
    throw new BigVaeError("usage", {
      subject: "`weights`",
      expected: "plans that are mixed",
      got: "`append`",
      remedy: "leave out one of them",
    });
  const lengths = plans.map(({ length }) => length);
  const length = append ? lengths.reduce((sum, each) => sum + each, 0) : Math.max(...lengths);
  checkLength("plan merge", length, "merge fewer plans, or shorter ones");
  return append ? plans.flat() : mergedPlans(space, plans, weights);
}

/** How far each waypoint is from its neighbours, which the first and the last have only one of; a text that is not encoded yet is at no distance. */
export function distancesOf(
  space: LatentSpace,
  plan: readonly StoredWaypoint[],
): { toPrevious?: number; toNext?: number }[] {
  const between = plan.slice(1).map(({ z }, i) => {
    const { z: before } = plan[i]!;
    return z && before ? latentDistance(space, before, z) : undefined;
  });
  return plan.map((_, i) => given({ toPrevious: between[i - 1], toNext: between[i] }));
}
