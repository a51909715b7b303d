/** Plans of a loaded model: made from texts, by search or by analogy, and kept in files. */
import type { BigVae, TextOrLatent } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { checkLatent } from "../latent/index.js";
import { readPlan, type StoredWaypoint, writePlan } from "../plans/index.js";
import { Rng } from "../rng.js";
import { type SearchStep, searchPlan } from "../sampling/searchPlan.js";
import {
  checkPlan,
  DEFAULT_TOLERANCE,
  lineBetweenLatents,
  type Plan,
  transposed,
  type Waypoint,
} from "../sampling/waypoints.js";
import { checkSpace, spaceOfModel } from "./space.js";

type Settings = Partial<Pick<Waypoint, "tolerance" | "weight">>;

/**
 * Reads a plan for a model. Texts without a latent, and texts that were edited, are encoded.
 * @throws BigVaeError: "mismatch" for latents of another model, "format" for a damaged file, "usage".
 * @example
 * const plan = await openPlan(vae, "plan.json");
 * for await (const { text } of vae.generate("policy", { plan, context: "The owl lost a button." })) console.log(text);
 */
export async function openPlan(vae: BigVae, path: string, signal?: AbortSignal): Promise<Waypoint[]> {
  const { space, waypoints } = await readPlan(path);
  checkSpace(space, await spaceOfModel(vae), `plan ${path}`);
  return settled(vae, waypoints, signal);
}

/** Writes a plan of a model in one step, its latents beside it. Throws "usage" for what is no plan and a path that does not end with .json, "disk". */
export async function savePlan(vae: BigVae, path: string, plan: Plan): Promise<void> {
  checkPlan("plan", plan, vae.space.width);
  await writePlan(path, { space: await spaceOfModel(vae), waypoints: plan });
}

/** Waypoints with their latents: texts that have none are encoded, as they stand in a text that goes on. Throws "mismatch" for latents of another width. */
export async function settled(
  vae: BigVae,
  waypoints: readonly StoredWaypoint[],
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  for (const [i, { z }] of waypoints.entries()) if (z) checkLatent(z, vae.space.width, `waypoint ${i + 1}`);
  const texts = waypoints.flatMap(({ z, text }) => (z ? [] : [behindSpace(vae, text!)]));
  const means = (texts.length > 0 ? await vae.encode(texts, signal) : []).map(({ mean }) => mean).values();
  return waypoints.map(({ z, ...rest }) => ({ ...rest, z: z ?? means.next().value! }));
}

/**
 * The text behind a space, unless its first token has one already: written from the latent of a text that begins a line, a waypoint would stick to the
 * word before it.
 */
function behindSpace({ tokenizer }: BigVae, text: string): string {
  const isBehind = /^\s/.test(tokenizer.decode(tokenizer.encode(text), { continues: true }));
  return isBehind ? text : ` ${text}`;
}

/** A waypoint for each text or latent. */
export async function planOfTexts(
  vae: BigVae,
  sources: readonly TextOrLatent[],
  settings: Settings = {},
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  const stored = sources.map(
    (source): StoredWaypoint => ({
      ...(typeof source === "string" ? { text: source } : { z: source }),
      ...{ tolerance: DEFAULT_TOLERANCE, weight: 1, ...settings },
    }),
  );
  return settled(vae, stored, signal);
}

/** From each text or latent to the next one in `steps` waypoints, the next one the last of them. */
export async function planAlong(
  vae: BigVae,
  sources: readonly TextOrLatent[],
  steps: number,
  settings: Settings = {},
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  const stops = await planOfTexts(vae, sources, settings, signal);
  const way = stops.slice(1).flatMap((stop, i) => {
    const between = lineBetweenLatents(vae.space, stops[i]!.z, stop.z, steps - 1);
    return [...between.map((each) => ({ ...each, ...settings })), stop];
  });
  return described(vae, way, signal);
}

/** What is to c as b is to a: c + b - a. */
export async function planByAnalogy(
  vae: BigVae,
  [a, b, c]: readonly [TextOrLatent, TextOrLatent, TextOrLatent],
  settings: Settings = {},
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  const [from, given, to] = await planOfTexts(vae, [a, b, c], settings, signal);
  return described(vae, transposed(vae.space, [given!], from!.z, to!.z), signal);
}

/** How a plan is looked for. */
export interface PlanSearchOptions extends Settings {
  /** Text that the plan goes on from. */
  context?: string;
  /** Where it ends. */
  goal: TextOrLatent;
  /** Waypoints, the goal included. */
  steps: number;
  /** Directions that are tried from each way; default: 4. */
  nAvg?: number;
  /** Ways that are kept at each step; default: 2. */
  beam?: number;
  /** Temperature of what is written on the way; default: 0.9. */
  tau?: number;
  /** What likelihood, nearness and coherence count. */
  weights?: Readonly<Record<string, number>>;
  /** Default: 0. */
  seed?: number;
  /** Told after each step of the search. */
  onStep?: (step: SearchStep) => void;
  /** Aborts between two tokens. */
  signal?: AbortSignal;
}

/** A plan by search, from the end of a text to a goal (`searchPlan`). */
export async function planBySearch(vae: BigVae, options: PlanSearchOptions): Promise<Waypoint[]> {
  const {
    context = "",
    goal,
    steps,
    nAvg = 4,
    beam,
    tau = 0.9,
    seed = 0,
    weights,
    onStep,
    signal,
    ...settings
  } = options;
  if (typeof goal !== "string") checkLatent(goal, vae.space.width, "goal");
  const [end] = await planOfTexts(vae, [goal], settings, signal);
  const search = { context: vae.tokenizer.encode(context), goal: end!.z, length: steps };
  const found = await searchPlan(
    vae.latentModel,
    { ...search, onStep, ...(beam === undefined ? {} : { beam }) },
    {
      ...{ rng: Rng.fromSeed(seed), nSteps: steps, nAvg, tau, noise: 0, span: vae.span },
      ...(weights ? { weights } : {}),
      ...(signal ? { signal } : {}),
    },
  );
  return [...found.slice(0, -1).map((each) => ({ ...each, ...settings })), end!];
}

/** Waypoints that no text is known of, with what the decoder makes of them; as mixes, they are guided. */
export async function described(
  vae: BigVae,
  waypoints: readonly Waypoint[],
  signal?: AbortSignal,
): Promise<Waypoint[]> {
  const unknown = waypoints.filter(({ text }) => text === undefined);
  const texts = await vae.decodeAll(
    unknown.map(({ z }) => z),
    { cfgScale: vae.space.mixScale([1, 1]), signal },
  );
  const textOf = new Map(unknown.map((each, i) => [each, texts[i]!.trim()]));
  return waypoints.map((each) => (textOf.get(each) ? { ...each, text: textOf.get(each)! } : each));
}

/** Throws "usage" where a text is yet to be encoded, which needs a model. */
export function withLatents(what: string, waypoints: readonly StoredWaypoint[]): Waypoint[] {
  return waypoints.map(({ z, ...rest }, i) => {
    if (z) return { ...rest, z };
    throw new BigVaeError("usage", {
      subject: what,
      expected: "latents of all waypoints",
      got: `an edited text at ${i + 1}`,
      remedy: "encode it by bigvae plan edit",
    });
  });
}
