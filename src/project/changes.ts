/** What was changed in a project, for undoing: fields of nodes and of plans, in one order. */
import { type Database, type SqlValue, textValue } from "../formats/database.js";
import type { Changed } from "./types.js";

/** Tables by what they hold. */
const TABLES = { node: "nodes", plan: "plans" } as const;
/** Changes of plans that are kept, as each holds two whole plans. */
const MOST_OF_PLANS = 100;

export class Changes {
  constructor(readonly database: Database) {}

  /** Sets a field to something else, and remembers what it was. What could be done again no longer can. */
  make({ kind, id }: Changed, field: string, before: string | number, after: string | number): void {
    if (before === after) return;
    this.set({ kind, id }, field, after);
    this.database.run("DELETE FROM changes WHERE undone = 1");
    this.database.run("INSERT INTO changes (kind, subject, field, before, after) VALUES (?, ?, ?, ?, ?)", [
      ...[kind, id, field, sqlValue(before), sqlValue(after)],
    ]);
    if (kind === "plan")
      this.database.run(
        "DELETE FROM changes WHERE kind = 'plan' AND id NOT IN (SELECT id FROM changes WHERE kind = 'plan' ORDER BY id DESC LIMIT ?)",
        [MOST_OF_PLANS],
      );
  }

  /** Sets a field for good. */
  set(of: Changed, field: string, value: string | number): void {
    this.#set(of, field, sqlValue(value));
  }

  /** Takes back the newest change, or does again what was undone last. Returns of what it was; undefined where there is none. */
  turn(direction: "undo" | "redo"): Changed | undefined {
    const isUndo = direction === "undo";
    const change = this.database.get(
      isUndo
        ? "SELECT * FROM changes WHERE undone = 0 ORDER BY id DESC LIMIT 1"
        : "SELECT * FROM changes WHERE undone = 1 ORDER BY id LIMIT 1",
    );
    if (!change) return undefined;
    const of: Changed = { kind: change.kind as Changed["kind"], id: Number(change.subject) };
    this.database.together(() => {
      this.#set(of, String(change.field), change[isUndo ? "before" : "after"] as SqlValue);
      this.database.run("UPDATE changes SET undone = ? WHERE id = ?", [Number(isUndo), Number(change.id)]);
    });
    return of;
  }

  #set({ kind, id }: Changed, field: string, value: SqlValue): void {
    const place = typeof value === "number" ? "?" : "CAST(? AS TEXT)";
    this.database.run(`UPDATE ${TABLES[kind]} SET ${field} = ${place} WHERE id = ?`, [value, id]);
  }
}

function sqlValue(value: string | number): SqlValue {
  return typeof value === "string" ? textValue(value) : value;
}
