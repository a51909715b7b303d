/** Lists of things that lie in a folder: one that cannot be read is told in its place, and hides no other. */
import { BigVaeError } from "../errors.js";
import { withFlags } from "./flags.js";
import { note, type OutputFlags, printJson } from "./shared.js";

/** Reads and shows each of some names, or says on standard error that there are none. When all have been shown, throws of `subject` for those that could not be read, with the kind of the first. */
export async function showEach<T>(
  flags: OutputFlags,
  subject: string,
  names: readonly string[],
  read: (name: string) => Promise<T>,
  show: (item: T, name: string) => void,
): Promise<void> {
  if (names.length === 0) note(flags, `${subject}: none`);
  const failed: { name: string; error: BigVaeError }[] = [];
  for (const name of names)
    try {
      show(await read(name), name);
    } catch (error) {
      if (!(error instanceof BigVaeError)) throw error;
      failed.push({ name, error });
      const problem = withFlags(error.message);
      if (flags.json) printJson({ name, problem });
      else process.stdout.write(`${name.padEnd(20)} ${problem}\n`);
    }
  const [first] = failed;
  if (!first) return;
  throw new BigVaeError(first.error.kind, {
    subject,
    expected: "all of them as they were written",
    got: `${failed.length} of ${names.length} that cannot be read: ${failed.map(({ name }) => name).join(", ")}`,
    remedy: first.error.kind === "format" ? "restore them from a copy, or remove them" : "see what is said of each",
  });
}
