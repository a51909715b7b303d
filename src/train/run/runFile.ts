/** run.json: the command and the options that a run was started with, so that its folder is enough to resume it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../../errors.js";
import { errorCode, readError } from "../../formats/fileOps.js";
import { writeFileAtomic } from "../../formats/index.js";

export interface RunFile {
  /** base, vae or router. */
  command: string;
  /** Options by name; paths are absolute. */
  flags: Readonly<Record<string, unknown>>;
}

/** Where it lies in the folder of a run. */
export function runFilePath(folder: string): string {
  return join(folder, "run.json");
}

export async function writeRunFile(folder: string, file: RunFile): Promise<void> {
  await writeFileAtomic(runFilePath(folder), `${JSON.stringify(file, null, 2)}\n`);
}

/** The file of a run; undefined where there is none. @throws BigVaeError("format") where it is malformed, "disk" where it cannot be read. */
export async function readRunFile(folder: string): Promise<RunFile | undefined> {
  const path = runFilePath(folder);
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "")) return undefined;
    throw readError(path, error);
  });
  if (text === undefined) return undefined;
  try {
    const { command, flags } = JSON.parse(text) as RunFile;
    const isObject = typeof flags === "object" && flags !== null && !Array.isArray(flags);
    if (typeof command === "string" && isObject) return { command, flags };
  } catch {
    // Malformed: below.
  }
  throw new BigVaeError("format", {
    subject: path,
    expected: "the command and options of a run",
    got: "something else",
    remedy: "delete it and give all options",
  });
}
