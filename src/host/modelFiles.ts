/** A model on disk: a base (Hugging Face folder or GGUF file), the adapters beside it, or both in one folder. */
import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  ADAPTER_NAMES,
  type Adapter,
  type AdapterName,
  bindAdapter,
  loadHead,
  type VaeAdapters,
} from "../engine/adapters.js";
import { type BaseModel, loadBase } from "../engine/baseModel.js";
import { BigVaeError } from "../errors.js";
import {
  confine,
  openGguf,
  openSafetensors,
  openSafetensorsFolder,
  parseStrictJsonBytes,
  readLora,
  sha256OfFiles,
  tokenizerConfigFromGguf,
  tokenizerFromGguf,
  toPlain,
  weightFiles,
} from "../formats/index.js";
import { type ModelConfig, parseConfig } from "../model/config.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.js";

/** The model that comes with the package. */
export const POCKET = "pocket";

/** Our own facts beside a published checkpoint's files: bigvae.json. */
export interface CheckpointFacts {
  /** sha256 of the base's weights file (of its files' hashes where there are several). */
  base_sha256?: string;
  /** Tokens of a span. */
  span: number;
  /** Positions between z and a text without prefix. */
  gap: number;
  /** Slots of a latent; 1 by default. */
  slots?: number;
  /** How several slots are placed: evenly over their text. */
  places?: string;
  /** Which value of a latent with several slots is the length of its text. */
  length?: string;
  /** RMS of sampled z over a data set. */
  ae_scale: number;
}

/** What MiniHF trains with, and the release's ae_scale, where a folder does not say. */
const ORIGINAL_FACTS: CheckpointFacts = { span: 64, gap: 64, ae_scale: 1.28125 };

/** Where the parts of a model lie. */
export interface ModelPaths {
  /** A folder with config.json, or a .gguf file. */
  base: string;
  /** A folder with encoder/, decoder/, vae.safetensors; undefined where only the base was asked for. */
  adapters: string | undefined;
}

/**
 * Finds the parts: `model` is "pocket", a folder that holds base/ beside its adapters, a Hugging Face folder or a .gguf file;
 * `adapters` names another folder of adapters. Throws "usage" where there is no such model, named by `option`, or no such folder.
 */
export async function findModel(model: string, adapters?: string, option = "model"): Promise<ModelPaths> {
  if (adapters !== undefined && !(await exists(adapters)))
    throw new BigVaeError(
      "usage",
      `\`adapters\` ${adapters}: expected a folder of encoder/, decoder/ and ${HEAD}, got nothing there; check the path`,
    );
  const path = model === POCKET ? fileURLToPath(new URL("../../pocket", import.meta.url)) : model;
  if (path.endsWith(".gguf") && (await isFile(path))) return { base: path, adapters };
  if (await isFile(join(path, "base", "config.json")))
    return { base: await confine(path, "base"), adapters: adapters ?? path };
  if (await isFile(join(path, "config.json"))) {
    const own = (await isFile(join(path, "vae.safetensors"))) ? path : undefined;
    return { base: path, adapters: adapters ?? own };
  }
  if (await isFile(join(path, "vae.safetensors")))
    throw new BigVaeError(
      "usage",
      `\`${option}\` ${model}: expected a base, got the adapters of one; give the base's folder as \`model\` and this one as \`adapters\``,
    );
  const folder = (await isFile(path)) ? "a file of another kind" : "a folder without config.json or base/config.json";
  const got = (await exists(path)) ? folder : "nothing there";
  throw new BigVaeError(
    "usage",
    `\`${option}\` ${model}: expected "pocket", a model's folder or a .gguf file, got ${got}; download the model to a folder and give its path`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

export interface OpenedBase {
  base: BaseModel;
  tokenizer: Tokenizer;
}

/** The config of a base, read before anything else. */
export async function readConfig(path: string): Promise<ModelConfig> {
  if (!path.endsWith(".gguf")) return parseConfig(await readJson(path, "config.json"));
  const file = await openGguf(path);
  await file.close();
  return parseConfig(file.config);
}

/** The tokenizer of a base, or of a tokenizer.json with what lies beside it. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  if (path.endsWith(".gguf")) {
    const file = await openGguf(path);
    await file.close();
    return loadTokenizer(tokenizerFromGguf(file.metadata), tokenizerConfigFromGguf(file.metadata));
  }
  const file = path.endsWith(".json") ? path : join(path, "tokenizer.json");
  const folder = dirname(file);
  const optional = async (name: string) => ((await exists(join(folder, name))) ? readJson(folder, name) : undefined);
  if (!(await exists(file)) && (await exists(join(folder, "tokenizer.model"))))
    throw new BigVaeError(
      "unsupported",
      `${folder}: expected tokenizer.json, got tokenizer.model, which is not read; load the tokenizer with Transformers and save it, which writes tokenizer.json`,
    );
  const json = await readJson(folder, basename(file));
  return loadTokenizer(json, await optional("tokenizer_config.json"), await optional("special_tokens_map.json"));
}

/** The weights of a base. */
export async function openWeights(path: string): Promise<BaseModel> {
  if (path.endsWith(".gguf")) {
    const file = await openGguf(path);
    return loadBase(file.config, file).finally(() => file.close());
  }
  const config = await readJson(path, "config.json");
  const source = await openSafetensorsFolder(path);
  return loadBase(config, source).finally(() => source.close());
}

/** Reads a base and its tokenizer. */
export async function openBase(path: string): Promise<OpenedBase> {
  return { tokenizer: await openTokenizer(path), base: await openWeights(path) };
}

/** Reads the adapters for a base. A folder without router/ falls back to decoder/. */
export async function openAdapters(
  folder: string,
  { config }: BaseModel,
): Promise<VaeAdapters & { facts: CheckpointFacts }> {
  const stored = await adapterFolders(folder);
  const facts = await readFacts(folder);
  const weights = await openSafetensors(await confine(folder, HEAD));
  try {
    const head = await loadHead(config, weights);
    const { slots = 1 } = facts;
    if (slots !== head.slots)
      throw new BigVaeError(
        "mismatch",
        `${join(folder, FACTS)}: expected slots ${head.slots}, the rows of f.weight in ${HEAD}, got ${slots}; copy the checkpoint's folder whole`,
      );
    const adapters = {} as Record<AdapterName, Adapter>;
    for (const name of ADAPTER_NAMES) {
      const lora = await readLora(await confine(folder, stored[name]));
      adapters[name] = bindAdapter(name, lora, config);
    }
    return { ...head, span: facts.span, gap: facts.gap, adapters, facts };
  } finally {
    await weights.close();
  }
}

/** f, w_e and w_d, as MiniHF names their file. */
const HEAD = "vae.safetensors";

/** The folder of each adapter. Throws "format" naming the part that is not there. */
export async function adapterFolders(folder: string): Promise<Record<AdapterName, AdapterName>> {
  for (const part of ["encoder", "decoder", HEAD]) {
    if (await exists(join(folder, part))) continue;
    throw new BigVaeError(
      "format",
      `adapters ${folder}: expected encoder/, decoder/ and ${HEAD}, got no ${part}; copy the checkpoint's folder whole`,
    );
  }
  const router = (await exists(join(folder, "router"))) ? "router" : "decoder";
  return { encoder: "encoder", decoder: "decoder", router };
}

/** The files that hold the head and the adapters. */
async function adapterFiles(folder: string): Promise<string[]> {
  const folders = new Set(Object.values(await adapterFolders(folder)));
  const files = [HEAD, ...Array.from(folders, (name) => join(name, "adapter_model.safetensors"))];
  return files.map((name) => join(folder, name));
}

/** Bytes of the head and the adapters; a file that is missing is refused later, by name. */
export async function adapterBytes(folder: string): Promise<number> {
  const sizes = (await adapterFiles(folder)).map((path) => stat(path).catch(() => ({ size: 0 })));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}

const FACTS = "bigvae.json";

/** What a fact must be; a text that is none of ours is of a feature that we do not have. */
interface FactRule {
  expected: string;
  holds(value: unknown): boolean;
}

/** Tokens and slots: far beyond any window, so that no file decides how much is allocated for them. */
const MAX_COUNT = 2 ** 24;

const count = (least: number): FactRule => ({
  expected: `a whole number from ${least} to ${MAX_COUNT}`,
  holds: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= MAX_COUNT,
});
const only = (known: string): FactRule => ({ expected: JSON.stringify(known), holds: (value) => value === known });

const FACT_RULES: { [K in keyof CheckpointFacts]-?: FactRule } = {
  base_sha256: { expected: "64 hexadecimal digits", holds: (value) => /^[0-9a-f]{64}$/.test(`${value}`) },
  span: count(1),
  gap: count(0),
  slots: count(1),
  places: only("relative"),
  length: only("last"),
  ae_scale: { expected: "a number above 0", holds: (value) => Number.isFinite(value) && (value as number) > 0 },
};

/**
 * bigvae.json, or what a published checkpoint means by leaving it out. Throws "format" for a field out of range, "unsupported" for one that
 * is not known, or for a name of something that is not.
 */
export async function readFacts(folder: string): Promise<CheckpointFacts> {
  if (!(await exists(join(folder, FACTS)))) return ORIGINAL_FACTS;
  const given = (await readJson(folder, FACTS)) as Partial<CheckpointFacts>;
  for (const [name, value] of Object.entries(given)) checkFact(folder, name, value);
  return { ...ORIGINAL_FACTS, ...given };
}

function checkFact(folder: string, name: string, value: unknown): void {
  const rule = Object.hasOwn(FACT_RULES, name) ? FACT_RULES[name as keyof CheckpointFacts] : undefined;
  if (rule?.holds(value)) return;
  const isForeign = rule === undefined || (typeof value === "string" && (name === "places" || name === "length"));
  const advice = isForeign ? "it is of another version: update bigvae" : "get the file again";
  throw new BigVaeError(
    isForeign ? "unsupported" : "format",
    `${join(folder, FACTS)}: expected ${name} to be ${rule?.expected ?? "left out"}, got ${JSON.stringify(value)}; ${advice}`,
  );
}

/** Throws "mismatch" where the adapters' folder names another base by its sha256. `sha256`: that of the base, where it is known. */
export async function checkBaseHash({ base, adapters }: ModelPaths, sha256?: string): Promise<void> {
  if (!adapters) return;
  const expected = (await readFacts(adapters)).base_sha256;
  if (expected === undefined) return;
  const got = sha256 ?? (await baseSha256(base));
  if (got === expected) return;
  throw new BigVaeError(
    "mismatch",
    `\`adapters\` ${adapters}: expected the base with sha256 ${expected.slice(0, 12)}, got ${got.slice(0, 12)} at ${base}; give the base that they were trained on as \`model\``,
  );
}

/** sha256 of the weights of a base: of the file that they are read from, or of the hashes of its shards in order of name. */
export async function baseSha256(path: string): Promise<string> {
  return sha256OfFiles(path.endsWith(".gguf") ? [path] : await weightFiles(path));
}

/** What a trace names of a model: the hash of the base, and that of the head's and the adapters' weights. */
export interface ModelHashes {
  base: string;
  adapters?: string;
}

export async function hashModel({ base, adapters }: ModelPaths): Promise<ModelHashes> {
  if (adapters === undefined) return { base: await baseSha256(base) };
  return { base: await baseSha256(base), adapters: await sha256OfFiles(await adapterFiles(adapters)) };
}

async function readJson(folder: string, name: string): Promise<unknown> {
  const path = join(folder, name);
  if (!(await exists(path)))
    throw new BigVaeError("format", `${path}: expected a file, got none; copy the model's folder whole`);
  const bytes = await readFile(await confine(folder, name));
  const json = toPlain(parseStrictJsonBytes(bytes, path));
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
  throw new BigVaeError("format", `${path}: expected a JSON object, got something else; get the file again`);
}
