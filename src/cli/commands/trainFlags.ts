/** Flags of `bigvae train`: those that all objectives share, and their settling with a run that goes on. */
import { resolve } from "node:path";
import { type Command, type CommandUnknownOpts, InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { BigVaeError } from "../../errors.js";
import { POCKET } from "../../host/modelFiles.js";
import { type RunFile, readRunFile } from "../../train/run/runFile.js";
import { flagName } from "../flags.js";
import { checkPath } from "../input.js";
import { realNumber, threadCount, wholeNumber } from "../options.js";
import { resumedFlags } from "./resumedFlags.js";

/** A number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError(`Expected a number above 0, got ${JSON.stringify(text)}.`);
}

/** A share: at least 0 and less than 1. */
function share(text: string): number {
  const value = realNumber(0, 1)(text);
  if (value < 1) return value;
  throw new InvalidArgumentError(`Expected a number from 0 to less than 1, got ${JSON.stringify(text)}.`);
}

type LrDecay = "constant" | "cosine";

export function lrDecay(fallback: LrDecay): Option<"--lr-decay <kind>", undefined, LrDecay, undefined, false, LrDecay> {
  return new Option("--lr-decay <kind>", "how the learning rate falls; constant is MiniHF's")
    .choices(["constant", "cosine"] as const)
    .default(fallback);
}

/** What `withRun` adds. The types are written out: inferred ones are so large that the compiler takes minutes over their declaration. */
type SharedFlags = {
  preprocessed?: string;
  output?: string;
  epochs: number;
  steps?: number;
  gradientCheckpointing: boolean;
  earlyStop?: number;
  threads?: number;
  resume: boolean;
  dryRun: boolean;
  json: boolean;
  quiet: boolean;
};

/** Flags of a run, whatever is trained. */
export function withRun(command: Command): Command<[], SharedFlags> {
  return command
    .option("--preprocessed <folder>", "shards of data prepare")
    .option("--output <folder>", "folder of the run and of what it makes")
    .option("--epochs <x>", "passes over the data", positiveNumber, 1)
    .option("--steps <n>", "steps, in place of epochs", wholeNumber(1))
    .option("--gradient-checkpointing", "compute blocks again for the gradients: less memory, more time", false)
    .option("--early-stop <n>", "end after n looks without a better held-out loss, and keep the best", wholeNumber(1))
    .option("--threads <n>", "threads; all cores where left out", threadCount)
    .option("--resume", "go on with the run in --output; no other flag is needed", false)
    .option("--dry-run", "print tokens, steps, memory and time, and write nothing", false)
    .option("--json", "one JSON object on standard output", false)
    .option("--quiet", "no warnings, no progress, no closing line", false);
}

type AdapterFlags = SharedFlags & {
  model?: string;
  gradientAccumulationSteps: number;
  lr: number;
  lrDecay: LrDecay;
  warmup: number;
  weightDecay: number;
  clipNorm?: number;
  rank: number;
  alpha: number;
  dropout: number;
  latentNoise: number;
  saveEvery: number;
  evalEvery: number;
  seed: number;
};

/** Flags that train vae and train router share; the names are MiniHF's. */
export function withAdapterTraining(command: Command): Command<[], AdapterFlags> {
  return withRun(command)
    .option("--model <folder>", "the frozen base: a model's folder or a .gguf file")
    .option("--gradient-accumulation-steps <n>", "microbatches of a step", wholeNumber(1), 1)
    .option("--lr <x>", "peak learning rate", positiveNumber, 1e-4)
    .addOption(lrDecay("constant"))
    .option("--warmup <n>", "steps of linear warm-up", wholeNumber(), 0)
    .option("--weight-decay <x>", "decoupled weight decay of matrices", realNumber(0), 0)
    .option("--clip-norm <x>", "longest gradient; none where left out", positiveNumber)
    .option("--rank <n>", "rank of the adapters", wholeNumber(1), 32)
    .option("--alpha <x>", "alpha of the adapters: their product counts alpha/rank times", positiveNumber, 8)
    .option("--dropout <p>", "share of values dropped from what the trained adapters read", share, 0)
    .option(
      "--latent-noise <x>",
      "training draws z = mean + x * s * eps; the finished z is scaled by 1/x",
      realNumber(0),
      1,
    )
    .option("--save-every <n>", "steps between checkpoints", wholeNumber(1), 1000)
    .option("--eval-every <n>", "steps between looks at held-out loss and samples", wholeNumber(1), 500)
    .option("--seed <n>", "seed of weights, noise and data order", wholeNumber(), 1);
}

interface RunFlags {
  output?: string;
  resume: boolean;
  dryRun: boolean;
  lrDecay: string;
}

/** Flags that change nothing of what is computed, the cure of a run that diverged, and the length. */
const FREE = ["threads", "saveEvery", "evalEvery", "earlyStop", "lr", "clipNorm", "steps", "epochs"];
/** Flags that name what is read, and what that is; a model is looked for elsewhere. */
const EXPECTED: Record<string, string> = {
  preprocessed: "a folder of data prepare",
  sentences: "a folder of data prepare --sentences",
  tokenizer: "tokenizer.json, a model's folder or a .gguf file",
  startFrom: "a folder of an earlier run",
};
/** What a run reads may have moved since. Contents are compared by their hashes, but for what train base and train vae started from: a run that goes on has its weights from the checkpoint. */
const PLACES = ["model", ...Object.keys(EXPECTED)];
/** Flags of one call alone. */
const UNSAVED = ["output", "resume", "dryRun", "json", "quiet"];
/** Flags with those that are needed, and what is saved of them. */
export interface Settled<F> {
  flags: F;
  runFile: RunFile;
  /** Names of flags that the user wrote. */
  explicit: ReadonlySet<string>;
}

/**
 * The flags of a run: as given, or, with --resume, those it was started with.
 * @throws BigVaeError: "usage" naming a flag that is missing, "mismatch" naming one that is other than it was.
 */
export async function settleFlags<F extends RunFlags, K extends keyof F & string>(
  command: CommandUnknownOpts,
  given: F,
  required: readonly K[],
): Promise<Settled<F & Required<Pick<F, K>> & { output: string }>> {
  const name = command.name();
  const absolute = withAbsolutePaths(given);
  const explicit = new Set(Object.keys(given).filter((flag) => command.getOptionValueSource(flag) === "cli"));
  const saved = given.resume && given.output !== undefined ? await readRunFile(given.output) : undefined;
  const flags = saved
    ? resumedFlags(saved, name, { flags: absolute, explicit, free: new Set([...FREE, ...PLACES, ...UNSAVED]) })
    : absolute;
  // Of the two ways to say how long, the one that was written counts.
  if (explicit.has("epochs") && !explicit.has("steps")) delete (flags as { steps?: number }).steps;
  for (const flag of [...required, "output"]) {
    if ((flags as Record<string, unknown>)[flag] !== undefined) continue;
    if (flag === "output" && given.dryRun) continue;
    throw missing(flag, given);
  }
  for (const [flag, expected] of Object.entries(EXPECTED)) {
    const path = (flags as Record<string, unknown>)[flag];
    if (typeof path !== "string") continue;
    const isMoved = saved !== undefined && !explicit.has(flag);
    const advice = isMoved ? `where it has moved, give its new place with ${flagName(flag)}` : undefined;
    await checkPath(flagName(flag), path, expected, advice);
  }
  const kept = Object.entries(flags).filter(([flag]) => !UNSAVED.includes(flag));
  const runFile = { command: name, flags: Object.fromEntries(kept) };
  return {
    flags: { ...flags, output: given.output ?? "" } as Settled<F & Required<Pick<F, K>> & { output: string }>["flags"],
    runFile,
    explicit,
  };
}

/** So that a run can go on from another folder. */
function withAbsolutePaths<F extends object>(flags: F): F {
  const change = ([name, value]: [string, unknown]) => {
    const isPath = PLACES.includes(name) && typeof value === "string" && value !== POCKET;
    return [name, isPath ? resolve(value) : value];
  };
  return Object.fromEntries(Object.entries(flags).map(change)) as F;
}

function missing(flag: string, { resume, output }: RunFlags): BigVaeError {
  const got = resume && output !== undefined ? `none, and no run.json in ${output}` : "none";
  const advice = resume ? "name the folder of a run, or give the flags of a new one" : "see --help";
  return new BigVaeError("usage", `${flagName(flag)}: expected a value, got ${got}; ${advice}`);
}
