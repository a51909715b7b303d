/** What a table of options says of each, and the types that follow from it. */
import type { Kind } from "./kinds.js";

/** One option of a run. */
export interface OptionRule<Value = unknown> {
  /** What it takes. */
  kind: Kind<Value>;
  /** For the help, without a full stop; other options stand in backticks. */
  description: string;
  /** What it is where it is not given. */
  default?: Value;
  /** A new run needs it; one that is resumed has it saved. */
  required?: true;
  /** What must lie at the path; a model is looked for where it is opened. */
  place?: string;
  /** May be changed on resume: it has no effect on what is computed, is the cure of a run that diverged, or the length. Paths may change as what they name may have moved. */
  free?: true;
  /** False for what one call alone is told. */
  saved?: false;
  /** The option that it says nothing without. */
  needs?: string;
  /** The option that leaves it without effect where that is 0. */
  idleAtZero?: string;
}

/** Options by name. */
export type OptionTable = Readonly<Record<string, OptionRule>>;

type ValueOf<Rule> = Rule extends { kind: Kind<infer Value> } ? Value : never;
type RequiredNames<Table> = { [K in keyof Table]: Table[K] extends { required: true } ? K : never }[keyof Table];

/** What a new run is given: what is required, and any other option. */
export type NewRun<Table> = { -readonly [K in RequiredNames<Table>]: ValueOf<Table[K]> } & {
  -readonly [K in Exclude<keyof Table, RequiredNames<Table>>]?: ValueOf<Table[K]>;
};

/** What a run that is resumed is given: its folder, and options that have changed. */
export type ResumedRun<Table> = {
  /** Folder of the run. */
  output: string;
  /** Says that there is one. */
  resume: true;
} & {
  -readonly [K in Exclude<keyof Table, "output" | "resume">]?: ValueOf<Table[K]>;
};

/** Options of a run as its caller gives them. */
export type RunOptions<Table> = NewRun<Table> | ResumedRun<Table>;

/** Options of a run that is only planned: it needs no folder. */
export type PlannedOptions<Table> =
  | (Omit<NewRun<Table>, "output"> & {
      /** Folder of the run; nothing is written there. */
      output?: string;
    })
  | ResumedRun<Table>;

/** Options of a run with all defaults; without a default, an option that was not given is undefined. */
export type Settled<Table> = {
  readonly [K in keyof Table]: Table[K] extends { required: true } | { default: unknown }
    ? ValueOf<Table[K]>
    : ValueOf<Table[K]> | undefined;
};
