/** What is said of a span beside its text: labels by name, which the map is coloured by, and what a plan asked of it. */
import type { RecordValue } from "../data/texts.js";
import type { PassedWaypoint } from "../project/types.js";

/** Labels and the plan's step as they are kept, first among the origins of a span, where there are any. */
export function noted(
  labels: Readonly<Record<string, RecordValue>> | undefined,
  plan?: PassedWaypoint,
): { labels?: object; plan?: PassedWaypoint }[] {
  return labels || plan ? [{ ...(labels ? { labels } : {}), ...(plan ? { plan } : {}) }] : [];
}
