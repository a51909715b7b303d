/** Word lists are written as one comma-separated string. */
export const list = (words: string): readonly string[] =>
  words.split(/,\s*/).map((word) => word.trim().replace(/\s+/g, " "));
