/** Questions to whoever sits at the terminal. */
import { createInterface } from "node:readline/promises";
import { BigVaeError } from "../errors.js";
import { interrupt, interruptSignal } from "./options.js";

/** Whether someone can be asked. */
export function canAsk({ json, quiet }: { json: boolean; quiet: boolean }): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true && !json && !quiet;
}

/** Asks on standard error; anything but "y" and "yes" is a no, and so is the end of the input. */
export async function confirmed(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // The terminal gives Ctrl-C to whoever reads from it.
  lines.on("SIGINT", interrupt);
  try {
    const answer = await Promise.race([
      lines.question(`${question} [y/N] `, { signal: interruptSignal() }),
      new Promise<string>((resolve) => lines.once("close", () => resolve(""))),
    ]);
    return /^\s*y(es)?\s*$/i.test(answer);
  } finally {
    lines.close();
  }
}

/** Whether `what` may be removed: by --yes, or whoever sits at the terminal. Throws "usage" where nobody can be asked. */
export async function mayRemove(
  subject: string,
  what: string,
  { yes, ...flags }: { yes: boolean; json: boolean; quiet: boolean },
): Promise<boolean> {
  if (yes) return true;
  if (canAsk(flags)) return confirmed(`Remove ${what}?`);
  throw new BigVaeError("usage", {
    subject,
    expected: "a terminal to ask at, or --yes",
    got: "neither",
    remedy: `add --yes to remove ${what}`,
  });
}
