/** Which part of the corpus a text belongs to. */
import { createHash } from "node:crypto";
import { BigVaeError } from "../errors.js";
import type { TextRecord } from "./texts.js";

export const SPLITS = ["train", "validation", "test"] as const;
export type Split = (typeof SPLITS)[number];

const NAMES: ReadonlyMap<string, Split> = new Map([
  ["train", "train"],
  ["validation", "validation"],
  ["valid", "validation"],
  ["val", "validation"],
  ["dev", "validation"],
  ["test", "test"],
]);

/**
 * The record's own split; else by h, the first 8 hexadecimal digits of SHA-256 of its id (or text) mod 100: below 2
 * validation, below 4 test, the rest train. So a text keeps its split when the corpus grows.
 * @throws BigVaeError("format") for a split of another name.
 */
export function splitOf({ text, id, split }: Pick<TextRecord, "text" | "id" | "split">): Split {
  if (split !== undefined) {
    const known = NAMES.get(split.toLowerCase());
    if (known) return known;
    throw new BigVaeError("format", {
      subject: "split of a text",
      expected: [...NAMES.keys()].join(", "),
      got: JSON.stringify(split),
      remedy: "give it one of these names",
    });
  }
  const digits = createHash("sha256")
    .update(id ?? text)
    .digest("hex")
    .slice(0, 8);
  const h = Number.parseInt(digits, 16) % 100;
  return h < 2 ? "validation" : h < 4 ? "test" : "train";
}
