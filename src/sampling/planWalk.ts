/** Where a run stands on its plan: which waypoint is asked for, how often it was tried, and how it is weighed against the context. */
import type { LatentSpace } from "../latent/index.js";
import type { PlanStep, TracedLatent } from "./model.js";
import type { SamplingRun } from "./samplingRun.js";
import { latentDistance, type Plan, type Waypoint } from "./waypoints.js";

/** A waypoint of a run, and what it was mixed from where that was in the run too. */
export type TracedWaypoint = Waypoint & Partial<Pick<TracedLatent, "parents">>;

/** A waypoint, and whether a search during the run put it there. */
type Stop = TracedWaypoint & { isFound: boolean };

export class PlanWalk {
  readonly #stops: Stop[];
  #at = 0;
  #tries = 0;

  constructor(
    plan: readonly TracedWaypoint[],
    /** Spans that are written toward a waypoint before another way to it is looked for. */
    readonly nTries: number,
    readonly space: LatentSpace,
  ) {
    this.#stops = plan.map((waypoint) => ({ ...waypoint, isFound: false }));
  }

  /** The waypoint that is asked for now; none once the last is reached. */
  get current(): TracedWaypoint | undefined {
    return this.#stops[this.#at];
  }

  /** Number of the try that comes next, from 1. */
  get nextTry(): number {
    return this.#tries + 1;
  }

  /** Whether the waypoint is the last. */
  get isLast(): boolean {
    return this.#at >= this.#stops.length - 1;
  }

  /** Whether the waypoint was tried as often as it may be. */
  get isStuck(): boolean {
    return this.#tries >= this.nTries;
  }

  /** Puts waypoints ahead of the one that is asked for. */
  detour(way: Plan): void {
    this.#stops.splice(this.#at, 0, ...way.map((waypoint) => ({ ...waypoint, isFound: true })));
    this.#tries = 0;
  }

  /** Takes note of what was written toward the waypoint; where it is within the tolerance, the next one is asked for. */
  pass(
    asked: TracedLatent,
    written: TracedLatent,
    { agreement, share }: Pick<PlanStep, "agreement" | "share">,
  ): PlanStep {
    const { tolerance, isFound } = this.#stops[this.#at]!;
    const distance = latentDistance(this.space, asked.z, written.z);
    this.#tries++;
    const step = {
      ...{ asked, written, agreement, share, distance, tolerance, isFound },
      ...{ waypoint: this.#at + 1, waypoints: this.#stops.length, tries: this.#tries },
      isReached: distance <= tolerance,
    };
    if (step.isReached) {
      this.#at++;
      this.#tries = 0;
    }
    return step;
  }
}

/**
 * What a span is written from: the plan's share of the waypoint, the rest of what the context would say by itself. The waypoint is there: the plan is
 * not done.
 */
export function weigh(run: SamplingRun, walk: PlanWalk, wish: TracedLatent, lead: number) {
  const { weight } = walk.current!;
  const asked = askedFor(walk);
  const { z } = asked;
  const agreement = run.space.similarity(wish.z, z);
  const share = planShare({ weight, agreement, tries: walk.nextTry, lead });
  const latent = run.mix([
    [wish, 1 - share],
    [asked, share],
  ]);
  return { latent, asked, agreement, share };
}

/** The waypoint that is asked for, as a latent of the run. */
export function askedFor(walk: PlanWalk): TracedLatent {
  const { z, parents = [] } = walk.current!;
  return { z, role: "waypoint", parents };
}

/** s = weight (1 - (1 - p)^tries) with p = lead + (1 - lead) agreement, held within 0 and 1. */
export function planShare(of: { weight: number; agreement: number; tries: number; lead: number }): number {
  const p = Math.min(Math.max(of.lead + (1 - of.lead) * of.agreement, 0), 1);
  return of.weight * (1 - (1 - p) ** of.tries);
}
