/** How long a text is written from a latent that says how long it is. */

/** Tokens that are written at most: a mixed text may need some more than the length between to come to its end. */
export function writeLimit(length: number): number {
  // The length is stored as a logarithm: 16 tokens may come back as 15.99999.
  return Math.floor(1.25 * length + 1e-3) + 2;
}

/** A text that did not end by itself has its length. */
export function cutToLength(ids: readonly number[], length: number, endId: number | undefined): readonly number[] {
  return endId !== undefined && ids.at(-1) === endId ? ids : ids.slice(0, Math.max(1, Math.round(length)));
}
