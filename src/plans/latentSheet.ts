/**
 * Latents beside a JSON file that refers to them: JSON lines with their texts, in a file whose name holds their hash. A new file of latents never
 * replaces one that an older JSON file refers to, so that a crash between the two leaves the old pair whole.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/index.js";
import { type NamedLatent, writeLatents } from "../host/latentFiles.js";

/** Hexadecimal digits of a hash in a name. */
const DIGITS = 8;

/**
 * Writes the JSON file at `path` with latents beside it; `json` is told how to refer to each of them ("@plan.1f3a9c02.jsonl#1").
 * @throws BigVaeError: "usage" for a path of another ending than .json, "disk".
 */
export async function writeWithLatents(
  path: string,
  latents: readonly NamedLatent[],
  json: (references: readonly string[]) => object,
): Promise<void> {
  checkJsonPath(path);
  const stem = basename(path, ".json");
  const hash = createHash("sha256");
  for (const { z, text, examples } of latents)
    hash.update(new Uint8Array(z.buffer, z.byteOffset, z.byteLength)).update(JSON.stringify([text, examples]));
  const name = `${stem}.${hash.digest("hex").slice(0, DIGITS)}.jsonl`;
  if (latents.length > 0) await writeLatents(join(dirname(path), name), latents);
  await writeFileAtomic(path, `${JSON.stringify(json(latents.map((_, i) => `@${name}#${i + 1}`)), null, 2)}\n`);
  await removeUnused(dirname(path), stem, name);
}

/** Throws "usage" for a path of another ending than .json: files of other names are not looked at for what they refer to. */
export function checkJsonPath(path: string): void {
  if (extname(path) === ".json") return;
  throw new BigVaeError("usage", {
    subject: path,
    expected: "a name that ends with .json",
    got: extname(path) === "" ? "no ending" : extname(path),
    remedy: "name it so",
  });
}

/** Removes latents of a JSON file that no JSON file of the folder refers to any more; the newest stay. */
async function removeUnused(folder: string, stem: string, newest: string): Promise<void> {
  const names = await readdir(folder);
  const older = names.filter((name) => isSheetOf(name, stem) && name !== newest);
  if (older.length === 0) return;
  const texts = await Promise.all(
    names
      .filter((name) => extname(name) === ".json")
      .map((name) => readFile(join(folder, name), "utf8").catch(() => "")),
  );
  for (const name of older)
    if (!texts.some((text) => text.includes(name))) await rm(join(folder, name), { force: true });
}

/** Whether a file holds latents of the JSON file of this stem. */
export function isSheetOf(name: string, stem: string): boolean {
  const rest = name.startsWith(`${stem}.`) ? name.slice(stem.length + 1) : "";
  return new RegExp(`^[\\da-f]{${DIGITS}}\\.jsonl$`).test(rest);
}
