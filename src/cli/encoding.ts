/** Texts encoded batch by batch, so that input of any length takes constant memory. */
import type { BigVae, EncodedText } from "../bigVae.js";
import type { Latent } from "../latent/index.js";
import { type Line, placed } from "./input.js";
import { warnLong } from "./shared.js";

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

/** Latents of lines; says which one is longer than a span, and refuses one by its place. */
export async function encodeTexts(
  flags: { quiet: boolean },
  vae: BigVae,
  batch: readonly Line[],
): Promise<EncodedText[]> {
  const encoded = await placed(batch, vae.encode(batch.map(({ text }) => text)));
  warnLong(flags, vae, encoded);
  return encoded;
}

/** A latent in a line. */
export function summary({ space }: BigVae, z: Latent): string {
  const first = Array.from(z.subarray(0, 6), (value) => value.toFixed(2)).join(" ");
  return `[${first} ...] ${z.length} values, norm ${space.norm(z).toFixed(2)}`;
}
