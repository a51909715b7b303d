/** run.json: the command and the flags that a run was started with, so that `--resume --output DIR` is enough to go on. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/index.js";

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

/** Flags of the command line, and which of them the user wrote. */
export interface GivenFlags<F> {
  flags: F;
  explicit: ReadonlySet<string>;
  /** Flags that may differ from those that the run was started with. */
  free: ReadonlySet<string>;
}

/**
 * The flags to go on with: the saved ones, and the free ones that were given.
 * @throws BigVaeError("mismatch") naming the first flag that is given, not free, and other than it was.
 */
export function resumedFlags<F extends object>(saved: RunFile, command: string, given: GivenFlags<F>): F {
  if (saved.command !== command) {
    throw new BigVaeError(
      "mismatch",
      `--resume: expected a run of train ${command}, got one of train ${saved.command}; use that command, or another --output`,
    );
  }
  const merged: Record<string, unknown> = { ...given.flags, ...saved.flags };
  for (const [name, value] of Object.entries(given.flags)) {
    if (!given.explicit.has(name)) continue;
    const was = saved.flags[name];
    if (!given.free.has(name) && JSON.stringify(was) !== JSON.stringify(value)) {
      throw new BigVaeError(
        "mismatch",
        `--resume: expected ${flagName(name)} ${was ?? "left out"} as the run was started, got ${value}; leave the flag out, or start another run with another --output`,
      );
    }
    merged[name] = value;
  }
  return merged as F;
}

/** "klWeight" -> "--kl-weight" */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
