/** Names of memories: a folder, or a database of LanceDB. */
import { resolve } from "node:path";

const LOCAL = "lance:";

/** Where LanceDB finds the database of a name: a path, or an address in object storage; undefined for a folder. */
export function databaseAt(place: string): string | undefined {
  if (place.startsWith(LOCAL)) return resolve(place.slice(LOCAL.length));
  return /^(s3|gs|az):\/\//.test(place) ? place : undefined;
}
