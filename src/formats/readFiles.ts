/** Looking for files, and reading JSON objects from them. */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { confine } from "./safetensorsFiles.js";
import { parseStrictJsonBytes, toPlain } from "./strictJson.js";

/** Whether there is anything at the path. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Whether there is a file at the path, or a link to one. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

/** @throws BigVaeError("usage") where a folder holds one of these files, of what it is said to hold, already. */
export async function refuseHolding(folder: string, what: string, names: readonly string[]): Promise<void> {
  for (const name of names)
    if (await exists(join(folder, name)))
      throw new BigVaeError("usage", {
        subject: folder,
        expected: `a folder without ${what}`,
        got: name,
        remedy: "name another folder",
      });
}

/** The JSON object in a file of a model's folder. @throws BigVaeError("format") where there is no file, or something else in it. */
export async function readJsonObject(folder: string, name: string): Promise<object> {
  const path = join(folder, name);
  if (!(await exists(path)))
    throw new BigVaeError("format", {
      subject: path,
      expected: "a file",
      got: "none",
      remedy: "copy the model's folder whole",
    });
  const bytes = await readFile(await confine(folder, name));
  const json = toPlain(parseStrictJsonBytes(bytes, path));
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new BigVaeError("format", {
    subject: path,
    expected: "a JSON object",
    got: "something else",
    remedy: "get the file again",
  });
}
