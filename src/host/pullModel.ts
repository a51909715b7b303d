/** Downloads a model by its hub name into the cache, whole or not at all as far as its name goes: what was cut continues the next time. */
import { BigVaeError } from "../errors.js";
import { nodeFileOps } from "../formats/fileOps.js";
import { parseStrictJsonBytes, toPlain } from "../formats/strictJson.js";
import { type HubFile, listFiles, readSmallFile, resolveCommit } from "../hub/api.js";
import { checkSpace, lockRepository, repositoryFolder, snapshotFolder, writeRef } from "../hub/cache.js";
import { fetchFile, filePath, missingBytes } from "../hub/download.js";
import type { HubCalls } from "../hub/http.js";
import { type HubName, MAIN, requireHubName } from "../hub/hubName.js";
import { hubSettings } from "../hub/settings.js";
import { type ModelKind, neededFiles } from "./neededFiles.js";

/** How far the download of one file has come. */
export interface PullProgress {
  /** Its path in the repository. */
  file: string;
  /** Bytes that are there. */
  done: number;
  /** Bytes of the file. */
  total: number;
}

/** What a download may be told. */
export interface PullOptions {
  /** Stops it; what has come is kept. */
  signal?: AbortSignal;
  /** Told of each file, at its beginning, with each piece, and at its end. */
  onProgress?(progress: PullProgress): void;
  /** Told before a request is repeated: the seconds of waiting, and why. */
  onWait?(seconds: number, why: string): void;
}

/** What a download would bring. */
export interface PullPlan {
  /** As it was asked for. */
  name: string;
  /** The commit that the name means now. */
  commit: string;
  /** What the name stands for. */
  kind: ModelKind;
  /** Paths in the repository of the files that are needed. */
  files: string[];
  /** Bytes of these files. */
  bytes: number;
  /** Bytes of them that are not in the cache yet. */
  missingBytes: number;
  /** Hub name of the base that adapters belong to, where they come without it and it is known. */
  baseName?: string;
}

/** A model that is in the cache, whole. */
export interface PulledModel extends PullPlan {
  /** Its snapshot in the cache. */
  folder: string;
}

interface Prepared {
  name: HubName;
  files: HubFile[];
  plan: PullPlan;
}

/**
 * What a download would bring; nothing is written. `name` is "owner/name", with "@revision" or ":file.gguf" behind it if need be.
 * @throws BigVaeError: "usage" where there is no such model or it may not be read, "unsupported" for one that cannot be used, "network", "aborted".
 */
export async function planPull(name: string, options: PullOptions = {}): Promise<PullPlan> {
  return (await prepare(await callsWith(options), name)).plan;
}

/**
 * Downloads what is missing. The branch or tag means the new commit only when all files are there.
 * @throws as `planPull`, "disk" where it does not fit, "format" for a content of another hash, "locked" where another process downloads it.
 */
export async function pullModel(name: string, options: PullOptions = {}): Promise<PulledModel> {
  return pullWith(await callsWith(options), name, (progress) => options.onProgress?.(progress));
}

async function callsWith({ signal, onWait }: PullOptions): Promise<HubCalls> {
  return { settings: await hubSettings(), signal, onWait: onWait && ((...args) => onWait(...args)) };
}

/** The same of a hub and a cache by these settings. */
export async function pullWith(
  calls: HubCalls,
  text: string,
  onProgress: (progress: PullProgress) => void = () => {},
): Promise<PulledModel> {
  const { name, files, plan } = await prepare(calls, text);
  const { settings } = calls;
  const { repository, revision = MAIN } = name;
  await checkSpace(settings.cache, plan.missingBytes, nodeFileOps.freeBytes);
  const lock = await lockRepository(settings, repository);
  try {
    for (const file of files) {
      const tell = (done: number) => onProgress({ file: file.path, done, total: file.size });
      await fetchFile(calls, name, plan.commit, file, tell);
      tell(file.size);
    }
    await writeRef(repositoryFolder(settings, repository), revision, plan.commit);
  } finally {
    await lock.release();
  }
  return { ...plan, folder: snapshotFolder(settings, repository, plan.commit) };
}

async function prepare(calls: HubCalls, text: string): Promise<Prepared> {
  const name = requireHubName(text);
  const commit = await resolveCommit(calls, name);
  const all = await listFiles(calls, name, commit);
  const readJson = async (path: string) => {
    const file = all.find((other) => other.path === path);
    if (!file) throw noSuchFile(text, path);
    const json = toPlain(parseStrictJsonBytes(await readSmallFile(calls, name, commit, file), `${path} of ${text}`));
    if (typeof json === "object" && json !== null && !Array.isArray(json)) return json;
    throw noSuchFile(text, `a JSON object in ${path}`);
  };
  const { files, ...needed } = await neededFiles(all, name, readJson);
  // A name that leads out of the cache is refused before anything is written.
  for (const file of files) filePath(calls, name, commit, file);
  const missing = await Promise.all(files.map((file) => missingBytes(calls, name, commit, file)));
  const plan: PullPlan = {
    name: text,
    commit,
    ...needed,
    files: files.map(({ path }) => path),
    bytes: files.reduce((sum, { size }) => sum + size, 0),
    missingBytes: missing.reduce((sum, bytes) => sum + bytes, 0),
  };
  return { name, files, plan };
}

function noSuchFile(name: string, expected: string): BigVaeError {
  return new BigVaeError("format", { subject: name, expected, got: "none", remedy: "ask whoever made the model" });
}
