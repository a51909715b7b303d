/** Flags of `bigvae train`: the options of a run as train/run/options has them, and those of the command line alone. */
import { Command, type CommandUnknownOpts, Option } from "@commander-js/extra-typings";
import type { OptionRule, OptionTable } from "../../train/index.js";
import { flagName } from "../flags.js";
import { parserOf } from "../options.js";

/** Flags that are no options of a run. */
interface CommandFlags {
  dryRun: boolean;
  json: boolean;
  quiet: boolean;
}

/** What the user wrote: the options of a run, none by default, and the flags of the command line. */
export interface GivenFlags {
  options: Record<string, unknown>;
  flags: CommandFlags;
}

/** A command with a flag for each option of the table; one that can be planned has --dry-run. */
export function runCommand(
  name: string,
  table: OptionTable,
  action: (given: GivenFlags) => Promise<void>,
  { dryRun: isPlanned = true } = {},
): Command {
  const command: CommandUnknownOpts = new Command(name);
  for (const [option, rule] of Object.entries(table)) command.addOption(flagOf(option, rule));
  if (isPlanned) command.option("--dry-run", "print tokens, steps, memory and time, and write nothing", false);
  command
    .option("--json", "one JSON object on standard output", false)
    .option("--quiet", "no warnings, no progress, no closing line", false)
    .action(async () => {
      const { dryRun = false, json, quiet, ...all } = command.opts() as CommandFlags & Record<string, unknown>;
      const written = Object.entries(all).filter(([option]) => command.getOptionValueSource(option) === "cli");
      await action({ options: Object.fromEntries(written), flags: { dryRun, json, quiet } });
    });
  return command as Command;
}

function flagOf(name: string, { kind, description, default: value }: OptionRule): Option {
  const { placeholder, choices } = kind;
  const flag = placeholder === undefined ? flagName(name) : `${flagName(name)} <${placeholder}>`;
  const named = description.replace(/`(\w+)`/g, (_, other: string) => flagName(other));
  const option = new Option(flag, named).default(value);
  if (choices) return option.choices(choices) as Option;
  return (placeholder === undefined ? option : option.argParser(parserOf(kind))) as Option;
}
