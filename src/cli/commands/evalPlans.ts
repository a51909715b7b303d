/** `bigvae eval --measure plans`: the ways of writing that are compared, each from the start of one text to a span of another. */
import type { BigVae, GenerateOptions } from "../../bigVae.js";
import { evaluatePlans, PLAN_PAIRS, type PlanPair, type ScoringOptions } from "../../eval/index.js";
import { planAlong, planBySearch } from "../../operations/plans.js";
import { drive } from "../../operations/writing.js";
import type { Rng } from "../../rng.js";
import type { SamplerName } from "../../sampling/samplers.js";
import { waypoint } from "../../sampling/waypoints.js";

/** Spans of every way, and of a bridge. */
const [STEPS, BRIDGE_STEPS] = [4, 3];

interface PlansFlags {
  seed: number;
  pairs?: number | undefined;
}

/** Plain sampling, plan-2, plan-search, and the policy along a line and along a searched plan, all of four spans behind the start. */
export function measurePlans(
  vae: BigVae,
  texts: readonly string[],
  span: number,
  flags: PlansFlags,
  scoring: ScoringOptions & { rng: Rng },
) {
  const { signal } = scoring;
  const common = ({ index }: PlanPair) => ({ seed: flags.seed + index, span, ...(signal ? { signal } : {}) });
  const written = async (sampler: SamplerName, options: GenerateOptions, ofSpan = Number.POSITIVE_INFINITY) => {
    const spans: (readonly number[])[] = [];
    await drive(vae.generate(sampler, { nSteps: STEPS, ...options }), ({ ids }) => spans.push(ids.slice(0, ofSpan)));
    return spans;
  };
  const ways = {
    plain: async (pair: PlanPair) => {
      const spans: (readonly number[])[] = [];
      await drive(vae.complete(pair.start, { nSteps: STEPS, ...common(pair) }), ({ ids }) => spans.push(ids));
      return spans.flat();
    },
    // Of the two spans that they write at each step, the first joins the text.
    "plan-2": async (pair: PlanPair) => {
      const ends = { context: pair.start, start: pair.startZ, terminal: pair.goalZ };
      return (await written("plan-2", { ...ends, ...common(pair) }, span)).flat();
    },
    "plan-search": async (pair: PlanPair) => {
      const ends = { context: pair.start, terminal: pair.goalZ };
      return (await written("plan-search", { ...ends, ...common(pair) }, span)).flat();
    },
    "policy, line": async (pair: PlanPair) => {
      const plan = await planAlong(vae, [pair.startZ, pair.goalZ], STEPS);
      return (await written("policy", { plan, context: pair.start, ...common(pair) })).flat();
    },
    "policy, search": async (pair: PlanPair) => {
      const search = { context: pair.start, goal: pair.goalZ, steps: STEPS, seed: flags.seed + pair.index };
      const plan = await planBySearch(vae, { ...search, ...(signal ? { signal } : {}) });
      return (await written("policy", { plan, context: pair.start, ...common(pair) })).flat();
    },
    "policy, goal alone": async (pair: PlanPair) => {
      const plan = [waypoint(pair.goalZ)];
      return (await written("policy", { plan, context: pair.start, ...common(pair) })).flat();
    },
  };
  return evaluatePlans({
    ...{ ...scoring, texts, span, ways, pairs: flags.pairs ?? PLAN_PAIRS, reference: "plan-2" },
    bridge: (pair) =>
      written("bridge", {
        context: pair.start,
        start: pair.startZ,
        terminal: pair.goalZ,
        nSteps: BRIDGE_STEPS,
        ...common(pair),
      }),
    embed: (rows) =>
      vae.engine.embed(
        rows.map((ids) => ({ ids })),
        false,
        signal,
      ),
  });
}
