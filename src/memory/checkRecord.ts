/** Records, looked at before they are kept. */
import { BigVaeError } from "../errors.js";
import { checkLatent } from "../latent/index.js";
import type { NewRecord, WholeRecord } from "./types.js";

/** Half of a character of UTF-16, which UTF-8 has no bytes for. */
const LONE_SURROGATE = /\p{Cs}/u;

/** Tokens are kept as int32. */
const LARGEST_ID = 2 ** 31 - 1;

/**
 * The record with all that may be left out of it. `where` names it in errors, `width` is that of the space's latents.
 * @throws BigVaeError: "usage" for a field of another type, "mismatch" for a latent of another width, "nonFinite" for NaN and infinity.
 */
export function wholeRecord(record: NewRecord, width: number, where: string, now: () => number): WholeRecord {
  const { text, ids, z, contextZ, score, tags = [], time = now() } = record;
  check(typeof text === "string" && !LONE_SURROGATE.test(text), where, "a text of whole characters", text);
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id <= LARGEST_ID;
  check(Array.isArray(ids) && ids.length > 0 && ids.every(isId), where, "`ids`, a list of at least one token id", ids);
  for (const [name, latent] of [
    ["z", z],
    ["contextZ", contextZ],
  ] as const) {
    if (latent === undefined && name === "contextZ") continue;
    check(latent instanceof Float32Array, where, `\`${name}\`, a latent (a Float32Array)`, latent);
    checkLatent(latent!, width, `${where}, ${name}`);
  }
  check(score === undefined || Number.isFinite(score), where, "`score`, a number", score);
  const isTag = (tag: unknown) => typeof tag === "string" && tag !== "" && !/\0|\p{Cs}/u.test(tag);
  check(Array.isArray(tags) && tags.every(isTag), where, "`tags`, a list of words", tags);
  check(Number.isSafeInteger(time), where, "`time`, a whole number of milliseconds", time);
  return {
    ...{ text, ids, z, time, tags: [...new Set(tags)].sort() },
    ...(contextZ ? { contextZ } : {}),
    ...(score === undefined ? {} : { score }),
  };
}

function check(holds: boolean, subject: string, expected: string, got: unknown): void {
  if (holds) return;
  const named = (JSON.stringify(got) ?? String(got)).slice(0, 60);
  throw new BigVaeError("usage", { subject, expected, got: named, remedy: "correct it" });
}
