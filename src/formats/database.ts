/** A SQLite file in a folder of its own, which one process has open at a time. Every change is kept at once. */
import { mkdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import sqlite from "node-sqlite3-wasm";
import { BigVaeError } from "../errors.js";
import { type FolderLock, lockFolder } from "./lock.js";

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
  /** What to do where the folder holds something else. */
  remedy: string;
}

/** A file, and the right to write it. */
export interface OpenDatabase {
  /** Path of the file. */
  path: string;
  database: sqlite.Database;
  lock: FolderLock;
}

/** A row as SQLite gives it. */
export type Row = Record<string, number | string | bigint | Uint8Array | null>;

/**
 * Opens the file in a folder, or begins one there; waits up to `waitMs` for another process that has it open.
 * @throws BigVaeError: "locked" where another process has it open, "disk" where the folder cannot be written, "format" for a file of
 * another kind or a later version.
 */
export async function openDatabase(folder: string, kind: DatabaseKind, waitMs = 0): Promise<OpenDatabase> {
  await mkdir(folder, { recursive: true });
  const lock = await lockFolder(folder, waitMs);
  const path = join(folder, kind.file);
  try {
    return { path, database: await openFile(path, kind), lock };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Opens the file itself, for whoever holds the lock of its folder. */
export async function openFile(path: string, kind: DatabaseKind): Promise<sqlite.Database> {
  let database: sqlite.Database | undefined;
  try {
    const isNew = await stat(path).then(
      ({ size }) => size === 0,
      () => true,
    );
    // SQLite's own lock stays behind a process that was killed; ours tells that there is no other.
    await rm(`${path}.lock`, { recursive: true, force: true });
    database = new sqlite.Database(path);
    prepare(database, path, kind, isNew);
    return database;
  } catch (error) {
    database?.close();
    throw error instanceof BigVaeError ? error : anotherFile(path, kind, error);
  }
}

/** Runs some changes as one: all of them are kept, or none. */
export function inTransaction<T>(database: sqlite.Database, work: () => T): T {
  if (database.inTransaction) return work();
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    database.exec("ROLLBACK");
    throw error;
  }
}

/** The words of a text as a query of FTS5: "all" of them, or what begins with them, or "any". None where there are no words. */
export function wordsQuery(text: string, which: "all" | "any"): string | undefined {
  const words = text.match(/[\p{L}\p{N}]+/gu);
  if (words === null) return undefined;
  return which === "all" ? words.map((word) => `"${word}"*`).join(" ") : words.map((word) => `"${word}"`).join(" OR ");
}

/** Makes the tables of a new file, and checks those of an old one. */
function prepare(database: sqlite.Database, path: string, kind: DatabaseKind, isNew: boolean): void {
  // Our lock of the folder holds: SQLite need not lock and look for changes at every statement, which is most of the time of a short one.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (isNew)
    database.exec(
      `BEGIN IMMEDIATE; ${kind.schema} INSERT INTO facts (name, value) VALUES ('version', '${kind.version}'); COMMIT;`,
    );
  if (database.all("SELECT name FROM sqlite_master WHERE name = 'facts'").length === 0) throw anotherFile(path, kind);
  const version = Number(database.get("SELECT value FROM facts WHERE name = 'version'")?.value);
  if (version === kind.version) return;
  throw new BigVaeError("format", {
    subject: path,
    expected: `${kind.what} of version ${kind.version}`,
    got: `version ${version}`,
    remedy: "open it with the release that wrote it, and export it there",
  });
}

function anotherFile(path: string, { what, remedy }: DatabaseKind, cause?: unknown): BigVaeError {
  const got = cause instanceof Error ? cause.message.replace(/\.$/, "") : "a database of another program";
  return new BigVaeError("format", { subject: path, expected: what, got, remedy }, { cause });
}
