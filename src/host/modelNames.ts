/** From a model's name to where it lies: what comes with the package, a path on this machine, the cache of the hub. No request is made. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FACTS, parseFacts } from "../checkpoint/facts.js";
import { BigVaeError } from "../errors.js";
import { LORA_CONFIG } from "../formats/peftFiles.js";
import { exists, isFile } from "../formats/readFiles.js";
import { weightFiles } from "../formats/safetensorsFiles.js";
import { cachedCommit, snapshotFolder } from "../hub/cache.js";
import { parseHubName } from "../hub/hubName.js";
import { hubSettings } from "../hub/settings.js";

/** The model that comes with the package. */
export const POCKET = "pocket";

/** Where a name leads. */
export interface Place {
  path: string;
  /** Whether it is a snapshot of the cache, or a file in one. */
  isCached: boolean;
}

/** Where the model of this name lies; undefined where it is not on this machine. A path that is there wins over a name of the hub. */
export async function locate(name: string): Promise<Place | undefined> {
  if (name === POCKET) return { path: fileURLToPath(new URL("../../pocket", import.meta.url)), isCached: false };
  if (await exists(name)) return { path: name, isCached: false };
  const hubName = parseHubName(name);
  if (!hubName) return undefined;
  const settings = await hubSettings();
  const commit = await cachedCommit(settings, hubName);
  if (commit === undefined) return undefined;
  const snapshot = snapshotFolder(settings, hubName.repository, commit);
  const path = hubName.file === undefined ? snapshot : join(snapshot, ...hubName.file.split("/"));
  return (await exists(path)) ? { path, isCached: true } : undefined;
}

/** The name in a form that means the same from every folder: paths are made absolute. */
export async function absoluteName(name: string): Promise<string> {
  const isPath = name !== POCKET && (parseHubName(name) === undefined || (await exists(name)));
  return isPath ? resolve(name) : name;
}

/** What to do where a model is not on this machine. */
export function howToGet(name: string): string {
  return parseHubName(name)
    ? `download it with \`bigvae pull ${name}\``
    : "download the model to a folder and give its path";
}

/** Throws "usage" where a base in the cache lacks a file: its download was cut, or was one of other files. */
export async function checkWhole(option: string, name: string, base: string): Promise<void> {
  const missing = await missingPart(base);
  if (missing === undefined) return;
  throw new BigVaeError("usage", {
    subject: `\`${option}\` ${name}`,
    expected: "a whole model in the cache",
    got: `one without ${missing}`,
    remedy: howToGet(name),
  });
}

async function missingPart(base: string): Promise<string | undefined> {
  for (const name of ["config.json", "tokenizer.json"]) if (!(await isFile(join(base, name)))) return name;
  return weightFiles(base).then(
    () => undefined,
    () => "all of its weights",
  );
}

/** Bases of published adapters that name a folder of the machine which they were trained on. */
const KNOWN_BASES: Readonly<Record<string, string>> = {
  "jdpressman/BigVAE-Mistral-7B-v0.1": "mistralai/Mistral-7B-v0.1",
};

/** What adapters say of their base. */
export interface SaidOfBase {
  /** The content of bigvae.json. */
  facts?: object | undefined;
  /** The content of adapter_config.json of the encoder. */
  config?: object | undefined;
  /** The hub's name of the adapters. */
  repository?: string | undefined;
}

/** Hub name of the base that adapters belong to; undefined where none is known. @throws as `parseFacts` */
export function baseNameOf({ facts, config, repository }: SaidOfBase): string | undefined {
  const named = facts && parseFacts(facts, FACTS).base_model;
  if (named !== undefined) return named;
  const { base_model_name_or_path: base, revision } = (config ?? {}) as Record<string, unknown>;
  const names = [...(typeof revision === "string" ? [`${base}@${revision}`] : []), `${base}`];
  const hubName = names.find((name) => parseHubName(name));
  if (hubName !== undefined || repository === undefined) return hubName;
  return Object.hasOwn(KNOWN_BASES, repository) ? KNOWN_BASES[repository] : undefined;
}

/** Paths within a checkpoint's folder of what `baseNameOf` is told. */
export const SAID_IN = { facts: FACTS, config: `encoder/${LORA_CONFIG}` } as const;
