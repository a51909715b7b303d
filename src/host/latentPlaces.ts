/** Places of latents in files, as command lines and plans name them: "@z.npy" for the only one of a file, "@z.npy#3" for the third. */
import { BigVaeError } from "../errors.js";
import { isLatentsPath, LATENT_ENDINGS, type NamedLatent, readLatents } from "./latentFiles.js";

/** Where a latent lies. */
export interface LatentPlace {
  file: string;
  /** Place in the file, from 1; default: the only latent of it. */
  latent?: number;
}

/** "@z.npy#3" -> { file: "z.npy", latent: 3 }. Throws "usage" for what names no file of latents. */
export function parseLatentPlace(given: string, remedy: string): LatentPlace {
  const [, file = "", latent] = /^@(.*?)(?:#(\d+))?$/s.exec(given) ?? [];
  if (!isLatentsPath(file))
    throw new BigVaeError("usage", {
      subject: JSON.stringify(given.slice(0, 40)),
      expected: `"@FILE" or "@FILE#NUMBER" of a file of latents (${LATENT_ENDINGS})`,
      got: "another ending",
      remedy,
    });
  return { file, ...(latent === undefined ? {} : { latent: Number(latent) }) };
}

/** The latent at a place. Throws "usage" where the file has another number of them, and as `readLatents`. */
export async function readLatent({ file, latent }: LatentPlace, width: number): Promise<NamedLatent> {
  const latents = await readLatents(file, width);
  if (latent === undefined && latents.length > 1)
    throw new BigVaeError("usage", {
      subject: `@${file}`,
      expected: `the number of one of its ${latents.length} latents`,
      got: "none",
      remedy: `write for example "@${file}#1"`,
    });
  return itemAt(latents, file, latent ?? 1);
}

/** What stands at a place of a file, from 1. Throws "usage" where there is no such place. */
export function itemAt<T>(items: readonly T[], file: string, place: number): T {
  const found = items[place - 1];
  if (found !== undefined) return found;
  throw new BigVaeError("usage", {
    subject: `@${file}#${place}`,
    expected: `a number from 1 to ${items.length}`,
    got: place,
    remedy: `write for example "@${file}#${items.length}"`,
  });
}
