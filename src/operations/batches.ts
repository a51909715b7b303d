/** Lists of any length in parts that are computed together. */

/** Texts or latents that are computed together. */
const BATCH = 64;

/** The items in batches of 64. */
export async function* batches<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
