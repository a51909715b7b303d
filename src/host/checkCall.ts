/** Arguments of calls, looked at before anything is computed or sent: a forgotten await, another type, an unknown option. */
import { closest } from "fastest-levenshtein";
import { BigVaeError } from "../errors.js";
import { DEVICES } from "../graph/lowering.js";
import { checkLatent, type Latent } from "../latent/index.js";
import type { TaskVector } from "../sampling/model.js";
import { QUANTS } from "../weights/index.js";
import type {
  CompleteOptions,
  ContinueOptions,
  DecodeAllOptions,
  EmbedOptions,
  GenerateOptions,
  LoadOptions,
} from "./calls.js";

type Names<O> = Readonly<Record<keyof O, true>>;

const DECODE: Names<DecodeAllOptions> = {
  onText: true,
  cfgScale: true,
  prefix: true,
  nTokens: true,
  tau: true,
  seed: true,
  signal: true,
};
const CONTINUE: Names<ContinueOptions> = {
  context: true,
  cfgScale: true,
  nTokens: true,
  tau: true,
  seed: true,
  signal: true,
};
const LOAD: Names<LoadOptions> = {
  adapters: true,
  threads: true,
  isolation: true,
  form: true,
  quant: true,
  compute: true,
  device: true,
  memoryBytes: true,
};
const GENERATE: Names<GenerateOptions> = {
  prompt: true,
  context: true,
  start: true,
  terminal: true,
  task: true,
  preset: true,
  averaging: true,
  nStarts: true,
  nTries: true,
  plan: true,
  nSteps: true,
  nAvg: true,
  tau: true,
  noise: true,
  span: true,
  cfgScale: true,
  weights: true,
  seed: true,
  signal: true,
  ignoreEos: true,
  memory: true,
  experts: true,
  onToken: true,
  onText: true,
  onWarning: true,
};
const EMBED: Names<EmbedOptions> = { causal: true, signal: true };
const COMPLETE: Names<CompleteOptions> = {
  nSteps: true,
  span: true,
  tau: true,
  seed: true,
  ignoreEos: true,
  signal: true,
  onToken: true,
  onText: true,
  onWarning: true,
};
/** Options by the call that takes them. */
const OPTIONS = {
  load: LOAD,
  decode: DECODE,
  continue: CONTINUE,
  generate: GENERATE,
  embed: EMBED,
  complete: COMPLETE,
} as const;

/** Throws "usage" for an option that the call does not have, naming the nearest that it has. */
export function checkKnown(call: keyof typeof OPTIONS, options: object): void {
  checkNames(call, options, Object.keys(OPTIONS[call]));
}

/**
 * Throws "usage" for options that are no object, for one that is not among those that are known, and for a `signal` or a callback (`on...`)
 * that is none.
 */
export function checkNames(call: string, options: object, known: readonly string[]): void {
  const isObject = typeof options === "object" && options !== null && !Array.isArray(options) && !isPromise(options);
  if (!isObject) throw wrongValue(`${call}: options`, "an object", options);
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) throw unknownOption(call, name, known);
    if (name === "signal") checkSignal(call, value);
    if (/^on[A-Z]/.test(name) && value !== undefined && typeof value !== "function")
      throw wrongValue(`\`${name}\``, "a function", value);
  }
}

/** Throws "usage" for something else than a signal, or none. */
export function checkSignal(call: string, signal: AbortSignal | undefined): void {
  if (signal === undefined || typeof signal?.throwIfAborted === "function") return;
  throw wrongValue(`${call}: signal`, "an AbortSignal", signal);
}

function unknownOption(call: string, unknown: string, known: readonly string[]): BigVaeError {
  return new BigVaeError("usage", {
    subject: call,
    expected: "one of its options",
    got: unknown,
    remedy: `use \`${closest(unknown, known)}\`, or leave it out`,
  });
}

/** An option that is given as undefined is left out. */
export function withoutUndefined<O extends object>(options: O): O {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O;
}

/** What the options of `load` must be; paths are looked at where they are opened. */
const LOAD_RULES = {
  threads: ["a whole number of at least 1", (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1],
  isolation: ["thread or process", (value: unknown) => value === "thread" || value === "process"],
  form: ["merged or unmerged", (value: unknown) => value === "merged" || value === "unmerged"],
  quant: [`one of ${QUANTS.join(", ")}`, (value: unknown) => QUANTS.some((quant) => quant === value)],
  compute: ["fp32, int8 or auto", (value: unknown) => ["fp32", "int8", "auto"].some((choice) => choice === value)],
  device: [`one of ${DEVICES.join(", ")}`, (value: unknown) => DEVICES.some((device) => device === value)],
  memoryBytes: ["a number above 0", (value: unknown) => typeof value === "number" && value > 0],
} as const;

/** Throws "usage" for products that the form of the base or the device does not have. */
export function checkCompute({
  quant = "none",
  compute = "fp32",
  device = "cpu",
}: Pick<LoadOptions, "quant" | "compute" | "device">): void {
  const remedy = "leave one of them out";
  if (compute === "int8" && (quant !== "none" || device !== "cpu")) {
    const beside =
      quant === "none"
        ? `\`device\` ${device}, which has no other`
        : `\`quant\` ${quant}, which fixes how products are computed`;
    throw new BigVaeError("usage", { subject: "`compute`", expected: `fp32 beside ${beside}`, got: compute, remedy });
  }
  if (quant === "nf4" && device !== "cpu") {
    const expected = `none, int8 or int4 beside \`device\` ${device}, which has no kernel for others`;
    throw new BigVaeError("usage", { subject: "`quant`", expected, got: quant, remedy });
  }
}

/** Throws "usage" for an option of `load` that is out of its range. */
export function checkLoad(options: LoadOptions): void {
  for (const [name, [expected, holds]] of Object.entries(LOAD_RULES)) {
    const value = options[name as keyof typeof LOAD_RULES];
    if (value === undefined || holds(value)) continue;
    const remedy = "leave it out for the default";
    throw new BigVaeError("usage", { subject: `\`${name}\``, expected, got: `${value}`, remedy });
  }
  checkCompute(options);
  checkForm(options);
}

/** Throws "usage" for a form of the adapters that the form of the base does not have. */
function checkForm({ form, quant = "none", compute = "fp32" }: LoadOptions): void {
  const [only, beside] =
    quant !== "none" ? ["unmerged", `\`quant\` ${quant}`] : compute === "int8" ? ["merged", "`compute` int8"] : [];
  if (form === undefined || only === undefined || form === only) return;
  throw new BigVaeError("usage", {
    subject: "`form`",
    expected: `${only} beside ${beside}, which has no other`,
    got: form,
    remedy: "leave one of them out",
  });
}

/** Throws "usage" where there is something else among the latents. */
export function checkLatents(call: string, zs: readonly Latent[]): void {
  if (!Array.isArray(zs)) throw wrongValue(call, "a list of latents", zs);
  for (const [i, z] of zs.entries())
    if (!(z instanceof Float32Array)) throw wrongValue(`${call}: z ${i + 1}`, "a latent (a Float32Array)", z);
}

/** Throws "usage" for a number of tokens that is none, or for another number of scales than of latents. */
export function checkDecoding({ nTokens, cfgScale }: DecodeAllOptions, latents: number): void {
  if (nTokens !== undefined && !(Number.isSafeInteger(nTokens) && nTokens >= 1))
    throw new BigVaeError("usage", {
      subject: "`nTokens`",
      expected: "a whole number of at least 1",
      got: `${nTokens}`,
      remedy: "leave it out for the length of the latent",
    });
  if (cfgScale === undefined || typeof cfgScale === "number" || cfgScale.length === latents) return;
  throw new BigVaeError("usage", {
    subject: "`cfgScale`",
    expected: `a scale for each of ${latents} latents`,
    got: cfgScale.length,
    remedy: "give one number for all, or as many as latents",
  });
}

/** Throws "usage" where there is something else than encoded texts: token ids and a mean of `width` values each. */
export function checkEncoded(
  call: string,
  encoded: readonly { ids: readonly number[]; mean: Latent; z?: Latent }[],
  width: number,
): void {
  const expected = "a list of encoded texts";
  if (!Array.isArray(encoded)) throw wrongValue(call, expected, encoded);
  for (const [i, text] of encoded.entries()) {
    if (!Array.isArray(text?.ids) || text.ids.length === 0)
      throw wrongValue(`${call}: text ${i + 1}`, "an encoded text with ids", text);
    const { z = text.mean } = text;
    checkLatents(`${call}: text ${i + 1}`, [z]);
    checkLatent(z, width, `${call}: text ${i + 1}`);
  }
}

/** Throws "usage" for something else than a task vector: a latent of `width` values and a number of examples. */
export function checkTaskVector(what: string, { z, examples }: TaskVector, width: number): void {
  checkLatents(what, [z]);
  checkLatent(z, width, what);
  if (Number.isSafeInteger(examples) && examples >= 1) return;
  throw new BigVaeError("usage", {
    subject: what,
    expected: "`examples`, a whole number of at least 1",
    got: `${examples}`,
    remedy: "give the number of texts that it was made of",
  });
}

/** Throws "usage" where there is something else than texts. */
export function checkTexts(call: string, texts: readonly string[]): void {
  if (!Array.isArray(texts)) throw wrongValue(call, "a list of texts", texts);
  for (const [i, text] of texts.entries())
    if (typeof text !== "string") throw wrongValue(`${call}: text ${i + 1}`, "a text (a string)", text);
}

/** The error of a value that is none of those expected. */
export function wrongValue(what: string, expected: string, got: unknown): BigVaeError {
  const [named, remedy] = isPromise(got)
    ? ["a promise", "await it first"]
    : [got === null ? "null" : Array.isArray(got) ? "a list" : typeof got, `give ${expected}`];
  return new BigVaeError("usage", { subject: what, expected, got: named, remedy });
}

function isPromise(value: unknown): boolean {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}

/** The function of that name. @throws BigVaeError("usage") where there is none. */
export function oneOf<T>(functions: Readonly<Record<string, T>>, kind: string, what: string): T {
  if (Object.hasOwn(functions, kind)) return functions[kind]!;
  const known = Object.keys(functions).join(", ");
  throw new BigVaeError("usage", {
    subject: what,
    expected: `a kind of ${known}`,
    got: JSON.stringify(kind),
    remedy: "give one of them",
  });
}
