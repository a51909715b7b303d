/** Flags of a run that goes on: those it was started with, and which of them may differ. */
import { BigVaeError } from "../../errors.js";
import type { RunFile } from "../../train/run/runFile.js";
import { flagName } from "../flags.js";

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
