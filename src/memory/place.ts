/** Names of memories: a folder, or a database of LanceDB. */
import { resolve } from "node:path";
import { BigVaeError } from "../errors.js";

const LOCAL = "lance:";

/**
 * Where LanceDB finds the database of a name: a path, or an address in object storage; undefined for a folder.
 * @throws BigVaeError("usage") for an address elsewhere or without a bucket, or none behind `lance:`.
 */
export function databaseAt(place: string): string | undefined {
  if (/^(s3|gs|az):\/\/[^/]/.test(place)) return place;
  if (place === LOCAL || /^(lance:)?[\w+.-]{2,}:\/\//.test(place))
    throw new BigVaeError("usage", {
      subject: `memory ${place}`,
      expected: "a folder, lance:PATH, s3://BUCKET/PATH, gs://BUCKET/PATH or az://CONTAINER/PATH",
      got: JSON.stringify(place),
      remedy: "give one of them",
    });
  return place.startsWith(LOCAL) ? resolve(place.slice(LOCAL.length)) : undefined;
}
