/** A memory in LanceDB: on disk or in object storage, open in any number of processes on any machines. */
import { exists } from "../../formats/readFiles.js";
import { FIRST_CHOICE } from "../../latent/index.js";
import { noWords } from "../checkQuery.js";
import { wholeRecord } from "../checkRecord.js";
import { closedMemory, Memory } from "../memory.js";
import { noRecord } from "../problems.js";
import { Comparison, type FoundId, LEAST_CHOSEN, type NearQuery, OVERSAMPLING } from "../search.js";
import { noMemory } from "../space.js";
import type {
  MemoryFilter,
  MemoryOptions,
  MemoryRecord,
  NewRecord,
  RecordLatents,
  SpaceIdentity,
  VerifiedMemory,
} from "../types.js";
import { conditionOf, ofIds, withAny } from "./condition.js";
import { dropCopies, oneOfEach } from "./copies.js";
import { inTurn, LanceDatabase, rowsOf } from "./database.js";
import { guarded } from "./failures.js";
import { library } from "./library.js";
import { optimizeTable } from "./optimize.js";
import {
  damaged,
  idRows,
  keyColumn,
  LATENT_COLUMNS,
  latentsOf,
  RECORD_COLUMNS,
  type Row,
  recordOf,
  recordRows,
} from "./rows.js";
import { verifyDatabase } from "./verify.js";
import { rank, wordList } from "./words.js";

/** Rows that are read by their ids at once. */
const READ = 1024;

/** With fewer records, all latents are compared: that takes 10 ms. */
const LEAST_INDEXED = 4096;

/** Versions of the tables that are older go when it is compacted: whoever reads one of them has an hour. */
const KEPT_MS = 3_600_000;

/** Names that LanceDB gives to its indices: of the words, and of the ids. */
const [WORDS_INDEX, ID_INDEX] = ["words_idx", "id_idx"];

export class LanceMemory extends Memory {
  /** The change that is under way: one at a time. */
  #change: Promise<unknown> = Promise.resolve();
  /** None once it is closed. */
  #open: LanceDatabase | undefined;
  readonly #now: () => number;

  private constructor(database: LanceDatabase, now: () => number) {
    super(database.place, database.space);
    this.#open = database;
    this.#now = now;
  }

  /** Opens the memory in the database at `uri`, which was named `place`, or begins one there. Throws as `openMemory`. */
  static async open(
    place: string,
    uri: string,
    space?: SpaceIdentity,
    { mustExist = false, now = Date.now }: MemoryOptions = {},
  ): Promise<LanceMemory> {
    const packages = library(place);
    const mayBegin = space !== undefined && !mustExist;
    // LanceDB makes the folder of a database that it opens.
    if (!mayBegin && !uri.includes("://") && !(await exists(uri))) throw noMemory(place);
    return new LanceMemory(await LanceDatabase.open(place, uri, packages, space, mayBegin), now);
  }

  async close(): Promise<void> {
    await this.#alone(async () => {
      this.#open?.close();
      this.#open = undefined;
    }, false);
  }

  async count(): Promise<number> {
    return this.#read(({ records }) => records.countRows());
  }

  async add(records: readonly NewRecord[]): Promise<number[]> {
    const whole = records.map((each, i) => wholeRecord(each, this.latents.width, `memory: record ${i + 1}`, this.#now));
    return this.#alone(async () => {
      const database = this.#database;
      if (whole.length === 0) return [];
      const first = await database.takeIds(whole.length);
      const before = await database.records.version();
      const { version } = await database.records.add(recordRows(database.library.arrow, this.space, whole, first));
      // Others came between, or the same rows did.
      if (version !== before + 1)
        await inTurn(this.place, () => dropCopies(database, `first = ${first}`).then(() => true));
      return whole.map((_, i) => first + i);
    });
  }

  async changes(): Promise<number> {
    return this.#read(({ records }) => records.version());
  }

  async record(id: number): Promise<MemoryRecord> {
    const [record] = await this.records([id]);
    if (record) return record;
    throw await this.#read((database) => missing(database, id));
  }

  async ids(filter: MemoryFilter = {}): Promise<number[]> {
    const condition = conditionOf(filter);
    return this.#read((database) => idsIn(database, condition));
  }

  async recordLatents(ids: readonly number[]): Promise<RecordLatents[]> {
    return this.#read(async (database) => {
      const found = (await rowsById(database, ids, LATENT_COLUMNS)).map((row) => latentsOf(this.place, row));
      const there = new Set(found.map(({ id }) => id));
      for (const id of ids) if (!there.has(id)) await refuseLost(database, id);
      return found.sort((a, b) => a.id - b.id);
    });
  }

  async delete(ids: readonly number[]): Promise<void> {
    await this.#alone(async () => {
      const database = this.#database;
      if (ids.length === 0) return;
      const there = new Set(await idsIn(database, ofIds(ids)));
      // As in a folder: an id that is given twice is gone the second time.
      for (const id of ids) if (!there.delete(id) && !(await isLost(database, id))) throw noRecord(id);
      const { condition, gone } = await oneOfEach(database, ids);
      await database.deleted.add(idRows(database.library.arrow, gone));
      // What another process has deleted meanwhile is gone, as was asked for.
      await database.records.delete(condition);
    });
  }

  async note(name: string): Promise<string | undefined> {
    return this.#read((database) => database.note(name));
  }

  async setNote(name: string, value: string): Promise<void> {
    await this.#alone(() => this.#database.setNote(name, value));
  }

  /** Drops copies of records, joins small files, brings the indices up to the records, or makes them, and drops versions that are more than an hour old. */
  async compact(): Promise<void> {
    const compacted = () => this.#compacted().then(() => true);
    await this.#alone(() => inTurn(this.place, compacted));
  }

  async #compacted(): Promise<void> {
    const { connection, records, deleted, facts, library } = this.#database;
    await dropCopies(this.#database);
    const { Index } = library.lance;
    const names = (await records.listIndices()).map(({ name }) => name);
    const count = await records.countRows();
    const column = keyColumn(this.space);
    if (count > 0 && !names.includes(ID_INDEX)) await records.createIndex("id", { config: Index.btree() });
    if (count > 0 && !names.includes(WORDS_INDEX))
      await records.createIndex("words", { config: Index.fts(PLAIN_WORDS) });
    if (count >= LEAST_INDEXED && !names.includes(`${column}_idx`))
      await records.createIndex(column, { config: Index.hnswSq({ distanceType: "cosine" }) });
    const cleanupOlderThan = new Date(this.#now() - KEPT_MS);
    for (const table of [records, deleted, facts]) await optimizeTable(connection, table, cleanupOlderThan);
  }

  async verify(): Promise<VerifiedMemory> {
    return this.#alone(() => verifyDatabase(this.#database));
  }

  async indexBytes(): Promise<undefined> {
    return undefined;
  }

  protected async nearest(query: NearQuery): Promise<FoundId[]> {
    const { z, count, metric, by, filter, exact } = query;
    const condition = conditionOf(filter);
    if (exact) return this.#nearestOfAll(query, condition);
    const wanted = Math.max(OVERSAMPLING * count, by === "match" ? FIRST_CHOICE : LEAST_CHOSEN);
    const found = await this.#read(async (database) => {
      const chosen = Math.max(1, Math.min(wanted, await database.records.countRows()));
      const search = database.records
        .query()
        .nearestTo(this.latents.key(z))
        .column(keyColumn(this.space))
        .distanceType(({ cosine: "cosine", inner: "dot", l2: "l2" } as const)[metric])
        .select(["id", "_distance"])
        .limit(chosen);
      if (condition !== undefined) search.where(condition);
      // The index is of cosines.
      if (metric === "cosine") search.ef(2 * chosen);
      else search.bypassVectorIndex();
      const ids = (await rowsOf(search)).map(({ id }) => Number(id));
      const comparison = new Comparison(this.latents, query);
      for (const row of await rowsById(database, ids, LATENT_COLUMNS)) comparison.add(latentsOf(this.place, row));
      return comparison.found();
    });
    if (found.length >= count) return found;
    // LanceDB leaves out latents without a direction.
    return found.length < (await this.#read(({ records }) => records.countRows(condition)))
      ? this.#nearestOfAll(query, condition)
      : found;
  }

  protected async worded(text: string, filter: MemoryFilter, count: number): Promise<FoundId[]> {
    const words = wordList(text);
    if (words.length === 0) noWords(text);
    const condition = conditionOf(filter);
    return this.#read(async (database) => {
      const { records } = database;
      const names = (await records.listIndices()).map(({ name }) => name);
      if (names.includes(WORDS_INDEX)) {
        const search = records.query().fullTextSearch(words.join(" "), { columns: "words" });
        if (condition !== undefined) search.where(condition);
        const rows = await rowsOf(search.select(["id", "_score"]).limit(count));
        const found = rows.map(({ id, _score }) => ({ id: Number(id), relevance: Number(_score) }));
        return found.sort((a, b) => b.relevance - a.relevance || a.id - b.id);
      }
      const rows = await rowsOf(records.query().where(withAny(words)).select(["id", "words"]));
      const texts = rows.map((row) => ({ id: Number(row.id), words: String(row.words) }));
      const lengths = (await rowsOf(records.query().select(["length"]))).map(({ length }) => Number(length));
      const average = lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
      const fitting = condition === undefined ? undefined : new Set(await idsIn(database, condition));
      const ranked = rank(words, texts, { count: lengths.length, average });
      return ranked.filter(({ id }) => fitting?.has(id) ?? true).slice(0, count);
    });
  }

  async records(ids: readonly number[]): Promise<(MemoryRecord | undefined)[]> {
    return this.#read(async (database) => {
      const rows = await rowsById(database, ids, RECORD_COLUMNS);
      const found = new Map(rows.map((row) => [Number(row.id), recordOf(this.place, row)]));
      return ids.map((id) => found.get(id));
    });
  }

  /** Compares every record. */
  async #nearestOfAll(query: NearQuery, condition: string | undefined): Promise<FoundId[]> {
    return this.#read(async ({ records }) => {
      const comparison = new Comparison(this.latents, query);
      const all = records.query().select(LATENT_COLUMNS);
      if (condition !== undefined) all.where(condition);
      for await (const batch of all)
        for (const row of batch as Iterable<Row>) comparison.add(latentsOf(this.place, row));
      return comparison.found();
    });
  }

  /** Throws "usage" once it is closed. */
  get #database(): LanceDatabase {
    if (!this.#open) throw closedMemory(this.place);
    return this.#open;
  }

  async #read<T>(work: (database: LanceDatabase) => Promise<T>): Promise<T> {
    const database = this.#database;
    return guarded(this.place, () => work(database));
  }

  /** Changes of this process take turns. */
  #alone<T>(work: () => Promise<T>, isGuarded = true): Promise<T> {
    const done = this.#change.then(() => (isGuarded ? guarded(this.place, work) : work()));
    this.#change = done.catch(() => undefined);
    return done;
  }
}

/** The words are cut already. */
const PLAIN_WORDS = {
  baseTokenizer: "whitespace",
  lowercase: false,
  stem: false,
  removeStopWords: false,
  asciiFolding: false,
  withPosition: false,
  maxTokenLength: 10_000,
} as const;

async function rowsById({ records }: LanceDatabase, ids: readonly number[], columns: string[]): Promise<Row[]> {
  const rows: Row[] = [];
  for (let from = 0; from < ids.length; from += READ)
    rows.push(
      ...(await rowsOf(
        records
          .query()
          .where(ofIds(ids.slice(from, from + READ)))
          .select(columns),
      )),
    );
  return rows;
}

async function idsIn({ records }: LanceDatabase, condition: string | undefined): Promise<number[]> {
  const query = records.query().select(["id"]);
  if (condition !== undefined) query.where(condition);
  // A record may be there twice.
  const ids = new Set((await rowsOf(query)).map(({ id }) => Number(id)));
  return Array.from(ids).sort((a, b) => a - b);
}

/** Why there is no record of an id. */
async function missing(database: LanceDatabase, id: number): Promise<Error> {
  await refuseLost(database, id);
  return noRecord(id);
}

/** Throws "format" for a record that is lost. */
async function refuseLost(database: LanceDatabase, id: number): Promise<void> {
  if (await isLost(database, id)) throw damaged(database.place, id, "no record");
}

/** Whether there is no record of an id and it was not deleted, though others that were added with it are there. */
async function isLost({ records, deleted }: LanceDatabase, id: number): Promise<boolean> {
  if (!Number.isSafeInteger(id) || (await deleted.countRows(ofIds([id]))) > 0) return false;
  if ((await records.countRows(ofIds([id]))) > 0) return false;
  return (await records.countRows(`first <= ${id} AND last >= ${id}`)) > 0;
}
