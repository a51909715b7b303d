/** LanceDB, which a user installs for memories in object storage, and Arrow, in which it takes and gives rows. */
import { createRequire } from "node:module";
import { BigVaeError } from "../../errors.js";

/** Both packages. They are loaded in the same way, so that LanceDB's tables of Arrow and ours are of one class. */
export interface Library {
  lance: typeof import("@lancedb/lancedb");
  arrow: typeof import("apache-arrow");
}

let loaded: Library | undefined;

/** The packages. @throws BigVaeError("unsupported") where they are not installed, or have no build for this machine. */
export function library(place: string): Library {
  if (loaded) return loaded;
  const load = createRequire(import.meta.url);
  // Each repeated request would be a line on standard error; what fails in the end is thrown.
  process.env.LANCEDB_LOG ??= "error";
  try {
    loaded = { lance: load("@lancedb/lancedb"), arrow: load("apache-arrow") } as Library;
    return loaded;
  } catch (cause) {
    throw new BigVaeError(
      "unsupported",
      {
        subject: `memory ${place}`,
        expected: `@lancedb/lancedb with its library for ${process.platform}-${process.arch}`,
        got: cause instanceof Error ? cause.message.split("\n")[0]!.trim() : String(cause),
        remedy: "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0, or name a folder",
      },
      { cause },
    );
  }
}
