/** Queries, looked at before they are run. */
import { BigVaeError } from "../errors.js";
import { checkLatent } from "../latent/index.js";
import { METRICS, type MemoryQuery } from "./types.js";

/** Throws "usage" for a query for nothing or by something unknown, "mismatch" for a latent of another width. */
export function checkQuery({ z, text, count, metric = "cosine", by = "key" }: MemoryQuery, width: number): void {
  const fail = (expected: string, got: string, remedy: string) => {
    throw new BigVaeError("usage", { subject: "memory: search", expected, got, remedy });
  };
  if (z === undefined && text === undefined) fail("`z`, `text` or both", "neither", "give what to look for");
  if (z !== undefined) checkLatent(z, width, "memory: search, z");
  if (!METRICS.includes(metric)) fail(`\`metric\`, one of ${METRICS.join(", ")}`, String(metric), "give one of them");
  if (by === "match" && metric !== "cosine")
    fail("`by` key beside another metric than cosine", by, "leave out one of them");
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
    fail("`count`, a whole number of at least 1", String(count), "leave it out for 10");
}

/** Throws "usage": a text without letters and digits finds nothing. */
export function noWords(text: string): never {
  const got = JSON.stringify(text.slice(0, 40));
  throw new BigVaeError("usage", {
    subject: "memory: words",
    expected: "letters or digits",
    got,
    remedy: "give a word",
  });
}

/** A bound of a filter. Throws "usage" for one that is no number. */
export function checkedNumber(field: string, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new BigVaeError("usage", {
    subject: `memory: \`${field}\``,
    expected: "a number",
    got: `${value}`,
    remedy: "leave it out for no bound",
  });
}
