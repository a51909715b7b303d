/** SQLite files in folders of their own, which one process has open at a time. Every change is kept at once. */
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { BigVaeError } from "../errors.js";
import { makeFolder } from "./fileOps.js";
import { type FolderLock, lockFolder } from "./lock.js";
import { isLogDamaged } from "./writeLog.js";

/** What is kept in a file. */
export interface DatabaseKind {
  /** Name of the file in its folder. */
  file: string;
  /** As errors name it: "a project". */
  what: string;
  /** Counts the layouts of the tables. */
  version: number;
  /** Makes the tables; among them `facts (name, value)`, which the version is kept in. */
  schema: string;
  /** What makes the tables of the next version of those of each, from version 1 on; without it no older version is taken. */
  upgrades?: readonly string[];
  /** What to do where the folder holds something else. */
  remedy: string;
  /** Whether a log that cannot give all that was kept in it is an error, where SQLite goes on without that: for what has a repair. */
  checksLog?: boolean;
}

/** A row as SQLite gives it. */
export type Row = Record<string, number | string | bigint | Uint8Array | null>;

/** What a statement is given. */
export type SqlValue = number | string | Uint8Array | null;

/** A statement that is run many times; to be finalized. */
export interface Statement {
  run(values: readonly SqlValue[]): void;
  finalize(): void;
}

/** What SQLite says where the disk is at fault, and what it means. */
const REFUSALS: readonly [RegExp, { got: string; advice: string }][] = [
  [/disk is full/, { got: "a full disk", advice: "free some space" }],
  [/readonly|read-only/, { got: "a read-only file", advice: "check the permissions" }],
  [/disk I\/O|unable to open|could not open/i, { got: "a refusal", advice: "check the disk" }],
];

/** A file with statements; a disk that refuses them is the error "disk". */
export class Database {
  readonly #file: sqlite.Database;

  /** Opens the file, or begins one; for whoever holds the lock of its folder. `readOnly`, the file and its log stay as they are. */
  constructor(
    readonly path: string,
    { readOnly = false } = {},
  ) {
    this.#file = this.#checked(() => new sqlite.Database(path, { readOnly }));
    // Our lock of the folder holds: SQLite need not lock and look for changes at every statement, which is most of the time of a short one.
    this.exec("PRAGMA locking_mode = EXCLUSIVE");
  }

  get isOpen(): boolean {
    return this.#file.isOpen;
  }

  all(sql: string, values: readonly SqlValue[] = []): Row[] {
    return this.#checked(() => this.#file.all(sql, [...values]) as Row[]);
  }

  /** The first row. */
  get(sql: string, values: readonly SqlValue[] = []): Row | undefined {
    return this.#checked(() => (this.#file.get(sql, [...values]) as Row | null) ?? undefined);
  }

  /** Runs a statement; returns the id of the row that it added last. */
  run(sql: string, values: readonly SqlValue[] = []): number {
    return this.#checked(() => Number(this.#file.run(sql, [...values]).lastInsertRowid));
  }

  /** Runs statements without values. */
  exec(sql: string): void {
    this.#checked(() => this.#file.exec(sql));
  }

  prepare(sql: string): Statement {
    const statement = this.#checked(() => this.#file.prepare(sql));
    return {
      run: (values) => void this.#checked(() => statement.run([...values])),
      finalize: () => statement.finalize(),
    };
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

  /** What is not in the file yet stays in the log beside it where the disk refuses it; it is there when both are opened again. */
  close(): void {
    this.#file.close();
  }

  /** Closes the file when it holds everything, and no log is left beside it. Throws "disk" where it cannot take that; it is closed then, too. */
  closeWhole(): void {
    try {
      this.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      this.close();
    }
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

/**
 * Opens the file in a folder, or begins one there; waits up to `waitMs` for another process that has it open.
 * @throws BigVaeError: "locked" where another process has it open, "disk" where the folder cannot be written, "format" for a file of
 * another kind or a later version.
 */
export async function openDatabase(
  folder: string,
  kind: DatabaseKind,
  waitMs = 0,
): Promise<{ database: Database; lock: FolderLock }> {
  await makeFolder(folder);
  const lock = await lockFolder(folder, waitMs);
  try {
    return { database: openFile(join(folder, kind.file), kind), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Opens the file itself, for whoever holds the lock of its folder. */
export function openFile(path: string, kind: DatabaseKind): Database {
  let database: Database | undefined;
  try {
    const isNew = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
    if (kind.checksLog && isLogDamaged(`${path}-wal`)) throw damagedLog(path, kind);
    removeOldLock(path);
    database = new Database(path);
    prepare(database, kind, isNew);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof BigVaeError ? error : anotherFile(path, kind, error);
  }
}

/** SQLite's own lock stays behind a process that was killed; ours tells that there is no other. */
export function removeOldLock(path: string): void {
  rmSync(`${path}.lock`, { recursive: true, force: true });
}

/**
 * A text as a value of a statement, where `CAST(? AS TEXT)` stands, and back from `CAST(column AS BLOB)`: handed over as a text, SQLite takes and
 * gives no more of it than there is before U+0000.
 */
export function textValue(text: string): SqlValue {
  return text.includes("\0") ? new TextEncoder().encode(text) : text;
}

export function textOf(value: Row[string] | undefined): string {
  return value instanceof Uint8Array ? TEXT.decode(value) : String(value ?? "");
}

const TEXT = new TextDecoder("utf-8", { ignoreBOM: true });

/** The words of a text as a query of FTS5: "all" of them, or what begins with them, or "any". None where there are no words. */
export function wordsQuery(text: string, which: "all" | "any"): string | undefined {
  const words = text.match(/[\p{L}\p{N}]+/gu);
  if (words === null) return undefined;
  return which === "all" ? words.map((word) => `"${word}"*`).join(" ") : words.map((word) => `"${word}"`).join(" OR ");
}

/** Makes the tables of a new file, and checks those of an old one. */
function prepare(database: Database, kind: DatabaseKind, isNew: boolean): void {
  const tables = database.all("SELECT name FROM sqlite_master");
  // A file without tables is one that a process was killed in before it had any.
  const isEmpty = isNew || tables.length === 0;
  const version = isEmpty ? kind.version : checkedVersion(database, kind, tables);
  // A log of writes: after a kill SQLite's other way needs a rollback, which this build of it never does (its own lock looks like another process's).
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (isEmpty)
    database.exec(
      `BEGIN IMMEDIATE; ${kind.schema} INSERT INTO facts (name, value) VALUES ('version', '${kind.version}'); COMMIT;`,
    );
  for (const [i, upgrade] of (kind.upgrades ?? []).slice(version - 1).entries())
    database.exec(
      `BEGIN IMMEDIATE; ${upgrade} UPDATE facts SET value = '${version + i + 1}' WHERE name = 'version'; COMMIT;`,
    );
}

/** The version of the tables. Throws "format" for a file of another kind, or of a version that this one does not come from, which nothing was written into yet. */
function checkedVersion(database: Database, kind: DatabaseKind, tables: readonly Row[]): number {
  const { path } = database;
  if (!tables.some(({ name }) => name === "facts")) throw anotherFile(path, kind);
  const version = Number(database.get("SELECT value FROM facts WHERE name = 'version'")?.value);
  const oldest = kind.version - (kind.upgrades?.length ?? 0);
  if (version >= oldest && version <= kind.version) return version;
  throw new BigVaeError("format", {
    subject: path,
    expected: `${kind.what} of version ${kind.version}`,
    got: `version ${version}`,
    remedy: "open it with the release that wrote it, and export it there",
  });
}

function damagedLog(path: string, { remedy }: DatabaseKind): BigVaeError {
  return new BigVaeError("format", {
    subject: `${path}-wal`,
    expected: "the changes that were kept in it",
    got: "damage before the last of them",
    remedy,
  });
}

function anotherFile(path: string, { what, remedy }: DatabaseKind, cause?: unknown): BigVaeError {
  const got = cause instanceof Error ? cause.message.replace(/\.$/, "") : "a database of another program";
  return new BigVaeError("format", { subject: path, expected: what, got, remedy }, { cause });
}
