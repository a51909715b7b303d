/** A project on disk: a tree of texts whose spans carry their latents. One SQLite file in a folder of its own; every change is kept at once. */
import { BigVaeError } from "../errors.js";
import {
  type Database,
  type DatabaseKind,
  openDatabase,
  type Row,
  textOf,
  textValue,
  wordsQuery,
} from "../formats/database.js";
import type { FolderLock } from "../formats/lock.js";
import { Changes } from "./changes.js";
import { ProjectPlans } from "./plans.js";
import { PROJECT_VERSION, SCHEMA, UPGRADES } from "./schema.js";
import type {
  Changed,
  FoundSpan,
  NewNode,
  NodeMarks,
  PassedSpan,
  PassedWaypoint,
  PlacedSpan,
  ProjectNode,
  ProjectSpan,
} from "./types.js";
import { CORPUS } from "./types.js";

const KIND: DatabaseKind = {
  file: "project.db",
  what: "a project",
  version: PROJECT_VERSION,
  schema: SCHEMA,
  upgrades: UPGRADES,
  remedy: "name another folder, or import an export of the project into an empty one",
};

/** The fields that change. */
const MARKS: readonly string[] = ["title", "rating", "unread", "removed"] satisfies (keyof NodeMarks)[];

/** Nodes with their texts; that of a corpus is left to its spans. */
const NODES = `SELECT id, parent, origin, settings, created, finished, CAST(title AS BLOB) AS title, rating, unread, removed, iif(origin = '${CORPUS}', '', (
  SELECT CAST(group_concat(text, '') AS BLOB) FROM (SELECT text FROM spans WHERE node = nodes.id ORDER BY place)
)) AS text FROM nodes`;

/** Nodes that were removed, and all behind them: nobody sees them until that is undone. */
const HIDDEN = `WITH RECURSIVE hidden (id) AS (
  SELECT id FROM nodes WHERE removed = 1 UNION SELECT nodes.id FROM nodes JOIN hidden ON nodes.parent = hidden.id
) SELECT id FROM hidden`;
const IS_SHOWN = `nodes.id NOT IN (${HIDDEN})`;

/** What stands as `labels` in the first origin of spans, by name. */
const LABELS = `spans JOIN nodes ON nodes.id = spans.node, json_each(spans.origins, '$[0].labels') AS each WHERE ${IS_SHOWN}`;
/** Spans of which a plan asked something. */
const PASSED = `SELECT spans.node, spans.place, CAST(spans.text AS BLOB) AS text, spans.origins FROM nodes CROSS JOIN spans ON spans.node = nodes.id
  WHERE ${IS_SHOWN} AND nodes.origin <> '${CORPUS}' AND json_type(spans.origins, '$[0].plan') = 'object' ORDER BY spans.id`;
const SPANS = "SELECT id, node, place, CAST(text AS BLOB) AS text, z, origins FROM spans";

/** Spans that are read at once where all are. */
const PAGE = 1000;

export class Project {
  readonly plans: ProjectPlans;
  readonly #changes: Changes;

  private constructor(
    readonly folder: string,
    readonly database: Database,
    readonly lock: FolderLock,
    /** The time for new nodes, in milliseconds since 1970. */
    readonly now: () => number,
  ) {
    this.#changes = new Changes(database);
    this.plans = new ProjectPlans(database, this.#changes);
  }

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
    return this.database.all(`${NODES} ORDER BY id`).map(nodeOf);
  }

  /** The node of that id. Throws "usage" where there is none. */
  node(id: number): ProjectNode {
    return nodeOf(this.#row(NODES, id));
  }

  /** Ids of the nodes that were removed, and of all behind them. */
  hidden(): Set<number> {
    return new Set(this.database.all(HIDDEN).map(({ id }) => Number(id)));
  }

  /** The spans of a node. */
  spans(node: number): PlacedSpan[] {
    return this.database.all(`${SPANS} WHERE node = ? ORDER BY place`, [node]).map(spanOf);
  }

  /** All spans, oldest first, a part of them in memory at a time. */
  *allSpans(): Generator<PlacedSpan> {
    for (let last: number | undefined = 0; last !== undefined; ) {
      const rows = this.database.all(`${SPANS} WHERE id > ? ORDER BY id LIMIT ?`, [last, PAGE]);
      for (const row of rows) yield spanOf(row);
      last = rows.length < PAGE ? undefined : Number(rows.at(-1)!.id);
    }
  }

  /** The span of that id. Throws "usage" where there is none. */
  span(id: number): PlacedSpan {
    return spanOf(this.#row(SPANS, id, "span"));
  }

  /** Begins a node; spans are added as they are written, and `finish` closes it. Returns its id. Throws "usage" behind a corpus. */
  begin({ parent, origin, settings = {}, created = this.now(), ...given }: NewNode): number {
    if (parent !== undefined && this.#row("SELECT origin FROM nodes", parent).origin === CORPUS) behindCorpus(parent);
    const { title, rating, unread, removed } = { title: "", rating: 0, unread: false, removed: false, ...given };
    return this.database.run(
      "INSERT INTO nodes (parent, origin, settings, created, finished, title, rating, unread, removed) VALUES (?, ?, ?, ?, 0, CAST(? AS TEXT), ?, ?, ?)",
      [
        ...[parent ?? null, origin, JSON.stringify(settings), created],
        ...[textValue(title), checkedRating(rating), Number(unread), Number(removed)],
      ],
    );
  }

  /** Adds a span to a node that is not finished. */
  write(node: number, { text, z, origins = [] }: ProjectSpan): PlacedSpan {
    if (this.#row("SELECT finished FROM nodes", node).finished === 1)
      throw new BigVaeError("usage", {
        subject: `node ${node}`,
        expected: "one that is still written",
        got: "a finished one",
        remedy: "add a node behind it",
      });
    const [last] = this.database.all("SELECT max(place) AS place FROM spans WHERE node = ?", [node]);
    const place = last!.place === null ? 0 : Number(last!.place) + 1;
    const bytes = z && new Uint8Array(z.buffer.slice(z.byteOffset, z.byteOffset + z.byteLength));
    const id = this.database.run(
      "INSERT INTO spans (node, place, text, z, origins) VALUES (?, ?, CAST(? AS TEXT), ?, ?)",
      [...[node, place, textValue(text)], bytes ?? null, JSON.stringify(origins)],
    );
    return { id, node, place, text, ...(z ? { z } : {}), origins };
  }

  /** Names of the labels of spans, in alphabetical order. */
  labelNames(): string[] {
    const found = this.database.all(`SELECT DISTINCT each.key AS name FROM ${LABELS} ORDER BY name`);
    return found.map(({ name }) => String(name));
  }

  /** Labels of a name, by the ids of their spans. */
  labels(name: string): [number, string | number][] {
    const found = this.database.all(`SELECT spans.id AS id, each.value AS value FROM ${LABELS} AND each.key = ?`, [
      name,
    ]);
    return found.map(({ id, value }) => [Number(id), typeof value === "string" ? value : Number(value)]);
  }

  /** Spans that were written along plans, with what was asked of each. */
  passed(): PassedSpan[] {
    return this.database.all(PASSED).map(({ node, place, text, origins }) => {
      const [{ plan }] = JSON.parse(String(origins)) as [{ plan: PassedWaypoint }];
      return { node: Number(node), place: Number(place), text: textOf(text), ...plan };
    });
  }

  /** Closes a node: its text never changes again. */
  finish(node: number): void {
    this.#row("SELECT id FROM nodes", node);
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
        if (!MARKS.includes(field)) throw unknownMark(field);
        if (field === "rating") checkedRating(marks.rating);
        const [old, value] = [stored(before[field]), stored(marks[field]!)];
        const of: Changed = { kind: "node", id: node };
        if (field === "unread") this.#changes.set(of, field, value);
        else this.#changes.make(of, field, old, value);
      }
    });
  }

  /** Takes back the newest change of a mark or a plan. Returns of what; undefined where there is none. */
  undo(): Changed | undefined {
    return this.#changes.turn("undo");
  }

  /** Does again what was undone last. */
  redo(): Changed | undefined {
    return this.#changes.turn("redo");
  }

  /** Spans that hold all words of a text, the best first. */
  search(words: string, limit = 50): FoundSpan[] {
    const query = wordsQuery(words, "all");
    if (query === undefined) return [];
    const rows = this.database.all(
      `SELECT spans.node, spans.place, CAST(snippet(texts, 0, char(1), char(2), '…', 12) AS BLOB) AS excerpt
       FROM texts JOIN spans ON spans.id = texts.rowid JOIN nodes ON nodes.id = spans.node
       WHERE texts MATCH ? AND ${IS_SHOWN} ORDER BY rank, spans.id LIMIT ?`,
      [query, limit],
    );
    return rows.map(({ node, place, excerpt }) => ({
      ...{ node: Number(node), place: Number(place), excerpt: textOf(excerpt) },
    }));
  }

  /** What is known of the project as a whole, by name. */
  facts(): Record<string, string> {
    const rows = this.database.all("SELECT name, value FROM facts WHERE name <> 'version' ORDER BY name");
    return Object.fromEntries(rows.map(({ name, value }) => [String(name), String(value)]));
  }

  /** Adds facts by name. Those that are known stay; of whose the latents are, there can be no other. */
  addFacts(facts: Readonly<Record<string, string>>): void {
    const known = this.facts();
    const [held, other] = [known.latents_sha256, facts.latents_sha256];
    if (held !== undefined && other !== undefined && other !== held)
      throw new BigVaeError("mismatch", {
        subject: `project ${this.folder}`,
        expected: `latents of ${known.model ?? "its model"} (sha256 ${held.slice(0, 12)})`,
        got: `those of ${facts.model ?? "another model"} (sha256 ${other.slice(0, 12)})`,
        remedy: "give that model as `model`, or another folder as `project`",
      });
    this.together(() => {
      for (const [name, value] of Object.entries(facts))
        this.database.run("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO NOTHING", [name, value]);
    });
  }

  /** Runs some changes as one: all of them are kept, or none. */
  together<T>(work: () => T): T {
    return this.database.together(work);
  }

  /** What a query says of a node. Throws "usage" where there is none of that id. */
  #row(query: string, id: number, subject = "node"): Row {
    const [row] = this.database.all(`${query} WHERE id = ?`, [id]);
    if (row) return row;
    const remedy = "list the nodes";
    throw new BigVaeError("usage", { subject, expected: "one of the project's", got: String(id), remedy });
  }
}

function behindCorpus(parent: number): never {
  throw new BigVaeError("usage", {
    subject: `parent ${parent}`,
    expected: "a text of the tree",
    got: "a file of texts",
    remedy: "name another node, or none for a text of its own",
  });
}

function unknownMark(field: string): BigVaeError {
  const expected = MARKS.join(", ");
  return new BigVaeError("usage", { subject: "mark", expected, got: field, remedy: "name one of them" });
}

function checkedRating(rating: unknown): number {
  if (rating === -1 || rating === 0 || rating === 1) return rating;
  const remedy = "give one of them";
  throw new BigVaeError("usage", { subject: "rating", expected: "-1, 0 or 1", got: String(rating), remedy });
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
    title: textOf(row.title),
    rating: Number(row.rating),
    unread: row.unread === 1,
    removed: row.removed === 1,
    text: textOf(row.text),
  };
}

function spanOf(row: Row): PlacedSpan {
  return {
    ...{ id: Number(row.id), node: Number(row.node), place: Number(row.place), text: textOf(row.text) },
    ...(row.z instanceof Uint8Array ? { z: floatsOf(row.z) } : {}),
    origins: JSON.parse(String(row.origins)) as unknown[],
  };
}

function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}
