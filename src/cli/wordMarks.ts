/** A text beside what became of it, with the words that differ marked. */
import { diffWordsWithSpace } from "diff";
import { hasColours, onOneLine } from "./shade.js";

const [RED, GREEN, PLAIN] = ["\x1b[31m", "\x1b[32m", "\x1b[0m"];

export interface MarkedTexts {
  /** The text, with the words that were lost marked. */
  before: string;
  /** What became of it, with the words that it did not have marked. */
  after: string;
  /** Whether they are the same, blanks aside. */
  same: boolean;
}

/** Marks differing words by colour, or by brackets without colours; spaces are not marked. */
export function markDifferences(before: string, after: string, colours: boolean): MarkedTexts {
  const mark = (text: string, colour: string) =>
    text.replace(/\S+/g, (word) => (colours ? `${colour}${word}${PLAIN}` : `[${word}]`));
  const parts = diffWordsWithSpace(before, after);
  const side = (skipped: "added" | "removed", colour: string) =>
    parts
      .filter((part) => !part[skipped])
      .map((part) => (part.added || part.removed ? mark(part.value, colour) : part.value))
      .join("");
  return {
    before: side("added", RED),
    after: side("removed", GREEN),
    same: before.trim() === after.trim(),
  };
}

/**
 * On a terminal a text and what became of it, one below the other with differing words marked, or "=" and the text where they are the same;
 * else what became of it alone.
 */
export function besideOriginal(text: string, rebuilt: string): string {
  const [original, result] = [onOneLine(text), onOneLine(rebuilt)];
  if (!process.stdout.isTTY) return result;
  const { before, after, same } = markDifferences(original, result, hasColours());
  return same ? `= ${after}` : `- ${before}\n+ ${after}`;
}
