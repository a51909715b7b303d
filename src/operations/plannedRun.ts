/** What a run is given to follow: a plan of its own, a strategy, or both. */
import type { BigVae, TaskExample, TextOrLatent } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { NamedStrategy } from "../plans/index.js";
import type { Waypoint } from "../sampling/waypoints.js";
import { applyStrategy } from "./strategies.js";

/** Where a run begins, and the examples that it has beside those of a strategy. */
interface RunTexts {
  context?: string | undefined;
  prompt: readonly TextOrLatent[];
  task: readonly TaskExample[];
}

/** A run before its model is there. */
export interface PlannedRun {
  hasPlan: boolean;
  /** Whether a strategy gives examples. */
  hasTask: boolean;
  /** The examples with those of the strategy, and the plan where it stands. Throws "mismatch" for latents of another model. */
  apply(vae: BigVae, texts: RunTexts, signal?: AbortSignal): Promise<{ task: TaskExample[]; plan?: Waypoint[] }>;
}

/** `plan` settles the waypoints of the run's own plan. Throws "usage" for a plan beside that of the strategy. */
export function plannedRun(
  plan: ((vae: BigVae) => Promise<Waypoint[]>) | undefined,
  strategy: NamedStrategy | undefined,
): PlannedRun {
  if (plan && strategy?.plan)
    throw new BigVaeError("usage", {
      subject: "`plan`",
      expected: "one plan",
      got: `another one of the strategy ${strategy.name}`,
      remedy: "leave out one of them",
    });
  return {
    hasPlan: plan !== undefined || strategy?.plan !== undefined,
    hasTask: strategy?.task !== undefined,
    async apply(vae, { context = "", prompt, task }, signal) {
      const here = context === "" ? prompt[0] : context;
      const applied = strategy && (await applyStrategy(vae, strategy, here, signal));
      const waypoints = plan ? await plan(vae) : applied?.plan;
      return { task: [...task, ...(applied?.task ?? [])], ...(waypoints ? { plan: waypoints } : {}) };
    },
  };
}
