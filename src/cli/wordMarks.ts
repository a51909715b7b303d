/** A text beside what became of it, with the words that differ marked. */
import { diffWordsWithSpace } from "diff";

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
