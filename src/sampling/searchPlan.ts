/** A plan by search: a beam over latents, from the end of a text to a goal. */
import type { Latent } from "../latent/index.js";
import { attempts, SCORE_WEIGHTS, scoreOf } from "./attempts.js";
import { checkOptions } from "./checkOptions.js";
import type { LatentModel, SamplingOptions, TokenIds, TracedLatent } from "./model.js";
import { SamplingRun } from "./samplingRun.js";
import { type Waypoint, waypoint } from "./waypoints.js";

/** What a search begins from and goes to. */
export interface PlanSearch {
  /** Text that the plan goes on from; may be empty. */
  context: TokenIds;
  /** Where it ends, [W]. */
  goal: Latent;
  /** Waypoints of the plan, the goal included. */
  length: number;
  /** Ways that are kept at each step; default: 2. */
  beam?: number;
  /** Told after each step of it: how many of how many, and the text of the best way so far. */
  onStep?: ((step: SearchStep) => void) | undefined;
}

/** How far a search is. */
export interface SearchStep {
  /** From 1. */
  step: number;
  /** Of all. */
  steps: number;
  /** Of the best way so far. */
  text: string;
}

/** A way that may become a plan. */
interface Way {
  context: TokenIds;
  /** Latents of what was written, of which each is a waypoint. */
  zs: readonly TracedLatent[];
  last: TracedLatent | undefined;
  /** Of likelihood and coherence over all spans. */
  sum: number;
  score: number;
}

export const DEFAULT_BEAM = 2;

/**
 * A plan of `length` waypoints whose last is the goal. At step i of n each way of the beam is gone on with in `options.nAvg` directions: the base writes
 * drafts behind its text, each draft's latent is mixed with i/n of the goal, and a span is written from the mix. A waypoint is the latent of such a
 * span, so that there is a text which says it. The ways with the highest sums of `scoreOf` are kept; of the distances to the goal, the last one counts.
 */
export async function searchPlan(
  model: LatentModel,
  search: PlanSearch,
  options: SamplingOptions,
): Promise<Waypoint[]> {
  const run = new SamplingRun(model, { ...options, noise: 0, onToken: undefined });
  checkOptions("search", run.options, SCORE_WEIGHTS);
  return searchWay(run, search, run.weights(SCORE_WEIGHTS));
}

/** The same in a run that is under way; `before`: the latent of the end of the context, where it is known. */
export async function searchWay(
  run: SamplingRun,
  { context, goal, length, beam = DEFAULT_BEAM, onStep }: PlanSearch,
  weights: typeof SCORE_WEIGHTS,
  before?: TracedLatent,
): Promise<Waypoint[]> {
  const target: TracedLatent = { z: goal, role: "terminal", parents: [] };
  const last = before ?? (await run.endOf(context));
  let ways: Way[] = [{ context: run.withBos(context), zs: [], last, sum: 0, score: 0 }];
  for (let step = 1; step < length; step++) {
    const grown: Way[] = [];
    for (const way of ways) grown.push(...(await goOn(run, way, target, step / length, weights)));
    ways = grown.sort((a, b) => b.score - a.score).slice(0, beam);
    const written = ways[0]!.zs.flatMap(({ ids = [] }) => ids);
    onStep?.({ step, steps: length - 1, text: run.model.tokenizer.decode(written) });
  }
  const found = ways[0]!.zs.map(({ z, ids }) => waypoint(z, ids ? { text: run.model.tokenizer.decode(ids) } : {}));
  return [...found, waypoint(goal)];
}

/** A way with one more span, in as many directions as the base drafts. */
async function goOn(
  run: SamplingRun,
  way: Way,
  goal: TracedLatent,
  share: number,
  weights: typeof SCORE_WEIGHTS,
): Promise<Way[]> {
  const drafts = await run.plainDrafts(way.context, run.options.span);
  const mixes = drafts.map(({ latent: wish }) =>
    run.mix([
      [wish, 1 - share],
      [goal, share],
    ]),
  );
  const how = { endless: true, shares: [1 - share, share] };
  // All at once, so that they share the engine's steps. Each draws its random numbers' names before anything is awaited.
  const tried = await Promise.all(mixes.map((mix) => attempts(run, mix, way.context, 1, how)));
  return tried.map(([attempt]) => {
    const { span, z, likelihood } = attempt!;
    const sum = way.sum + scoreOf(run, { z, likelihood }, goal, way.last, { ...weights, nearness: 0 });
    const nearness = scoreOf(run, { z, likelihood: 0 }, goal, undefined, weights);
    return { context: [...way.context, ...span.ids], zs: [...way.zs, z], last: z, sum, score: sum + nearness };
  });
}
