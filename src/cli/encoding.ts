/** Texts encoded batch by batch, so that input of any length takes constant memory. */
import type { BigVae, EncodedText } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import type { Latent, LatentSpace } from "../latent/index.js";
import { type Line, placed } from "./input.js";
import { warnLong } from "./shared.js";

/** Of commands that take texts of any length. */
export const CHUNK_HELP = "split texts longer than a span, at sentence ends if possible";

/** A line, or a part of one. */
export interface Piece extends Line {
  /** Its number in the line, from 1. */
  piece: number;
  /** All that the line was cut into. */
  pieces: readonly string[];
  /** The line. */
  whole: Line;
}

/** The lines, each as its pieces of at most a span, or as one where they are not cut. */
export async function* piecesOf(vae: BigVae, lines: AsyncIterable<Line>, isCut: boolean): AsyncGenerator<Piece> {
  for await (const whole of lines) {
    const pieces = isCut ? vae.cut(whole.text) : [whole.text];
    for (const [i, text] of pieces.entries()) yield { ...whole, text, piece: i + 1, pieces, whole };
  }
}

/**
 * Latents of lines; says which one is longer than a span, and refuses one by its place. `chunk` is false where the command could cut
 * the texts, and was not asked to.
 */
export async function encodeTexts(
  flags: { quiet: boolean; chunk?: boolean },
  vae: BigVae,
  batch: readonly Line[],
): Promise<EncodedText[]> {
  const encoded = await placed(batch, vae.encode(batch.map(({ text }) => text))).catch((error: unknown) => {
    throw flags.chunk === false ? namingChunk(error) : error;
  });
  warnLong(flags, vae, encoded);
  return encoded;
}

/** An error that advises to cut a text into spans names the option that does. */
function namingChunk(error: unknown): unknown {
  const remedy = error instanceof BigVaeError && error.detail?.remedy;
  if (!remedy || !/cut it into spans$/.test(remedy)) return error;
  return error.with({ remedy: `${remedy} with --chunk` });
}

/** A latent in a line. */
export function summary(space: LatentSpace, z: Latent): string {
  const first = Array.from(z.subarray(0, 6), (value) => value.toFixed(2)).join(" ");
  return `[${first} ...] ${z.length} values, norm ${space.norm(z).toFixed(2)}`;
}
