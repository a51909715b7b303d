/** What tells one content from another: sha256 in hexadecimal digits. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";

/** Of a file, read as a stream. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** Of a file, or of the hashes of several. */
export async function sha256OfFiles(paths: readonly string[]): Promise<string> {
  const hashes: string[] = [];
  for (const path of paths) hashes.push(await sha256OfFile(path));
  return hashes.length === 1 ? hashes[0]! : createHash("sha256").update(hashes.join("")).digest("hex");
}
