/** Strategies of a loaded model: applied to a run, and merged. */
import type { BigVae, TaskExample, TextOrLatent } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { checkLatent, type Latent, LatentSpace } from "../latent/index.js";
import type { ListedStrategy, NamedStrategy, Strategies, Strategy } from "../plans/index.js";
import type { TaskVector } from "../sampling/model.js";
import { checkPlan, mergedPlans, type Plan, sharesOf, transposed, type Waypoint } from "../sampling/waypoints.js";
import { planOfTexts, settled, withLatents } from "./plans.js";
import { checkSpace, spaceOfModel } from "./space.js";

/**
 * A strategy of a model, to be kept (`Strategies.save`): what examples have in common, a plan, or both. `origin`: a text or a latent where the plan
 * begins. Throws "usage" where there is neither, and for an origin without a plan.
 * @example
 * const strategies = new Strategies("strategies");
 * await strategies.save("brave", await newStrategy(vae, { examples: ["The bear was brave.", "The fox was brave."] }));
 */
export async function newStrategy(
  vae: BigVae,
  { examples = [], plan, origin }: { examples?: readonly TaskExample[]; plan?: Plan; origin?: TextOrLatent },
  signal?: AbortSignal,
): Promise<Strategy> {
  if (examples.length === 0 && plan === undefined)
    throw new BigVaeError("usage", {
      subject: "strategy",
      expected: "examples, a plan, or both",
      got: "neither",
      remedy: "give one of them",
    });
  if (origin !== undefined && plan === undefined)
    throw new BigVaeError("usage", {
      subject: "`origin`",
      expected: "a plan that begins there",
      got: "none",
      remedy: "give the plan too",
    });
  if (origin !== undefined && typeof origin !== "string") checkLatent(origin, vae.space.width, "origin");
  const counts = examples.map((each) => (typeof each === "object" && "z" in each ? each.examples : 1));
  const begin = origin === undefined ? undefined : await planOfTexts(vae, [origin], {}, signal);
  return {
    space: await spaceOfModel(vae),
    ...(examples.length > 0
      ? { task: { z: await vae.taskVector(examples), examples: counts.reduce((sum, count) => sum + count, 0) } }
      : {}),
    ...(plan === undefined ? {} : { plan: checkPlan("strategy: plan", plan, vae.space.width) }),
    ...(begin ? { origin: begin[0]!.z } : {}),
  };
}

/** What a strategy gives a run: examples, and a plan that begins where the text stands. */
export interface AppliedStrategy {
  /** Its task vector, where it has one. */
  task: TaskVector[];
  /** Its plan, where it has one. */
  plan?: Waypoint[];
}

/**
 * Applies a strategy behind a text. A plan with an origin is moved by analogy, from there to the end of the text; without a text it stays.
 * @throws BigVaeError("mismatch") for latents of another model.
 */
export async function applyStrategy(
  vae: BigVae,
  strategy: NamedStrategy,
  text: TextOrLatent | undefined,
  signal?: AbortSignal,
): Promise<AppliedStrategy> {
  const { name, version, space, task, plan, origin } = strategy;
  checkSpace(space, await spaceOfModel(vae), `strategy ${name}@${version}`);
  const waypoints = plan && (await settled(vae, plan, signal));
  const here = origin && waypoints && text !== undefined ? await endOf(vae, text) : undefined;
  const moved = here ? transposed(vae.space, waypoints!, origin!, here) : waypoints;
  return { task: task ? [task] : [], ...(moved ? { plan: moved } : {}) };
}

/** The latent of the last span of a text. */
async function endOf(vae: BigVae, text: TextOrLatent): Promise<Latent | undefined> {
  if (typeof text !== "string") return text;
  if (text.trim() === "") return undefined;
  const { tokenizer, span } = vae;
  const ids = tokenizer.encode(text);
  const [encoded] = await vae.engine.encode([{ ids: ids.slice(-span) }]);
  return encoded!.mean;
}

/**
 * Strategies as one: task vectors are averaged by weight and examples at their mean norm, plans merged (`mergedPlans`), origins averaged.
 * @throws BigVaeError: "mismatch" for strategies of two models, "usage" where one plan has an origin and another none, or texts are not encoded.
 */
export function mergedStrategies(
  space: LatentSpace,
  strategies: readonly NamedStrategy[],
  weights: readonly number[] = strategies.map(() => 1),
): Strategy {
  const [first] = strategies;
  if (weights.length !== strategies.length || !weights.every((weight) => weight > 0 && Number.isFinite(weight)))
    throw new BigVaeError("usage", {
      subject: "`weights`",
      expected: `${strategies.length} weights, each above 0`,
      got: weights.join(","),
      remedy: "give one for each strategy",
    });
  for (const { name, space: own } of strategies) checkSpace(own, first!.space, `strategy ${name}`);
  const heaviest = Math.max(...weights);
  const weighted = strategies.map((strategy, i) => ({ ...strategy, weight: weights[i]! }));
  const tasks = weighted.flatMap(({ task, weight }) =>
    task ? [{ ...task, weight: (weight / heaviest) * task.examples }] : [],
  );
  const plans = weighted.flatMap(({ plan, ...rest }) =>
    plan ? [{ ...rest, plan: withLatents(rest.name, plan) }] : [],
  );
  const origins = plans.flatMap(({ origin, weight }) => (origin ? [{ z: origin, weight }] : []));
  if (origins.length > 0 && origins.length < plans.length)
    throw new BigVaeError("usage", {
      subject: "strategy merge",
      expected: "an origin for every plan, or for none",
      got: `${origins.length} of ${plans.length}`,
      remedy: "save the other plans with an origin too",
    });
  return {
    space: first!.space,
    ...(tasks.length > 0
      ? { task: { z: meanOf(space, tasks), examples: tasks.reduce((sum, { examples }) => sum + examples, 0) } }
      : {}),
    ...(plans.length > 0
      ? {
          plan: mergedPlans(
            space,
            plans.map(({ plan }) => plan),
            plans.map(({ weight }) => weight),
          ),
        }
      : {}),
    ...(origins.length > 0 ? { origin: meanOf(space, origins) } : {}),
    from: strategies.map(({ name, version }) => `${name}@${version}`),
  };
}

/** Strategies of a folder as one, by their names. Throws as `mergedStrategies` and `Strategies.open`. */
export async function mergedByName(
  strategies: Strategies,
  names: readonly string[],
  weights?: readonly number[],
): Promise<Strategy> {
  const opened = await Promise.all(names.map((name) => strategies.open(name)));
  return mergedStrategies(new LatentSpace(opened[0]!.space), opened, weights);
}

/** A strategy of a list, and how much is in its newest version. Throws as opening it does. */
export async function describedStrategy(
  strategies: Strategies,
  { name, versions }: ListedStrategy,
): Promise<ListedStrategy & { examples: number; waypoints: number }> {
  const { task, plan } = await strategies.open(name);
  return { name, versions, examples: task?.examples ?? 0, waypoints: plan?.length ?? 0 };
}

function meanOf(space: LatentSpace, parts: readonly { z: Latent; weight: number }[]): Latent {
  return space.normKeptSum(
    parts.map(({ z }) => z),
    sharesOf(parts.map(({ weight }) => weight)),
  );
}
