/** A model on disk: a base (Hugging Face folder or GGUF file), the adapters beside it, or both in one folder. */
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { adaptersSha256, baseSha256 } from "../checkpoint/hashes.js";
import { BASE, HEAD } from "../checkpoint/layout.js";
import { type BaseModel, loadBase } from "../engine/baseModel.js";
import { BigVaeError } from "../errors.js";
import {
  confine,
  openGguf,
  openSafetensorsFolder,
  tokenizerConfigFromGguf,
  tokenizerFromGguf,
} from "../formats/index.js";
import { exists, isFile, readJsonObject } from "../formats/readFiles.js";
import { type ModelConfig, parseConfig } from "../model/config.js";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.js";
import type { Quant } from "../weights/index.js";

/** The model that comes with the package. */
export const POCKET = "pocket";

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
    throw new BigVaeError("usage", {
      subject: `\`adapters\` ${adapters}`,
      expected: `a folder of encoder/, decoder/ and ${HEAD}`,
      got: "nothing there",
      remedy: "check the path",
    });
  const path = model === POCKET ? fileURLToPath(new URL("../../pocket", import.meta.url)) : model;
  if (path.endsWith(".gguf") && (await isFile(path))) return { base: path, adapters };
  if (await isFile(join(path, BASE, "config.json")))
    return { base: await confine(path, BASE), adapters: adapters ?? path };
  if (await isFile(join(path, "config.json"))) {
    const own = (await isFile(join(path, HEAD))) ? path : undefined;
    return { base: path, adapters: adapters ?? own };
  }
  if (await isFile(join(path, HEAD)))
    throw new BigVaeError("usage", {
      subject: `\`${option}\` ${model}`,
      expected: "a base",
      got: "the adapters of one",
      remedy: "give the base's folder as `model` and this one as `adapters`",
    });
  const folder = (await isFile(path)) ? "a file of another kind" : "a folder without config.json or base/config.json";
  const got = (await exists(path)) ? folder : "nothing there";
  throw new BigVaeError("usage", {
    subject: `\`${option}\` ${model}`,
    expected: '"pocket", a model\'s folder or a .gguf file',
    got,
    remedy: "download the model to a folder and give its path",
  });
}

export interface OpenedBase {
  base: BaseModel;
  tokenizer: Tokenizer;
}

/** The config of a base, read before anything else. */
export async function readConfig(path: string): Promise<ModelConfig> {
  if (!path.endsWith(".gguf")) return parseConfig(await readJsonObject(path, "config.json"));
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
  const optional = async (name: string) =>
    (await exists(join(folder, name))) ? readJsonObject(folder, name) : undefined;
  if (!(await exists(file)) && (await exists(join(folder, "tokenizer.model"))))
    throw new BigVaeError("unsupported", {
      subject: folder,
      expected: "tokenizer.json",
      got: "tokenizer.model, which is not read",
      remedy: "load the tokenizer with Transformers and save it, which writes tokenizer.json",
    });
  const json = await readJsonObject(folder, basename(file));
  return loadTokenizer(json, await optional("tokenizer_config.json"), await optional("special_tokens_map.json"));
}

/** The weights of a base. Those of a packed one are read when a session is made of them: `weights.close` frees its files. */
export async function openWeights(path: string, quant: Quant = "none"): Promise<BaseModel> {
  const isGguf = path.endsWith(".gguf");
  const source = isGguf ? await openGguf(path) : await openSafetensorsFolder(path);
  try {
    const config = "config" in source ? source.config : await readJsonObject(path, "config.json");
    const base = await loadBase(config, source, quant);
    if (quant === "none") await source.close();
    return base;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads a base and its tokenizer. */
export async function openBase(path: string): Promise<OpenedBase> {
  return { tokenizer: await openTokenizer(path), base: await openWeights(path) };
}

/** What a trace names of a model: the hash of the base, and that of the head's and the adapters' weights. */
export interface ModelHashes {
  base: string;
  adapters?: string;
}

export async function hashModel({ base, adapters }: ModelPaths): Promise<ModelHashes> {
  if (adapters === undefined) return { base: await baseSha256(base) };
  return { base: await baseSha256(base), adapters: await adaptersSha256(adapters) };
}
