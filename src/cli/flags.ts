/** Errors of the library name its options, in backticks; the command line names the flags that stand for them. */
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { BigVaeError } from "../errors.js";

/** Flags of another name than the option, by its name in code. */
const OTHER_NAMES: Readonly<Record<string, string>> = { cfgScale: "cfg", nSteps: "steps" };

/** "klWeight" -> "--kl-weight" */
export function flagName(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The command that runs. */
let running: CommandUnknownOpts | undefined;

/** From here on, messages name the flags of this command. */
export function nameFlagsOf(command: CommandUnknownOpts): void {
  running = command;
}

/** The message with a flag of the running command in place of each option that it has one for; other options by their bare names. */
export function withFlags(message: string): string {
  return message.replace(/`([a-z][\w.]*)`/gi, (_, name: string) => flagOf(name) ?? name);
}

/**
 * Throws "usage" for a flag that was written and has no effect here: whoever writes one expects it to have one.
 * `isUnused` is asked by the flag's name in code.
 */
export function refuseUnused(isUnused: (name: string) => boolean, expected: string, got: string): void {
  const unused = running?.options.find((option) => {
    const name = option.attributeName();
    const isWritten = running?.getOptionValueSource(name) === "cli" && isUnused(name);
    // Of --guidance and --no-guidance, which have one name in code, the one that was written.
    return isWritten && option.negate === (running?.getOptionValue(name) === false);
  });
  if (!unused) return;
  throw new BigVaeError("usage", { subject: `${unused.long}`, expected, got, remedy: `leave out ${unused.long}` });
}

/** "--n-avg" for nAvg, where the command has it. */
function flagOf(name: string): string | undefined {
  const attribute = Object.hasOwn(OTHER_NAMES, name) ? OTHER_NAMES[name] : name;
  return running?.options.find((option) => option.attributeName() === attribute)?.long;
}
