/** Plans of a project: places that its texts are to pass. A plan is one value, so that a change of it can be undone as a whole. */
import { BigVaeError } from "../errors.js";
import { type Database, type Row, textOf, textValue } from "../formats/database.js";
import type { Changes } from "./changes.js";
import { latentOfText, textOfLatent } from "./latentText.js";
import type { ProjectPlan, ProjectWaypoint, StoredPlan } from "./types.js";

const PLANS = "SELECT id, CAST(title AS BLOB) AS title, CAST(waypoints AS BLOB) AS waypoints, removed FROM plans";

export class ProjectPlans {
  constructor(
    readonly database: Database,
    readonly changes: Changes,
  ) {}

  /** All plans, the oldest first, the removed ones too. */
  all(): ProjectPlan[] {
    return this.database.all(`${PLANS} ORDER BY id`).map(planOf);
  }

  /** The plan of that id. Throws "usage" where there is none. */
  get(id: number): ProjectPlan {
    const row = this.database.get(`${PLANS} WHERE id = ?`, [id]);
    if (row) return planOf(row);
    const remedy = "list the plans";
    throw new BigVaeError("usage", { subject: "plan", expected: "one of the project's", got: String(id), remedy });
  }

  /** Keeps a plan; returns its id. */
  add({ title, waypoints, removed = false }: Omit<ProjectPlan, "id" | "removed"> & { removed?: boolean }): number {
    return this.database.run(
      "INSERT INTO plans (title, waypoints, removed) VALUES (CAST(? AS TEXT), CAST(? AS TEXT), ?)",
      [textValue(title), storedAs(waypoints), Number(removed)],
    );
  }

  /** Gives a plan other waypoints. That can be undone. */
  change(id: number, waypoints: readonly ProjectWaypoint[]): void {
    const before = storedAs(this.get(id).waypoints);
    this.database.together(() => this.changes.make({ kind: "plan", id }, "waypoints", before, storedAs(waypoints)));
  }

  /** Takes a plan out. That can be undone. */
  remove(id: number): void {
    if (this.get(id).removed) return;
    this.database.together(() => this.changes.make({ kind: "plan", id }, "removed", 0, 1));
  }
}

/** A plan as an export has it. */
export function exportedPlan({ waypoints, ...plan }: ProjectPlan): StoredPlan {
  return { ...plan, waypoints: waypoints.map(({ z, ...rest }) => ({ ...rest, z: textOfLatent(z) })) };
}

/** Waypoints of an export. */
export function waypointsOf(stored: StoredPlan["waypoints"]): ProjectWaypoint[] {
  return stored.map(({ z, text, tolerance, weight }) => ({
    ...{ z: latentOfText(z), tolerance, weight },
    ...(text === undefined ? {} : { text }),
  }));
}

/** JSON escapes what SQLite would cut a text at. */
function storedAs(waypoints: readonly ProjectWaypoint[]): string {
  return JSON.stringify(waypoints.map(({ z, ...rest }) => ({ ...rest, z: textOfLatent(z) })));
}

function planOf({ id, title, waypoints, removed }: Row): ProjectPlan {
  return {
    ...{ id: Number(id), title: textOf(title), removed: removed === 1 },
    waypoints: waypointsOf(JSON.parse(textOf(waypoints)) as StoredPlan["waypoints"]),
  };
}
