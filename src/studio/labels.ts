/** What is said of a span beside its text, by name: of a file's, by its record; of a written one, who wrote it. The map is coloured by it. */
import type { RecordValue } from "../data/texts.js";

/** Labels as they are kept among the origins of a span, where there are any. */
export function labelled(labels: Readonly<Record<string, RecordValue>> | undefined): { labels: object }[] {
  return labels ? [{ labels }] : [];
}
