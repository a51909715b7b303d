/**
 * Joins small files of a table, brings its indices up to its rows and drops old versions. Where the answer to the commit of joined files gets lost, LanceDB
 * takes it for one that failed and removes them, though the newest version names them.
 */
import type { Connection, Table } from "@lancedb/lancedb";
import { rowsOf } from "./database.js";

/** So often it is tried where each answer gets lost. */
const MOST_TRIES = 3;

/** Optimizes a table; where its joined files are gone, it goes back to the version before them, which has the same rows, and tries again. */
export async function optimizeTable(connection: Connection, table: Table, cleanupOlderThan: Date): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await table.optimize({ cleanupOlderThan });
      return;
    } catch (error) {
      if (!(await wentBack(connection, table.name)) || tries === MOST_TRIES) throw error;
    }
  }
}

/** Goes back by one version where that has all of its files and the newest has not. */
async function wentBack(connection: Connection, name: string): Promise<boolean> {
  const table = await connection.openTable(name);
  try {
    if (await isWhole(table)) return false;
    await table.checkout((await table.version()) - 1);
    if (!(await isWhole(table))) return false;
    await table.restore();
    return true;
  } finally {
    table.close();
  }
}

/** Whether there are the files of all rows. Throws what else went wrong. */
async function isWhole(table: Table): Promise<boolean> {
  const [column] = (await table.schema()).fields;
  return rowsOf(table.query().select([column!.name])).then(
    () => true,
    (error: unknown) => {
      if (/not found/i.test(String(error))) return false;
      throw error;
    },
  );
}
