/** A model on disk: a base (Hugging Face folder or GGUF file), the adapters beside it, or both in one folder. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ADAPTER_NAMES, type AdapterName, bindAdapter, loadHead, type VaeAdapters } from "../engine/adapters.js";
import { type BaseModel, loadBase } from "../engine/baseModel.js";
import { BigVaeError } from "../errors.js";
import {
  openGguf,
  openSafetensors,
  openSafetensorsFolder,
  parseStrictJson,
  readLora,
  tokenizerConfigFromGguf,
  tokenizerFromGguf,
  toPlain,
  writeFileAtomic,
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
 * `adapters` names another folder of adapters. Throws "usage" where there is no such model.
 */
export async function findModel(model: string, adapters?: string): Promise<ModelPaths> {
  const path = model === POCKET ? fileURLToPath(new URL("../../pocket", import.meta.url)) : model;
  if (path.endsWith(".gguf") && (await exists(path))) return { base: path, adapters };
  if (await exists(join(path, "base", "config.json"))) return { base: join(path, "base"), adapters: adapters ?? path };
  if (await exists(join(path, "config.json"))) {
    const own = (await exists(join(path, "vae.safetensors"))) ? path : undefined;
    return { base: path, adapters: adapters ?? own };
  }
  const got = (await exists(path)) ? "a folder without config.json or base/config.json" : "nothing there";
  throw new BigVaeError(
    "usage",
    `--model ${model}: expected "pocket", a model's folder or a .gguf file, got ${got}; download the model to a folder and give its path`,
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export interface OpenedBase {
  base: BaseModel;
  tokenizer: Tokenizer;
}

/** The config of a base, read before anything else. */
export async function readConfig(path: string): Promise<ModelConfig> {
  if (!path.endsWith(".gguf")) return parseConfig(await readJson(join(path, "config.json")));
  const file = await openGguf(path);
  await file.close();
  return parseConfig(file.config);
}

/** The tokenizer of a base alone. */
export async function openTokenizerOf(path: string): Promise<Tokenizer> {
  if (!path.endsWith(".gguf")) return openTokenizer(path);
  const file = await openGguf(path);
  await file.close();
  return loadTokenizer(tokenizerFromGguf(file.metadata), tokenizerConfigFromGguf(file.metadata));
}

/** Reads a base and its tokenizer. */
export async function openBase(path: string): Promise<OpenedBase> {
  if (path.endsWith(".gguf")) {
    const file = await openGguf(path);
    try {
      const tokenizer = loadTokenizer(tokenizerFromGguf(file.metadata), tokenizerConfigFromGguf(file.metadata));
      return { base: await loadBase(file.config, file), tokenizer };
    } finally {
      await file.close();
    }
  }
  const config = await readJson(join(path, "config.json"));
  const tokenizer = await openTokenizer(path);
  const source = await openSafetensorsFolder(path);
  try {
    return { base: await loadBase(config, source), tokenizer };
  } finally {
    await source.close();
  }
}

/** The tokenizer of a model's folder. */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const optional = async (name: string) =>
    (await exists(join(folder, name))) ? readJson(join(folder, name)) : undefined;
  const json = await readJson(join(folder, "tokenizer.json"));
  return loadTokenizer(json, await optional("tokenizer_config.json"), await optional("special_tokens_map.json"));
}

/** Reads the adapters for a base. A folder without router/ falls back to decoder/. */
export async function openAdapters(
  folder: string,
  { config }: BaseModel,
): Promise<VaeAdapters & { facts: CheckpointFacts }> {
  const facts = await readFacts(folder);
  const weights = await openSafetensors(join(folder, "vae.safetensors"));
  try {
    const head = await loadHead(config, weights);
    const read = async (name: AdapterName) => {
      const stored = name === "router" && !(await exists(join(folder, name))) ? "decoder" : name;
      return [name, bindAdapter(name, await readLora(join(folder, stored)), config)] as const;
    };
    const adapters = Object.fromEntries(await Promise.all(ADAPTER_NAMES.map(read))) as VaeAdapters["adapters"];
    return { ...head, span: facts.span, gap: facts.gap, adapters, facts };
  } finally {
    await weights.close();
  }
}

export async function readFacts(folder: string): Promise<CheckpointFacts> {
  const path = join(folder, "bigvae.json");
  return (await exists(path))
    ? { ...ORIGINAL_FACTS, ...((await readJson(path)) as Partial<CheckpointFacts>) }
    : ORIGINAL_FACTS;
}

export async function writeFacts(folder: string, facts: CheckpointFacts): Promise<void> {
  await writeFileAtomic(join(folder, "bigvae.json"), `${JSON.stringify(facts, null, 2)}\n`);
}

/** Throws "mismatch" where the adapters' folder names another base by its sha256. */
export async function checkBaseHash({ base, adapters }: ModelPaths): Promise<void> {
  if (!adapters) return;
  const expected = (await readFacts(adapters)).base_sha256;
  if (expected === undefined) return;
  const got = await baseSha256(base);
  if (got === expected) return;
  throw new BigVaeError(
    "mismatch",
    `adapters ${adapters}: expected the base with sha256 ${expected.slice(0, 12)}, got ${got.slice(0, 12)} at ${base}; give --model the base that they were trained on`,
  );
}

/** sha256 of the weights of a base: of its file, or of the hashes of its shards in order of name. */
export async function baseSha256(path: string): Promise<string> {
  if (path.endsWith(".gguf")) return sha256OfFile(path);
  const names = (await readdir(path)).filter((name) => /^model.*\.safetensors$/.test(name)).sort();
  const hashes = await Promise.all(names.map((name) => sha256OfFile(join(path, name))));
  return hashes.length === 1 ? hashes[0]! : createHash("sha256").update(hashes.join("")).digest("hex");
}

export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new BigVaeError("format", `${path}: expected a file, got none; copy the model's folder whole`);
  }
  return toPlain(parseStrictJson(text, path));
}
