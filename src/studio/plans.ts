/** Plans of a project on its map: their waypoints have places there, and take the latents of other ones. */
import { createHash } from "node:crypto";
import type { BigVae } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Latent } from "../latent/index.js";
import {
  checkEdit,
  distancesOf,
  editedPlan,
  joinedPlans,
  type PlanEdit,
  type PlanJoining,
} from "../operations/planMaking.js";
import { described } from "../operations/plans.js";
import type { PassedWaypoint, Project, ProjectPlan } from "../project/index.js";
import type { PlanStep } from "../sampling/model.js";
import type { Plan } from "../sampling/waypoints.js";
import type { Atlas } from "./atlas.js";
import type { ShownPlan, StudioEvents } from "./events.js";

/** A change of one waypoint; at a place of the map it takes the latent of that place, and the text that is decoded from it. */
export interface PlacedEdit extends Omit<PlanEdit, "z"> {
  at?: { x: number; y: number } | undefined;
}

/** Characters of a title at most. */
export const MOST_TITLE = 200;

export class StudioPlans {
  /** Changes of plans are made one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(
    readonly project: Project,
    readonly model: () => BigVae,
    readonly events: StudioEvents,
    readonly atlas: Atlas,
  ) {}

  /** All plans of latents of this width, as they lie on the map now; an export that somebody has edited may hold others. */
  shown(): ShownPlan[] {
    const { width } = this.atlas.map.space;
    const plans = this.project.plans.all().filter(({ waypoints }) => waypoints.every(({ z }) => z.length === width));
    return plans.map((plan) => this.#shown(plan));
  }

  /** Keeps a plan. */
  keep(title: string, waypoints: Plan): ShownPlan {
    return this.tell(this.project.plans.add({ title, waypoints }));
  }

  /** Changes a waypoint, takes it out, or puts another one there. Throws "usage" as `editedPlan`, and for a place of an empty map. */
  async edit(plan: number, number: number, { at, ...edit }: PlacedEdit, signal?: AbortSignal): Promise<ShownPlan> {
    checkEdit({ ...edit, ...(at ? { z: new Float32Array() } : {}) });
    if (at && edit.text !== undefined) throw bothGiven();
    this.#shownPlan(plan);
    return this.inTurn(async () => {
      const place = at && (await this.atlas.read(at.x, at.y, signal));
      const change = { ...edit, ...(place ? { z: place.z, text: place.text } : {}) };
      const { waypoints } = this.#shownPlan(plan);
      this.project.plans.change(plan, await editedPlan(this.model(), waypoints, number, change, signal));
      return this.tell(plan);
    });
  }

  /**
   * Keeps plans of the project as one more: mixed where they stand at the same place, or one after the other. What is new is decoded. Throws "usage" for
   * one that was taken out, and for more waypoints than a plan may have.
   */
  async merge(
    ids: readonly number[],
    { append }: Pick<PlanJoining, "append">,
    signal?: AbortSignal,
  ): Promise<ShownPlan> {
    const plans = ids.map((id) => this.#shownPlan(id));
    const vae = this.model();
    const waypoints = joinedPlans(
      vae.space,
      plans.map((plan) => plan.waypoints),
      { append },
    );
    const title = plans.map((plan) => plan.title).join(append ? " → " : " + ");
    return this.keep(title.slice(0, MOST_TITLE), await described(vae, waypoints, signal));
  }

  /** Takes a plan out, after the edits that are under way. */
  async remove(plan: number): Promise<void> {
    await this.inTurn(async () => {
      this.project.plans.remove(plan);
      this.tell(plan);
    });
  }

  /** Tells how a plan is now, and returns that. */
  tell(id: number): ShownPlan {
    const plan = this.#shown(this.project.plans.get(id));
    this.events.tell({ kind: "plan", plan });
    return plan;
  }

  /** Tells of plans that came in. */
  tellAll(ids: ReadonlySet<number>): void {
    for (const plan of this.shown()) if (ids.has(plan.id)) this.events.tell({ kind: "plan", plan });
  }

  /** The waypoints of a plan that can be followed. Throws "usage" for one that was taken out. */
  waypointsOf(id: number): Plan {
    return this.#shownPlan(id).waypoints;
  }

  #shownPlan(id: number): ProjectPlan {
    const plan = this.project.plans.get(id);
    if (!plan.removed) return plan;
    throw new BigVaeError("usage", {
      subject: "plan",
      expected: "one that is in the project",
      got: `${id}, which was taken out`,
      remedy: "undo that first",
    });
  }

  /** Changes of plans, one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work);
    this.#changing = done.catch(() => undefined);
    return done;
  }

  #shown({ waypoints, ...plan }: ProjectPlan): ShownPlan {
    const { map } = this.atlas;
    const distances = distancesOf(map.space, waypoints);
    return {
      ...plan,
      layout: map.round,
      waypoints: waypoints.map(({ z, text = "", tolerance, weight }, i) => ({
        ...{ text, hash: hashOf(z), tolerance, weight },
        ...map.placeOf(z),
        ...distances[i],
      })),
    };
  }
}

function bothGiven(): BigVaeError {
  return new BigVaeError("usage", {
    subject: "plan edit",
    expected: "a place or a text",
    got: "both",
    remedy: "leave out one of them",
  });
}

/** Of the bytes of a latent, as long as it takes to tell the waypoints of a plan. */
function hashOf(z: Latent): string {
  const bytes = new Uint8Array(z.buffer, z.byteOffset, z.byteLength);
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** What a run along a plan tells of its spans, by the plan's own numbers: waypoints that a search puts on the way have none. */
export class Passage {
  readonly #found = new Set<number>();

  constructor(readonly plan: Plan) {}

  step({ waypoint, isFound, tries, distance, tolerance, isReached }: PlanStep): PassedWaypoint {
    if (isFound) this.#found.add(waypoint);
    const before = Array.from(this.#found).filter((number) => number < waypoint).length;
    const own = waypoint - before;
    return { waypoint: own, hash: hashOf(this.plan[own - 1]!.z), isFound, tries, distance, tolerance, isReached };
  }
}
