/** policy and bridge: text along a plan. At each span the plan is weighed against what the context would say by itself. */
import { attempts, best, SCORE_WEIGHTS, scoreOf } from "./attempts.js";
import {
  isLatent,
  type LatentModel,
  type Sampler,
  type SamplingOptions,
  type TextOrLatent,
  type TokenIds,
  type TracedLatent,
} from "./model.js";
import { PlanWalk, type TracedWaypoint, weigh } from "./planWalk.js";
import { averaged, SamplingRun } from "./samplingRun.js";
import { searchWay } from "./searchPlan.js";
import { lineBetweenLatents } from "./waypoints.js";

/** `lead`: the plan's share at the first try where plan and context do not agree at all; the others weigh attempts (`scoreOf`). */
export const POLICY_WEIGHTS = { lead: 0.3, ...SCORE_WEIGHTS };
/** A bridge has one span for each waypoint, so that the plan leads. */
export const BRIDGE_WEIGHTS = { ...POLICY_WEIGHTS, lead: 0.7 };

/** Spans that are written toward a waypoint before another way is looked for. */
export const DEFAULT_TRIES = 2;

/** What is followed, and from where. */
export interface PolicyInputs {
  /** At least one waypoint. */
  plan: readonly TracedWaypoint[];
  /** Text that is continued. */
  context: TokenIds;
  /** Spans that are written toward a waypoint before another way is looked for; default: 2. */
  nTries?: number | undefined;
}

/**
 * Each span asks what the context would say next (the mean of nAvg drafts by the base), and how far that agrees with the waypoint:
 * agreement a = their similarity, -1 to 1. At try k the plan's share is
 *
 *     s = weight * (1 - (1 - p)^k),  p = lead + (1 - lead) * a, held within 0 and 1
 *
 * so that the plan is followed where it fits, approached slowly where it does not, and followed more at each try. nAvg spans are written from s of
 * the waypoint and 1 - s of what the context would say; the best by `scoreOf` is kept. Within its tolerance the waypoint is reached. After nTries
 * spans that do not reach it, a search finds a waypoint on the way to it, which is asked for first. Ends at the last waypoint, or after nSteps spans.
 */
export async function* policy(model: LatentModel, inputs: PolicyInputs, options: SamplingOptions): Sampler {
  const run = new SamplingRun(model, { ...options, noise: 0, onToken: undefined });
  const weights = run.weights(POLICY_WEIGHTS);
  const walk = new PlanWalk(inputs.plan, inputs.nTries ?? DEFAULT_TRIES, run.space);
  let text = run.withBos(inputs.context);
  let before = await run.endOf(inputs.context);
  for (let step = 0; step < options.nSteps && walk.current; step++) {
    if (walk.isStuck && step + 1 < options.nSteps) await detour(run, walk, text, before, weights);
    const drafts = await run.plainDrafts(text, options.span);
    const wish = averaged(drafts.map((draft) => draft.latent));
    const { latent, asked, ...weighed } = weigh(run, walk, wish, weights.lead);
    const endless = !walk.isLast && step + 1 < options.nSteps;
    // Of context and plan, whatever each was made of.
    const shares = [1 - weighed.share, weighed.share];
    const tried = await attempts(run, latent, text, options.nAvg, { endless, shares });
    const { span, z } = best(tried, (attempt) => scoreOf(run, attempt, asked, before, weights));
    for (const id of span.ids) options.onToken?.(id);
    yield { ...span, drafts, plan: walk.pass(asked, z, weighed) };
    text = [...text, ...span.ids];
    before = z;
    if (!options.ignoreEos && span.ids.at(-1) === model.tokenizer.eosId) break;
  }
  return { ids: text };
}

/** Finds a waypoint on the way to the one that was not reached. */
async function detour(
  run: SamplingRun,
  walk: PlanWalk,
  context: TokenIds,
  before: TracedLatent | undefined,
  weights: typeof POLICY_WEIGHTS,
): Promise<void> {
  const way = await searchWay(run, { context, goal: walk.current!.z, length: 2 }, weights, before);
  walk.detour(way.slice(0, -1));
}

/** What a bridge stands between. */
export interface BridgeInputs extends Pick<PolicyInputs, "context"> {
  /** Text before it: it is continued, behind the context, unless the context ends with it. A latent stands for one that is not shown. */
  start: TextOrLatent;
  /** Text behind it, which is not written. */
  terminal: TextOrLatent;
}

/** A tolerance within which every latent lies. */
const ANYWHERE = 2;

/** bridge: what lies between two texts, in nSteps spans: the policy along the line between their latents, one span for each waypoint, reached or not. */
export async function* bridge(
  model: LatentModel,
  { start, terminal, context }: BridgeInputs,
  options: SamplingOptions,
): Sampler {
  const run = new SamplingRun(model, { ...options, noise: 0 });
  const from = await run.mean(start, "start");
  const to = await run.mean(terminal, "terminal");
  const plan = lineBetweenLatents(run.space, from.z, to.z, options.nSteps).map((waypoint, i) => {
    const t = (i + 1) / (options.nSteps + 1);
    const parents = [
      { latent: from, weight: 1 - t },
      { latent: to, weight: t },
    ];
    return { ...waypoint, parents, tolerance: ANYWHERE };
  });
  const isThere = isLatent(start) || context.slice(-start.length).join() === start.join();
  const before = isThere ? context : [...context, ...start];
  return yield* policy(model, { plan, context: before }, { ...options, weights: run.weights(BRIDGE_WEIGHTS) });
}
