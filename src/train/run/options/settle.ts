/** From what a caller gives to all options of a run: checked, with defaults, and on resume with those that the run was started with. */
import { resolve } from "node:path";
import { BigVaeError } from "../../../errors.js";
import { checkPath } from "../../../formats/fileOps.js";
import { checkNames, withoutUndefined } from "../../../host/checkCall.js";
import { absoluteName, howToGet, locate } from "../../../host/modelNames.js";
import { parseHubName } from "../../../hub/hubName.js";
import { type RunFile, readRunFile, runFilePath } from "../runFile.js";
import type { OptionRule, OptionTable } from "./table.js";

/** The options of a run, and what came of those that were given. */
export interface SettledRun<Options> {
  options: Options;
  /** Names of the options that this call gave. */
  explicit: ReadonlySet<string>;
  /** What run.json keeps. */
  runFile: RunFile;
}

type Values = Record<string, unknown>;

/** A command of `train` and its options. */
export interface Settling {
  command: RunFile["command"];
  table: OptionTable;
  /** A run that is only planned needs no `output`. */
  isPlanned?: boolean;
}

/**
 * Settles the options of a run. `Options` must be those of the table.
 * @throws BigVaeError: "usage" naming an option that is unknown, missing or wrong, "mismatch" naming one that is other than the run was
 * started with, "format" for a malformed run.json.
 */
export async function settle<Options>(of: Settling, given: object): Promise<SettledRun<Options>> {
  const { command, table } = of;
  const values = await withAbsolutePaths(table, knownValues(of, given));
  const explicit = new Set(Object.keys(values));
  const { output, resume } = values as { output?: string; resume?: boolean };
  const saved = resume && output !== undefined ? await readRunFile(output) : undefined;
  const chosen = saved ? { ...savedValues(saved, of, output!, explicit), ...changes(saved, of, values) } : values;
  const options: Values = { ...defaultsOf(table), ...chosen };
  // Of the two ways to say how long, the one that was given counts.
  if (explicit.has("epochs") && !explicit.has("steps")) delete options.steps;
  checkComplete(of, options);
  checkEffective(of, options, explicit);
  for (const [name, { kind, place }] of Object.entries(table)) {
    if (place === undefined || options[name] === undefined) continue;
    const value = options[name] as string;
    if (kind.names === "model" && (await locate(value))) continue;
    const isMoved = saved !== undefined && !explicit.has(name);
    const moved = isMoved ? `where it has moved, give its new place with \`${name}\`` : undefined;
    const isHubName = kind.names === "model" && parseHubName(value) !== undefined;
    await checkPath(`\`${name}\``, value, place, isHubName ? howToGet(value) : moved);
  }
  const kept = Object.entries(options).filter(([name]) => table[name]!.saved !== false);
  return { options: options as Options, explicit, runFile: { command, flags: Object.fromEntries(kept) } };
}

/** What is given and not undefined. Throws for a name that the table lacks and for a value of another kind. */
function knownValues({ command, table }: Settling, given: object): Values {
  checkNames(`train ${command}`, given, Object.keys(table));
  const values = withoutUndefined(given);
  for (const [name, value] of Object.entries(values)) {
    const { kind } = table[name]!;
    if (kind.holds(value)) continue;
    const got = JSON.stringify(value) ?? typeof value;
    throw new BigVaeError("usage", {
      subject: `\`${name}\``,
      expected: kind.expected,
      got,
      remedy: "give another value, or leave it out",
    });
  }
  return values as Values;
}

function ruleOf(table: OptionTable, name: string): OptionRule | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** So that a run can be resumed from another folder. */
async function withAbsolutePaths(table: OptionTable, values: Values): Promise<Values> {
  const changed = Object.entries(values).map(async ([name, value]) => {
    const { kind, saved } = table[name]!;
    if (kind.names === undefined || saved === false) return [name, value] as const;
    return [name, kind.names === "model" ? await absoluteName(value as string) : resolve(value as string)] as const;
  });
  return Object.fromEntries(await Promise.all(changed));
}

function defaultsOf(table: OptionTable): Values {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, rule]) => (rule.default === undefined ? [] : [[name, rule.default]])),
  );
}

/** What run.json has of the table's options; those that this call gives anew are not looked at. */
function savedValues(
  saved: RunFile,
  { command, table }: Settling,
  output: string,
  explicit: ReadonlySet<string>,
): Values {
  if (saved.command !== command) {
    throw new BigVaeError("mismatch", {
      subject: "`resume`",
      expected: `a run of train ${command}`,
      got: `one of train ${saved.command}`,
      remedy: "use that command, or another `output`",
    });
  }
  for (const [name, value] of Object.entries(saved.flags)) {
    const rule = ruleOf(table, name);
    if (rule?.kind.holds(value) || (rule && explicit.has(name))) continue;
    const [expected, got] = rule
      ? [`${name} to be ${rule.kind.expected}`, JSON.stringify(value)]
      : [`options of train ${command}`, name];
    const advice = rule?.free ? `give \`${name}\` anew` : "delete it and give all options";
    throw new BigVaeError("format", { subject: runFilePath(output), expected, got, remedy: advice });
  }
  return saved.flags;
}

/** What this call gives. Throws where an option is not what it was and may not be changed. */
function changes(saved: RunFile, { table }: Settling, values: Values): Values {
  for (const [name, value] of Object.entries(values)) {
    const rule = table[name]!;
    const was = saved.flags[name] ?? rule.default;
    // What a path names may have moved; its contents are compared by their hash. What was not there at the start has none.
    const isMoved = rule.kind.names !== undefined && was !== undefined;
    if (rule.free || rule.saved === false || isMoved || was === value) continue;
    throw new BigVaeError("mismatch", {
      subject: "`resume`",
      expected: `\`${name}\` ${was ?? "left out"} as the run was started`,
      got: `${value}`,
      remedy: "leave it out, or start another run with another `output`",
    });
  }
  return values;
}

/** Throws for an option of this call that is without effect beside another one. */
function checkEffective({ table }: Settling, options: Values, explicit: ReadonlySet<string>): void {
  if (explicit.has("epochs") && explicit.has("steps")) {
    throw new BigVaeError("usage", {
      subject: "`steps`",
      expected: "one way to say how long",
      got: "`epochs` beside it",
      remedy: "leave one of them out",
    });
  }
  for (const name of explicit) {
    const { idleAtZero: other, default: value } = table[name]!;
    if (other === undefined || options[other] !== 0 || options[name] === value) continue;
    throw new BigVaeError("usage", {
      subject: `\`${name}\``,
      expected: `\`${other}\` above 0, without which it has no effect`,
      got: 0,
      remedy: `raise \`${other}\`, or leave \`${name}\` out`,
    });
  }
}

/** Throws for an option that is required and missing, or that says nothing without another one. */
function checkComplete({ table, isPlanned }: Settling, options: Values): void {
  const { output, resume } = options;
  for (const [name, { required, needs }] of Object.entries(table)) {
    if (required && options[name] === undefined && !(isPlanned && name === "output")) {
      const got = resume && output !== undefined ? `none, and no run.json in ${output}` : "none";
      const advice = resume ? "name the folder of a run, or give the options of a new one" : "give one";
      throw new BigVaeError("usage", { subject: `\`${name}\``, expected: "a value", got, remedy: advice });
    }
    if (needs !== undefined && options[name] !== undefined && options[needs] === undefined) {
      throw new BigVaeError("usage", {
        subject: `\`${name}\``,
        expected: `\`${needs}\` beside it`,
        got: "none",
        remedy: "give both, or neither",
      });
    }
  }
}
