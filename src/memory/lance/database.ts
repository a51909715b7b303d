/** The tables of a memory in LanceDB. Any number of processes, on any machines, may change them: LanceDB writes a version per change, and tries again where another was first. */
import { randomUUID } from "node:crypto";
import type { Connection, Table } from "@lancedb/lancedb";
import { BigVaeError } from "../../errors.js";
import type { SpaceIdentity } from "../../latent/index.js";
import { factChecksum } from "../checksums.js";
import { damagedFact } from "../problems.js";
import { checkSpace, noMemory } from "../space.js";
import { quoted } from "./condition.js";
import { guarded, isConflict, noTurn, OLDER_VERSION } from "./failures.js";
import type { Library } from "./library.js";
import { factRows, factSchema, idSchema, type Row, recordSchema } from "./rows.js";

const VERSION = "1";
const [SPACE, LAST, NOTES] = ["space", "last id", "notes"];

/** The table that says which tables are the memory's. */
const CHOSEN = "memory";

/** So often a change is tried where others are always first. */
const MOST_TRIES = 200;

export class LanceDatabase {
  private constructor(
    readonly place: string,
    readonly library: Library,
    readonly space: SpaceIdentity,
    readonly connection: Connection,
    readonly records: Table,
    readonly deleted: Table,
    readonly facts: Table,
  ) {}

  /** Opens the tables, or makes them for latents of `given`. Throws as `openMemory`. */
  static async open(
    place: string,
    uri: string,
    library: Library,
    given: SpaceIdentity | undefined,
    mayBegin: boolean,
  ): Promise<LanceDatabase> {
    return guarded(place, async () => {
      // What others wrote is seen by the next call.
      const connection = await library.lance.connect(uri, { readConsistencyInterval: 0 });
      try {
        const chosen = await inTurn(place, async () => {
          const tables = await tablesOf(place, connection);
          if (tables !== undefined) return tables;
          if (!mayBegin || !given) throw noMemory(place);
          await begin(place, connection, uri.replace(/\/+$/, ""), library, given);
          return undefined;
        });
        const [records, deleted, facts] = await Promise.all(namesOf(chosen).map((name) => connection.openTable(name)));
        const space = await spaceIn(place, facts!);
        if (given) checkSpace(space, given, `memory ${place}`);
        return new LanceDatabase(place, library, space, connection, records!, deleted!, facts!);
      } catch (error) {
        connection.close();
        throw error;
      }
    });
  }

  close(): void {
    for (const table of [this.records, this.deleted, this.facts]) table.close();
    this.connection.close();
  }

  /** A fact by its name; undefined where there is none. Throws "format" where it is damaged. */
  async fact(name: string): Promise<string | undefined> {
    return readFact(this.place, this.facts, name);
  }

  /** What was noted under a name. Throws as `fact`. */
  async note(name: string): Promise<string | undefined> {
    const notes = JSON.parse((await this.fact(NOTES)) ?? "{}") as Record<string, string>;
    return Object.hasOwn(notes, name) ? notes[name] : undefined;
  }

  async setNote(name: string, value: string): Promise<void> {
    await this.#change(NOTES, (old) => JSON.stringify({ ...JSON.parse(old), [name]: value }));
  }

  /** Names of all facts. */
  async factNames(): Promise<string[]> {
    return (await rowsOf(this.facts.query().select(["name"]))).map(({ name }) => String(name));
  }

  /** Takes the next `count` ids, which nobody else gets; returns the first. An id that is taken and not used stays unused. */
  async takeIds(count: number): Promise<number> {
    const last = await this.#change(LAST, (old) => String(Number(old) + count));
    return Number(last) + 1;
  }

  /** Changes a fact that there is; returns what it was. Of several that find the old value, one changes it; the others find none, or are told of the conflict. */
  async #change(name: string, change: (old: string) => string): Promise<string> {
    return inTurn(this.place, async () => {
      const value = await this.fact(name);
      if (value === undefined) throw damagedNote(this.place, name);
      const [old, next] = [JSON.stringify(value), JSON.stringify(change(value))];
      const where = `name = ${quoted(name)} AND value = ${quoted(old)}`;
      const { rowsUpdated } = await this.facts.update({
        where,
        values: { value: next, checksum: factChecksum(name, next) },
      });
      return rowsUpdated === 1 ? value : undefined;
    });
  }
}

/** Tries a change until no other process is first: `attempt` returns undefined, or throws LanceDB's conflict, where one was. */
export async function inTurn<T extends {}>(place: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const done = await attempt().catch(unlessConflict);
    if (done !== undefined) return done;
    await new Promise((resolve) => setTimeout(resolve, Math.min(tries, 20) * (1 + (process.pid % 7))));
  }
  throw noTurn(place, `${MOST_TRIES} times another process that was first`);
}

/** Rows of a query. */
export async function rowsOf(query: { toArrow(): Promise<unknown> }): Promise<Row[]> {
  return Array.from((await query.toArrow()) as Iterable<Row>);
}

/** What the names of the memory's tables end in; undefined where there is no memory. Throws "format" where a table of another kind has its name. */
async function tablesOf(place: string, connection: Connection): Promise<string | undefined> {
  if (!(await connection.tableNames()).includes(CHOSEN)) return undefined;
  const chosen = await connection.openTable(CHOSEN);
  const tables = (await chosen.schema()).metadata.get(CHOSEN);
  chosen.close();
  if (tables === undefined) throw anotherDatabase(place, `another table with the name ${CHOSEN}`);
  return tables;
}

/**
 * Makes tables under names of their own, and then has one of those that begin the memory at the same time chosen. LanceDB may put a table that it makes in the
 * place of one that another process has made meanwhile, whatever that one holds by then; a clone it makes where there is no table alone. Where the answer to a commit gets lost, it is sent again, and finds
 * the table that it has made: under an own name that is no error, and a clone that is refused may be the chosen one.
 */
async function begin(
  place: string,
  connection: Connection,
  uri: string,
  { arrow }: Library,
  given: SpaceIdentity,
): Promise<void> {
  const { base, encoder, zDim, slots, span } = given;
  const own = randomUUID();
  const [records, deleted, facts] = namesOf(own);
  const existOk = true;
  await connection.createEmptyTable(records, recordSchema(arrow, given), { existOk });
  await connection.createEmptyTable(deleted, idSchema(arrow, new Map([[CHOSEN, own]])), { existOk });
  const values = Object.entries({
    version: VERSION,
    [SPACE]: JSON.stringify({ base, encoder, zDim, slots, span }),
    [LAST]: "0",
    [NOTES]: "{}",
  }).map(([name, value]) => [name, JSON.stringify(value)]);
  const rows = factRows(arrow, Object.fromEntries(values));
  await connection.createTable(facts, rows, { schema: factSchema(arrow), existOk });
  await connection.cloneTable(CHOSEN, `${uri}/${deleted}.lance`).catch(async (error: unknown) => {
    const chosen = await tablesOf(place, connection);
    if (chosen === undefined) throw error;
    if (chosen === own) return;
    for (const name of namesOf(own)) await connection.dropTable(name);
  });
}

/** Names of the tables of records, of deleted ids and of facts. */
function namesOf(tables: string): [string, string, string] {
  return [`records-${tables}`, `deleted-${tables}`, `facts-${tables}`];
}

async function spaceIn(place: string, facts: Table): Promise<SpaceIdentity> {
  const version = await readFact(place, facts, "version");
  if (version !== VERSION)
    throw anotherDatabase(place, version === undefined ? "another database" : `version ${version}`);
  const space = await readFact(place, facts, SPACE);
  if (space === undefined) throw damagedNote(place, SPACE);
  return JSON.parse(space) as SpaceIdentity;
}

function anotherDatabase(place: string, got: string): BigVaeError {
  return new BigVaeError("format", {
    subject: `memory ${place}`,
    expected: `a memory of version ${VERSION}`,
    got,
    remedy: "name another database",
  });
}

/** Values are kept as JSON: a string of Arrow may lose its first character. */
async function readFact(place: string, facts: Table, name: string): Promise<string | undefined> {
  const [row] = await rowsOf(facts.query().where(`name = ${quoted(name)}`));
  if (!row) return undefined;
  const value = String(row.value);
  if (row.checksum !== factChecksum(name, value)) throw damagedNote(place, name);
  return JSON.parse(value) as string;
}

/** A database is not repaired as a folder is: its older versions are there. */
function damagedNote(place: string, name: string): BigVaeError {
  return damagedFact(place, name).with({ remedy: OLDER_VERSION });
}

function unlessConflict(error: unknown): undefined {
  if (!isConflict(error)) throw error;
}
