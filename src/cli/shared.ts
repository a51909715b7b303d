/** What the commands share: options, loading of a model, and output. */
import { type Command, Option } from "@commander-js/extra-typings";
import { BigVae, type LoadOptions } from "../bigVae.js";
import { BigVaeError } from "../errors.js";
import { jsonLine } from "../formats/index.js";
import { DEVICES, type Device } from "../graph/index.js";
import { findModel } from "../host/modelFiles.js";
import { QUANTS, type Quant } from "../weights/index.js";
import { refuseUnused, withFlags } from "./flags.js";
import { threads, wholeNumber } from "./options.js";

export type OutputFlags = {
  json: boolean;
  quiet: boolean;
};

export type ModelFlags = OutputFlags & {
  model: string;
  adapters?: string;
  threads?: number;
  quant: Quant;
  compute: NonNullable<LoadOptions["compute"]>;
  device: Device;
  seed: number;
};

/** What --model takes. */
export const MODEL_HELP = '"pocket", a model\'s folder, a .gguf file or a hub name: owner/name[@revision][:file.gguf]';

/** The same of commands that need no files of it. */
const MODEL_OR_SERVER_HELP =
  '"pocket", a model\'s folder, a .gguf file, a hub name, owner/name[@revision][:file.gguf], or the address of a server, http://...';

/** Adds --json and --quiet. */
export function withOutput(command: Command): Command<[], OutputFlags> {
  return command
    .option("--json", "JSON lines on standard output", false)
    .option("--quiet", "no warnings, no progress, no summary", false);
}

/** Adds --model, --adapters, --threads, --seed, --json and --quiet. */
export function withModel(command: Command, { seed = 0, help = MODEL_OR_SERVER_HELP } = {}): Command<[], ModelFlags> {
  return withOutput(command)
    .option("--model <name>", help, "pocket")
    .option(
      "--adapters <name>",
      "folder of encoder/, decoder/, router/ and vae.safetensors, or its hub name; default: beside the base",
    )
    .addOption(
      new Option("--quant <form>", "how the base is kept in memory; adapters stay in fp32")
        .choices(QUANTS)
        .default("none" as Quant),
    )
    .addOption(
      new Option(
        "--compute <type>",
        "products with the base: int8 is faster, and rounds them and the adapters; auto takes it where this processor gains by it",
      )
        .choices(["fp32", "int8", "auto"] as const)
        .default("fp32" as const),
    )
    .addOption(
      new Option("--device <name>", "where it computes: webgpu is a GPU by Vulkan, Metal or Direct3D 12")
        .choices(DEVICES)
        .default("cpu" as Device),
    )
    .addOption(new Option("--threads <n>", "threads; default: all cores").env("BIGVAE_THREADS").argParser(threads))
    .option("--seed <n>", "random seed", wholeNumber(), seed);
}

/** The flags of `withModel`, by their names in code. */
export const MODEL_FLAGS = ["model", "adapters", "quant", "compute", "device", "threads", "seed", "json", "quiet"];

/** What a base without adapters is of use for. */
export const OF_BASE_ALONE = "encode --pool mean, similar, generate --base and eval --base";

/**
 * Loads the model, hands it over, and closes it whatever happens. Throws "usage" where it has no adapters, unless the base is all that is
 * needed.
 */
export async function useModel<T>(
  flags: ModelFlags,
  use: (vae: BigVae) => Promise<T>,
  needs: "adapters" | "base" = "adapters",
): Promise<T> {
  const served = isServed(flags.model);
  if (needs === "adapters" && !served) await requireAdapters(flags.model, flags.adapters);
  const vae = await (served ? connected(flags.model) : loaded(flags));
  try {
    if (needs === "adapters" && isBaseAlone(vae)) throw noAdapters(flags.model);
    return await use(vae);
  } catch (error) {
    throw stopped(error as Error);
  } finally {
    await vae.close();
  }
}

function loaded({ model, adapters, threads, quant, compute, device }: ModelFlags): Promise<BigVae> {
  return BigVae.load(model, {
    ...{ quant, compute, device },
    ...(adapters ? { adapters } : {}),
    ...(threads ? { threads } : {}),
  });
}

/** Whether --model is the address of a server. */
export function isServed(model: string): boolean {
  return /^https?:\/\//i.test(model);
}

/** Flags that say how a model is loaded: a server has settled them. */
const OF_LOADING = ["adapters", "quant", "compute", "device", "threads"];

function connected(url: string): Promise<BigVae> {
  refuseUnused((name) => OF_LOADING.includes(name), "a model that is loaded here", `that of ${url}`);
  const key = process.env.BIGVAE_API_KEY;
  return BigVae.connect(url, key === undefined ? {} : { key });
}

/** Whether a loaded model is a base without adapters. */
export function isBaseAlone({ facts }: BigVae): boolean {
  return Object.keys(facts.adapters).length === 0;
}

async function requireAdapters(model: string, adapters: string | undefined): Promise<void> {
  if ((await findModel(model, adapters)).adapters === undefined) throw noAdapters(model);
}

function noAdapters(model: string): BigVaeError {
  return new BigVaeError("usage", {
    subject: `--model ${model}`,
    expected: "adapters beside it, or in the folder of --adapters",
    got: "the base alone",
    remedy: `name their folder; a base alone takes ${OF_BASE_ALONE}`,
  });
}

/** One JSON line on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(jsonLine(value));
}

/** What a command has written to files: a JSON line, or a sentence, or nothing. */
export function reportWritten(flags: OutputFlags, result: object, sentence: string): void {
  if (flags.json) printJson(result);
  else if (!flags.quiet) process.stdout.write(`${sentence}\n`);
}

/** A line on standard error, beside the result. */
export function note(flags: { quiet: boolean }, line: string): void {
  if (!flags.quiet) process.stderr.write(`${line}\n`);
}

export function warn(flags: { quiet: boolean }, line: string): void {
  note(flags, `bigvae: ${withFlags(line)}`);
}

/** The error of a run that Ctrl-C ended, in the command's words; any other as it is. */
export function stopped(error: Error): Error {
  const isAborted = error.name === "AbortError" || (error instanceof BigVaeError && error.kind === "aborted");
  return isAborted ? new BigVaeError("aborted", "stopped before the end", { cause: error }) : error;
}

const warned = new WeakSet<object>();

/** Says, once a command, which text is longer than a span. */
export function warnLong(
  flags: { quiet: boolean },
  vae: BigVae,
  encoded: readonly { text: string; ids: readonly number[] }[],
): void {
  const long = encoded.find(({ ids }) => ids.length > vae.span);
  if (!long || warned.has(flags)) return;
  warned.add(flags);
  const begin = JSON.stringify(long.text.slice(0, 40));
  warn(
    flags,
    `${begin}... has ${long.ids.length} tokens, more than the span of ${vae.span}; it is encoded whole, and less exactly`,
  );
}

/** Says which part of examples longer than a span counts; returns whether there are any. */
export function warnLongExamples(
  flags: { quiet: boolean },
  { tokenizer, span: trained }: BigVae,
  examples: readonly string[],
  span = trained,
): boolean {
  const isLong = examples.some((text) => tokenizer.encode(text).length > span);
  if (isLong) warn(flags, `of a text longer than the span, its first ${span} tokens count`);
  return isLong;
}
