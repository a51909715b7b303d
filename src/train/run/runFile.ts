/** run.json: the command and the flags that a run was started with, so that `--resume --output DIR` is enough to go on. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/index.js";

export interface RunFile {
  /** base, vae or router. */
  command: string;
  /** Flags by their name in code; paths are absolute. */
  flags: Readonly<Record<string, unknown>>;
}

const NAME = "run.json";

export async function writeRunFile(folder: string, file: RunFile): Promise<void> {
  await writeFileAtomic(join(folder, NAME), `${JSON.stringify(file, null, 2)}\n`);
}

/** The file of a run; undefined where there is none. @throws BigVaeError("format") where it is malformed. */
export async function readRunFile(folder: string): Promise<RunFile | undefined> {
  const path = join(folder, NAME);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { command, flags } = JSON.parse(text) as RunFile;
    if (typeof command === "string" && typeof flags === "object" && flags !== null) return { command, flags };
  } catch {
    // Malformed: below.
  }
  throw new BigVaeError(
    "format",
    `${path}: expected the command and flags of a run, got something else; delete it and give all flags`,
  );
}
