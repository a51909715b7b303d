/** The models on this machine that go by a name: the pocket, and what lies in the cache of the hub. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { BASE, HEAD } from "../checkpoint/layout.js";
import { readJsonObject } from "../formats/readFiles.js";
import { MAIN } from "../hub/hubName.js";
import { hubSettings } from "../hub/settings.js";
import { type CachedFile, cachedSnapshots, type Snapshot } from "../hub/snapshots.js";
import { parseConfig } from "../model/config.js";
import { locate, POCKET } from "./modelNames.js";
import type { ModelKind } from "./neededFiles.js";

/** A model that can be named. */
export interface ListedModel {
  /** What `load` takes: "pocket", "owner/name", "owner/name@revision", "owner/name:file.gguf". */
  name: string;
  /** Branches and tags that mean it; none for the pocket. */
  refs: string[];
  /** Its commit on the hub; none for the pocket. */
  commit?: string;
  /** "other" for a model that is not of the Llama family, or not whole. */
  kind: ModelKind | "other";
  /** Bytes on the disk; files that two revisions share count for both. */
  bytes: number;
  /** When one of its files was last read, as far as the disk keeps that. */
  lastUsed: Date;
  /** Where it lies. */
  path: string;
}

/** All models that go by a name, in order of name, the pocket first. No request is made. */
export async function listModels(): Promise<ListedModel[]> {
  const snapshots = await cachedSnapshots(await hubSettings());
  const listed = await Promise.all(snapshots.map(listedIn));
  return [await pocket(), ...listed.flat()];
}

async function pocket(): Promise<ListedModel> {
  const { path } = (await locate(POCKET))!;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => stat(join(entry.parentPath, entry.name)));
  const found = (await Promise.all(files)).map(({ size, atime }) => ({ path: "", bytes: size, lastUsed: atime }));
  return { name: POCKET, refs: [], kind: "packed", ...sums(found), path };
}

async function listedIn(snapshot: Snapshot): Promise<ListedModel[]> {
  const { repository, commit, refs, folder, files } = snapshot;
  const name = refs.includes(MAIN) ? repository : `${repository}@${refs[0] ?? commit}`;
  const kind = await kindOf(snapshot);
  const model = (own: string, kind: ListedModel["kind"], of: CachedFile[], path: string) => ({
    name: own,
    refs,
    commit,
    kind,
    ...sums(of),
    path,
  });
  const ggufs = files.filter(({ path, bytes }) => path.endsWith(".gguf") && bytes > 0);
  if (kind === "other" && ggufs.length > 0)
    return ggufs.map((file) => model(`${name}:${file.path}`, "gguf", [file], join(folder, ...file.path.split("/"))));
  return [model(name, kind, files, folder)];
}

function sums(files: CachedFile[]): Pick<ListedModel, "bytes" | "lastUsed"> {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { bytes, lastUsed: new Date(Math.max(0, ...files.map(({ lastUsed }) => lastUsed.getTime()))) };
}

async function kindOf({ folder, files }: Snapshot): Promise<ListedModel["kind"]> {
  const has = (path: string) => files.some((file) => file.path === path && file.bytes > 0);
  const prefix = has(`${BASE}/config.json`) ? BASE : ".";
  const at = (name: string) => (prefix === BASE ? `${BASE}/${name}` : name);
  const hasWeights = has(at("model.safetensors")) || has(at("model.safetensors.index.json"));
  const isBase = has(at("config.json")) && hasWeights && (await isReadable(join(folder, prefix)));
  if (isBase) return has(HEAD) ? "packed" : "base";
  return has(HEAD) ? "adapters" : "other";
}

async function isReadable(base: string): Promise<boolean> {
  return readJsonObject(base, "config.json")
    .then(parseConfig)
    .then(
      () => true,
      () => false,
    );
}
