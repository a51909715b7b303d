/** The plan and the strategy that a run is given, read before a model is loaded and applied to it. */
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { openPlan } from "../operations/plans.js";
import { applyStrategy } from "../operations/strategies.js";
import { readPlan, Strategies } from "../plans/index.js";
import type { Waypoint } from "../sampling/waypoints.js";
import type { SamplerTexts } from "./samplerTexts.js";

interface PlanFlags {
  context: string;
  plan?: string;
  strategy?: string;
  strategies: string;
}

/** What a run has besides its texts. */
export interface PlannedRun {
  hasPlan: boolean;
  /** Whether a strategy gives examples. */
  hasTask: boolean;
  /** The texts with the examples of the strategy, and the plan where it stands. Throws "mismatch" for latents of another model. */
  apply(vae: BigVae, texts: SamplerTexts): Promise<SamplerTexts & { plan?: Waypoint[] }>;
}

/** Throws "usage" for a plan given twice or a strategy that is not there, "format" for a file that is damaged or missing. */
export async function plannedRun({ plan, strategy, strategies, context }: PlanFlags): Promise<PlannedRun> {
  if (plan !== undefined) await readPlan(plan);
  const opened = strategy === undefined ? undefined : await new Strategies(strategies).open(strategy);
  if (plan !== undefined && opened?.plan)
    throw new BigVaeError("usage", {
      subject: `--plan ${plan}`,
      expected: "one plan",
      got: `another one of --strategy ${strategy}`,
      remedy: "leave out one of them",
    });
  return {
    hasPlan: plan !== undefined || opened?.plan !== undefined,
    hasTask: opened?.task !== undefined,
    async apply(vae, texts) {
      const here = context === "" ? texts.prompt[0] : context;
      const applied = opened && (await applyStrategy(vae, opened, here));
      const waypoints = plan === undefined ? applied?.plan : await openPlan(vae, plan);
      return { ...texts, task: [...texts.task, ...(applied?.task ?? [])], ...(waypoints ? { plan: waypoints } : {}) };
    },
  };
}
