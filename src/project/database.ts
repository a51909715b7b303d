/** The SQLite file of a project: statements, and a disk that refuses them as an error of ours. */
import sqlite from "node-sqlite3-wasm";
import { BigVaeError } from "../errors.js";

export type Row = Record<string, number | string | bigint | Uint8Array | null>;
type Value = number | string | Uint8Array | null;

/** What SQLite says where the disk is at fault, and what it means. */
const REFUSALS: readonly [RegExp, { got: string; advice: string }][] = [
  [/disk is full/, { got: "a full disk", advice: "free some space" }],
  [/readonly|read-only/, { got: "a read-only file", advice: "check the permissions" }],
  [/disk I\/O|unable to open|could not open/i, { got: "a refusal", advice: "check the disk" }],
];

export class Database {
  readonly #file: sqlite.Database;

  constructor(readonly path: string) {
    this.#file = this.#checked(() => new sqlite.Database(path));
  }

  all(sql: string, values: readonly Value[] = []): Row[] {
    return this.#checked(() => this.#file.all(sql, [...values]) as Row[]);
  }

  /** Runs a statement; returns the id of the row that it added last. */
  run(sql: string, values: readonly Value[] = []): number {
    return this.#checked(() => Number(this.#file.run(sql, [...values]).lastInsertRowid));
  }

  /** Runs statements without values. */
  exec(sql: string): void {
    this.#checked(() => this.#file.exec(sql));
  }

  /** Runs some changes as one: all of them are kept, or none. */
  together<T>(work: () => T): T {
    if (this.#file.inTransaction) return work();
    this.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.exec("COMMIT");
      return result;
    } catch (error) {
      // A full disk has ended it already.
      if (this.#file.inTransaction) this.exec("ROLLBACK");
      throw error;
    }
  }

  close(): void {
    this.#file.close();
  }

  /** Throws "disk" where that is at fault. */
  #checked<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      const refusal = REFUSALS.find(([pattern]) => pattern.test(message))?.[1];
      if (!refusal) throw cause;
      const { got, advice } = refusal;
      const detail = { subject: this.path, expected: "a disk that takes it", got: `${got} (${message})` };
      throw new BigVaeError("disk", { ...detail, remedy: `${advice} and try again` }, { cause });
    }
  }
}
