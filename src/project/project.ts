/** A project on disk: a tree of texts whose spans carry their latents. One SQLite file in a folder of its own; every change is kept at once. */
import type sqlite from "node-sqlite3-wasm";
import { BigVaeError } from "../errors.js";
import { type DatabaseKind, inTransaction, openDatabase, type Row, wordsQuery } from "../formats/database.js";
import type { FolderLock } from "../formats/lock.js";
import { PROJECT_VERSION, SCHEMA } from "./schema.js";
import type { FoundSpan, NewNode, NodeMarks, PlacedSpan, ProjectNode, ProjectSpan } from "./types.js";

const KIND: DatabaseKind = {
  file: "project.db",
  what: "a project",
  version: PROJECT_VERSION,
  schema: SCHEMA,
  remedy: "name another folder, or import an export of the project into an empty one",
};

/** Kinds of the fields that change. */
const MARKS = { title: "text", rating: "number", unread: "flag", removed: "flag" } as const;

/** Nodes with their texts. */
const NODES = `SELECT nodes.*, (
  SELECT group_concat(text, '') FROM (SELECT text FROM spans WHERE node = nodes.id ORDER BY place)
) AS text FROM nodes`;

export class Project {
  private constructor(
    readonly folder: string,
    readonly database: sqlite.Database,
    readonly lock: FolderLock,
    /** The time for new nodes, in milliseconds since 1970. */
    readonly now: () => number,
  ) {}

  /**
   * Opens the project in a folder, or begins one there.
   * @throws BigVaeError: "locked" where another process has it open, "disk" where the folder cannot be written, "format" for a file that is no project or a later one's.
   */
  static async open(folder: string, now: () => number = Date.now): Promise<Project> {
    const { database, lock } = await openDatabase(folder, KIND);
    return new Project(folder, database, lock, now);
  }

  async close(): Promise<void> {
    this.database.close();
    await this.lock.release();
  }

  /** All nodes, oldest first. */
  nodes(): ProjectNode[] {
    return this.#all(`${NODES} ORDER BY id`).map(nodeOf);
  }

  /** The node of that id. Throws "usage" where there is none. */
  node(id: number): ProjectNode {
    const [row] = this.#all(`${NODES} WHERE id = ?`, [id]);
    if (row) return nodeOf(row);
    throw new BigVaeError("usage", {
      subject: "node",
      expected: "one of the project's",
      got: String(id),
      remedy: "list the nodes",
    });
  }

  /** The spans of a node, or of all. */
  spans(node?: number): PlacedSpan[] {
    const rows =
      node === undefined
        ? this.#all("SELECT * FROM spans ORDER BY id")
        : this.#all("SELECT * FROM spans WHERE node = ? ORDER BY place", [node]);
    return rows.map((row) => ({
      ...{ id: Number(row.id), node: Number(row.node), place: Number(row.place), text: String(row.text) },
      ...(row.z instanceof Uint8Array ? { z: floatsOf(row.z) } : {}),
      origins: JSON.parse(String(row.origins)) as unknown[],
    }));
  }

  /** Begins a node; spans are added as they are written, and `finish` closes it. Returns its id. */
  begin({ parent, origin, settings = {}, title = "", unread = false, created = this.now() }: NewNode): number {
    if (parent !== undefined) this.node(parent);
    const { lastInsertRowid } = this.database.run(
      "INSERT INTO nodes (parent, origin, settings, created, finished, title, unread) VALUES (?, ?, ?, ?, 0, ?, ?)",
      [parent ?? null, origin, JSON.stringify(settings), created, title, Number(unread)],
    );
    return Number(lastInsertRowid);
  }

  /** Adds a span to a node that is not finished. Returns its place. */
  write(node: number, { text, z, origins = [] }: ProjectSpan): number {
    if (this.node(node).finished)
      throw new BigVaeError("usage", {
        subject: `node ${node}`,
        expected: "one that is still written",
        got: "a finished one",
        remedy: "add a node behind it",
      });
    const place = Number(this.#all("SELECT count(*) AS n FROM spans WHERE node = ?", [node])[0]!.n);
    const bytes = z && new Uint8Array(z.buffer.slice(z.byteOffset, z.byteOffset + z.byteLength));
    this.database.run("INSERT INTO spans (node, place, text, z, origins) VALUES (?, ?, ?, ?, ?)", [
      ...[node, place, text],
      bytes ?? null,
      JSON.stringify(origins),
    ]);
    return place;
  }

  /** Closes a node: its text never changes again. */
  finish(node: number): void {
    this.node(node);
    this.database.run("UPDATE nodes SET finished = 1 WHERE id = ?", [node]);
  }

  /** A finished node at once. */
  add(node: NewNode, spans: readonly ProjectSpan[]): number {
    return this.together(() => {
      const id = this.begin(node);
      for (const span of spans) this.write(id, span);
      this.finish(id);
      return id;
    });
  }

  /** Changes marks of a node. That can be undone, but for what was read. */
  mark(node: number, marks: Partial<NodeMarks>): void {
    const before = this.node(node);
    this.together(() => {
      for (const field of Object.keys(marks) as (keyof NodeMarks)[]) {
        if (!Object.hasOwn(MARKS, field)) throw unknownMark(field);
        const [old, value] = [stored(before[field]), stored(marks[field]!)];
        if (old === value) continue;
        this.#setMark(node, field, value);
        if (field === "unread") continue;
        this.database.run("DELETE FROM changes WHERE undone = 1");
        this.database.run("INSERT INTO changes (node, field, before, after) VALUES (?, ?, ?, ?)", [
          ...[node, field, old, value],
        ]);
      }
    });
  }

  /** Takes back the newest change of a mark. Returns its node; undefined where there is none. */
  undo(): number | undefined {
    return this.#turn("SELECT * FROM changes WHERE undone = 0 ORDER BY id DESC LIMIT 1", "before", 1);
  }

  /** Does again what was undone last. */
  redo(): number | undefined {
    return this.#turn("SELECT * FROM changes WHERE undone = 1 ORDER BY id LIMIT 1", "after", 0);
  }

  /** Spans that hold all words of a text, the best first. */
  search(words: string, limit = 50): FoundSpan[] {
    const query = wordsQuery(words, "all");
    if (query === undefined) return [];
    const rows = this.#all(
      `SELECT spans.node, spans.place, snippet(texts, 0, char(1), char(2), '…', 12) AS excerpt
       FROM texts JOIN spans ON spans.id = texts.rowid JOIN nodes ON nodes.id = spans.node
       WHERE texts MATCH ? AND nodes.removed = 0 ORDER BY rank, spans.id LIMIT ?`,
      [query, limit],
    );
    return rows.map(({ node, place, excerpt }) => ({
      ...{ node: Number(node), place: Number(place), excerpt: String(excerpt) },
    }));
  }

  /** A fact about the project by its name. */
  fact(name: string): string | undefined {
    const [row] = this.#all("SELECT value FROM facts WHERE name = ?", [name]);
    return row && String(row.value);
  }

  facts(): Record<string, string> {
    const rows = this.#all("SELECT name, value FROM facts WHERE name <> 'version' ORDER BY name");
    return Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]));
  }

  setFact(name: string, value: string): void {
    this.database.run("INSERT INTO facts VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", [
      name,
      value,
    ]);
  }

  /** Runs some changes as one: all of them are kept, or none. */
  together<T>(work: () => T): T {
    return inTransaction(this.database, work);
  }

  #turn(choose: string, to: "before" | "after", undone: 0 | 1): number | undefined {
    const [change] = this.#all(choose);
    if (!change) return undefined;
    this.together(() => {
      this.#setMark(Number(change.node), change.field as keyof NodeMarks, change[to] as string | number);
      this.database.run("UPDATE changes SET undone = ? WHERE id = ?", [undone, change.id!]);
    });
    return Number(change.node);
  }

  #setMark(node: number, field: keyof NodeMarks, value: string | number): void {
    this.database.run(`UPDATE nodes SET ${field} = ? WHERE id = ?`, [value, node]);
  }

  #all(sql: string, values: readonly (string | number)[] = []): Row[] {
    return this.database.all(sql, [...values]) as Row[];
  }
}

function unknownMark(field: string): BigVaeError {
  const expected = Object.keys(MARKS).join(", ");
  return new BigVaeError("usage", { subject: "mark", expected, got: field, remedy: "name one of them" });
}

function stored(value: string | number | boolean): string | number {
  return typeof value === "boolean" ? Number(value) : value;
}

function nodeOf(row: Row): ProjectNode {
  return {
    id: Number(row.id),
    ...(row.parent === null ? {} : { parent: Number(row.parent) }),
    origin: String(row.origin),
    settings: JSON.parse(String(row.settings)) as Record<string, unknown>,
    created: Number(row.created),
    finished: row.finished === 1,
    title: String(row.title),
    rating: Number(row.rating),
    unread: row.unread === 1,
    removed: row.removed === 1,
    text: String(row.text ?? ""),
  };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
