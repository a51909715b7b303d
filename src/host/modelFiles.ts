/** A model on disk: a base (Hugging Face folder or GGUF file), the adapters beside it, or both in one folder; found by path or by hub name. */
import { basename, dirname, join } from "node:path";
import { adaptersSha256, baseSha256, encoderSha256 } from "../checkpoint/hashes.js";
import { BASE, HEAD } from "../checkpoint/layout.js";
import { type BaseModel, loadBase } from "../engine/baseModel.js";
import { BigVaeError } from "../errors.js";
import {
  checkQuantized,
  confine,
  openGguf,
  openSafetensorsFolder,
  tokenizerConfigFromGguf,
  tokenizerFromGguf,
} from "../formats/index.js";
import { exists, isFile, readJsonObject } from "../formats/readFiles.js";
import { parseHubName } from "../hub/hubName.js";
import { type ModelConfig, parseConfig } from "../model/config.js";
import type { ModelHashes } from "../remote/protocol.js";
import { loadTokenizer, type Tokenizer, type TokenizerFiles } from "../tokenizer/index.js";
import type { Quant } from "../weights/index.js";
import { baseNameOf, checkWhole, howToGet, locate, POCKET, SAID_IN } from "./modelNames.js";

/** Where the parts of a model lie. */
export interface ModelPaths {
  /** A folder with config.json, or a .gguf file. */
  base: string;
  /** A folder with encoder/, decoder/, vae.safetensors; undefined where only the base was asked for. */
  adapters: string | undefined;
}

/** What there is of a model: one part at least. */
export interface FoundParts extends Partial<ModelPaths> {
  /** Hub name of the base that the adapters belong to, where they came without one and it is known. */
  baseName?: string | undefined;
}

/**
 * Finds the parts: `model` is "pocket", a folder that holds base/ beside its adapters, a Hugging Face folder, a .gguf file, or the hub name of
 * one of these in the cache; `adapters` names other adapters, a folder or a hub name. Adapters alone find their base in the cache.
 * Throws "usage" where there is no such model, named by `option`, or no such adapters.
 */
export async function findModel(model: string, adapters?: string, option = "model"): Promise<ModelPaths> {
  const { base, baseName, ...found } = await findParts(model, adapters, option);
  if (base !== undefined) return { base, adapters: found.adapters };
  const fail = (expected: string, got: string, remedy: string) =>
    new BigVaeError("usage", { subject: `\`${option}\` ${model}`, expected, got, remedy });
  if (baseName === undefined)
    throw fail("a base", "the adapters of one", "give the base's folder as `model` and this one as `adapters`");
  const place = await locate(baseName);
  if (!place) throw fail(`its base ${baseName} in the cache`, "none", howToGet(baseName));
  const { base: own } = await findParts(baseName, undefined, option);
  if (own === undefined) throw fail(`a base named ${baseName}`, "the adapters of one", "give the base as `model`");
  return { base: own, adapters: found.adapters };
}

/** The parts that lie under a name, be it the adapters alone. @throws as `findModel` */
export async function findParts(model: string, adapters?: string, option = "model"): Promise<FoundParts> {
  const given = adapters === undefined ? undefined : await findAdapters(adapters);
  const place = await locate(model);
  const path = place?.path ?? model;
  if (path.endsWith(".gguf") && (await isFile(path))) return { base: path, adapters: given };
  const check = place?.isCached ? (base: string) => checkWhole(option, model, base) : () => undefined;
  if (await isFile(join(path, BASE, "config.json"))) {
    const base = await confine(path, BASE);
    await check(base);
    return { base, adapters: given ?? path };
  }
  if (await isFile(join(path, "config.json"))) {
    await check(path);
    const own = (await isFile(join(path, HEAD))) ? path : undefined;
    return { base: path, adapters: given ?? own };
  }
  if (await isFile(join(path, HEAD)))
    return { adapters: given ?? path, baseName: await baseNameIn(path, parseHubName(model)?.repository) };
  const folder = (await isFile(path)) ? "a file of another kind" : "a folder without config.json or base/config.json";
  throw new BigVaeError("usage", {
    subject: `\`${option}\` ${model}`,
    expected: parseHubName(model)
      ? "a model's folder, or a model in the cache"
      : '"pocket", a model\'s folder, a .gguf file or a hub name',
    got: place ? folder : "nothing there",
    remedy: howToGet(model),
  });
}

/** The folder of the adapters of this name. Throws "usage" where there is none, named by `option`. */
export async function findAdapters(adapters: string, option = "adapters"): Promise<string> {
  const place = await locate(adapters);
  if (place) return place.path;
  throw new BigVaeError("usage", {
    subject: `\`${option}\` ${adapters}`,
    expected: `a folder of encoder/, decoder/ and ${HEAD}`,
    got: "nothing there",
    remedy: parseHubName(adapters) ? howToGet(adapters) : "check the path",
  });
}

/** Hub name of the base of the adapters in a folder, as far as they say it. */
async function baseNameIn(folder: string, repository: string | undefined): Promise<string | undefined> {
  const said = (path: string) =>
    exists(join(folder, path)).then((isThere) =>
      isThere ? readJsonObject(join(folder, dirname(path)), basename(path)) : undefined,
    );
  return baseNameOf({ facts: await said(SAID_IN.facts), config: await said(SAID_IN.config), repository });
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

/** The path that `openTokenizer` takes: a path that is there, or the base of a name. Throws "usage" where there is none. */
export async function findTokenizer(name: string): Promise<string> {
  return name !== POCKET && (await exists(name)) ? name : (await findModel(name, undefined, "tokenizer")).base;
}

/** The tokenizer of a base, or of a tokenizer.json with what lies beside it. */
export async function openTokenizer(path: string): Promise<Tokenizer> {
  const { json, config, specialTokens } = await readTokenizer(path);
  return loadTokenizer(json, config, specialTokens);
}

/** What a base's tokenizer is made of. Throws as `openTokenizer` does where files are missing or malformed. */
export async function readTokenizer(path: string): Promise<TokenizerFiles> {
  if (path.endsWith(".gguf")) {
    const file = await openGguf(path);
    await file.close();
    return { json: tokenizerFromGguf(file.metadata), config: tokenizerConfigFromGguf(file.metadata) };
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
  const [config, specialTokens] = [await optional("tokenizer_config.json"), await optional("special_tokens_map.json")];
  return { json, ...(config ? { config } : {}), ...(specialTokens ? { specialTokens } : {}) };
}

/** The weights of a base. Those of a packed one that is not `resident` are read when a session is made of them: `weights.close` frees its files. */
export async function openWeights(path: string, quant: Quant = "none", resident = false): Promise<BaseModel> {
  const isGguf = path.endsWith(".gguf");
  const source = isGguf ? await openGguf(path) : await openSafetensorsFolder(path);
  try {
    const config = "config" in source ? source.config : await readJsonObject(path, "config.json");
    if (!isGguf) checkQuantized(config, source, path);
    const base = await loadBase(config, source, { quant, resident });
    if (base.weights.isResident) await source.close();
    return base;
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads a base, all of it into memory, and its tokenizer. */
export async function openBase(path: string, quant: Quant = "none"): Promise<OpenedBase> {
  return { tokenizer: await openTokenizer(path), base: await openWeights(path, quant, true) };
}

/** Hashes of a model's files. */
export async function hashModel({ base, adapters }: ModelPaths): Promise<ModelHashes> {
  const ofBase = { base: await baseSha256(base) };
  if (adapters === undefined) return ofBase;
  return { ...ofBase, adapters: await adaptersSha256(adapters), encoder: await encoderSha256(adapters) };
}
