/** sha256 of weights: what tells a base, and a checkpoint's adapters, from others. */
import { BigVaeError } from "../errors.js";
import { sha256OfFiles, weightFiles } from "../formats/index.js";
import type { LatentShape, SpaceIdentity } from "../latent/index.js";
import { readFacts } from "./facts.js";
import { adapterFiles, encoderFiles } from "./layout.js";

/** Of the weights of a base: of the file that they are read from, or of the hashes of its shards in order of name. */
export async function baseSha256(path: string): Promise<string> {
  return sha256OfFiles(path.endsWith(".gguf") ? [path] : await weightFiles(path));
}

/** Of the weights of the head and of every adapter in a folder. */
export async function adaptersSha256(folder: string): Promise<string> {
  return sha256OfFiles(await adapterFiles(folder));
}

/** Of what makes latents of texts: the head and the encoder's adapter. Another decoder or router does not change it. */
export async function encoderSha256(folder: string): Promise<string> {
  return sha256OfFiles(encoderFiles(folder));
}

/** What tells the space of a model's latents from others. Throws "usage" for a base without adapters, which makes none. */
export async function spaceIdentity(
  { base, adapters }: { base: string; adapters: string | undefined },
  { zDim, slots, span }: LatentShape,
): Promise<SpaceIdentity> {
  if (adapters === undefined)
    throw new BigVaeError("usage", {
      subject: "model",
      expected: "a model with adapters",
      got: "a base alone",
      remedy: "name their folder as `adapters`",
    });
  return { base: await baseSha256(base), encoder: await encoderSha256(adapters), zDim, slots, span };
}

/** Throws "mismatch" where the adapters' folder names another base by its sha256. `sha256`: that of the base, where it is known. */
export async function checkBaseHash(
  { base, adapters }: { base: string; adapters: string | undefined },
  sha256?: string,
): Promise<void> {
  if (!adapters) return;
  const expected = (await readFacts(adapters)).base_sha256;
  if (expected === undefined) return;
  const got = sha256 ?? (await baseSha256(base));
  if (got === expected) return;
  throw new BigVaeError("mismatch", {
    subject: `\`adapters\` ${adapters}`,
    expected: `the base with sha256 ${expected.slice(0, 12)}`,
    got: `${got.slice(0, 12)} at ${base}`,
    remedy: "give the base that they were trained on as `model`",
  });
}
