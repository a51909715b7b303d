/** Lengths of texts written from latents that store a length. */

/** Maximum number of tokens to write: a mixed text may need a few more than its interpolated length to reach its end. */
export function writeLimit(length: number): number {
  // The length is stored as a logarithm: 16 tokens may come back as 15.99999.
  return Math.floor(1.25 * length + 1e-3) + 2;
}

/** Cuts a text that did not end by itself to the stored length. */
export function cutToLength(ids: readonly number[], length: number, endId: number | undefined): readonly number[] {
  return endId !== undefined && ids.at(-1) === endId ? ids : ids.slice(0, Math.max(1, Math.round(length)));
}
