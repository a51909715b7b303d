/** sha256 of weights: what tells a base, and a checkpoint's adapters, from others. */
import { BigVaeError } from "../errors.js";
import { sha256OfFiles, weightFiles } from "../formats/index.js";
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
