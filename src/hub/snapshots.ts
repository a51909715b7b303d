/** What lies in the cache: the snapshots of all repositories, and taking some of it away. */
import { lstat, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { diskError } from "../formats/fileOps.js";
import { folderName, lockRepository, repositoryFolder, repositoryOf } from "./cache.js";
import { isCommit } from "./hubName.js";
import type { HubSettings } from "./settings.js";

/** A file of a snapshot. */
export interface CachedFile {
  /** In the snapshot, with forward slashes. */
  path: string;
  /** Bytes of its content; 0 where that is missing. */
  bytes: number;
  /** When its content was last read, as far as the disk keeps that. */
  lastUsed: Date;
  /** Path of the blob that it is a link to; undefined where it is the file itself. */
  blob?: string;
}

/** The files of a repository at a commit, as many as there are. */
export interface Snapshot {
  /** "owner/name" */
  repository: string;
  commit: string;
  /** Branches and tags that mean this commit. */
  refs: string[];
  folder: string;
  files: CachedFile[];
}

type Cache = Pick<HubSettings, "cache">;

/** All snapshots of models, in order of name. */
export async function cachedSnapshots(settings: Cache): Promise<Snapshot[]> {
  const repositories = (await namesIn(settings.cache)).map(repositoryOf).filter((name) => name !== undefined);
  const all: Snapshot[] = [];
  for (const repository of repositories.sort()) all.push(...(await snapshotsOf(settings, repository)));
  return all;
}

/** Those of one repository. */
export async function snapshotsOf(settings: Cache, repository: string): Promise<Snapshot[]> {
  const folder = repositoryFolder(settings, repository);
  const refs = await refsOf(join(folder, "refs"));
  const commits = (await namesIn(join(folder, "snapshots"))).filter(isCommit).sort();
  return Promise.all(
    commits.map(async (commit) => ({
      repository,
      commit,
      refs: refs.filter((ref) => ref.commit === commit).map(({ name }) => name),
      folder: join(folder, "snapshots", commit),
      files: await filesIn(join(folder, "snapshots", commit), join(folder, "blobs")),
    })),
  );
}

/** Names in a folder; none where there is no folder. */
function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

/** Files below a folder by path, links not followed. */
async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function refsOf(folder: string): Promise<{ name: string; commit: string }[]> {
  const names = (await pathsBelow(folder)).filter((name) => !name.endsWith(".tmp")).sort();
  return Promise.all(
    names.map(async (name) => ({
      name: name.replaceAll(sep, "/"),
      commit: (await readFile(join(folder, name), "utf8").catch(() => "")).trim(),
    })),
  );
}

async function filesIn(folder: string, blobs: string): Promise<CachedFile[]> {
  const paths = (await pathsBelow(folder)).sort();
  return Promise.all(
    paths.map(async (path) => {
      const { size, atime } = await stat(join(folder, path)).catch(() => ({ size: 0, atime: new Date(0) }));
      const blob = await blobOf(join(folder, path), blobs);
      return { path: path.replaceAll(sep, "/"), bytes: size, lastUsed: atime, ...(blob === undefined ? {} : { blob }) };
    }),
  );
}

/** The blob that a link leads to at its first step; undefined for a file, and for a link to anywhere else. */
async function blobOf(path: string, blobs: string): Promise<string | undefined> {
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return undefined;
  const blob = resolve(dirname(path), target);
  return dirname(blob) === resolve(blobs) && /^[0-9a-f]{40,64}$/.test(basename(blob)) ? blob : undefined;
}

/** What is to be removed from a repository: whole snapshots, or files of them. */
export interface Removal {
  repository: string;
  /** Their snapshots go when no file is left. */
  files: { snapshot: Snapshot; file: CachedFile }[];
}

/** What a removal comes to. */
export interface Freed {
  /** Paths of the blobs that no other file needs. */
  blobs: string[];
  /** Bytes that come free. A blob that is itself a link, to a store that repositories share, frees none. */
  bytes: number;
  /** Whether no file of the repository is left: its folder goes too, with what was cut on its way. */
  isAll: boolean;
}

/** What comes free where these files go. */
export async function freedBy(settings: Cache, { repository, files }: Removal): Promise<Freed> {
  const folder = repositoryFolder(settings, repository);
  const pathOf = ({ snapshot, file }: Removal["files"][number]) => join(snapshot.folder, ...file.path.split("/"));
  const going = new Set(files.map(pathOf));
  const kept = (await snapshotsOf(settings, repository))
    .flatMap((snapshot) => snapshot.files.map((file) => ({ snapshot, file })))
    .filter((each) => !going.has(pathOf(each)));
  const keptBlobs = new Set(kept.map(({ file }) => file.blob));
  const blobs = [...new Set(files.map(({ file }) => file.blob))].filter(
    (blob) => blob !== undefined && !keptBlobs.has(blob),
  ) as string[];
  const isAll = kept.length === 0;
  const paths = isAll ? (await pathsBelow(folder)).map((path) => join(folder, path)) : [...blobs, ...going];
  const found = await Promise.all(paths.map((path) => lstat(path).catch(() => undefined)));
  const bytes = found.reduce((sum, each) => sum + (each?.isFile() ? each.size : 0), 0);
  return { blobs, bytes, isAll };
}

/**
 * Removes them, and what only they needed; the repository's folder where nothing is left of it. Refs go first, so that a removal that is cut
 * leaves no name of something that is not there. Returns the bytes freed.
 * @throws BigVaeError("locked") where the repository is being downloaded, BigVaeError("disk").
 */
export async function removeFiles(settings: Cache, removal: Removal): Promise<number> {
  const folder = repositoryFolder(settings, removal.repository);
  const lock = await lockRepository(settings, removal.repository);
  let isAll: boolean;
  let bytes: number;
  try {
    const freed = await freedBy(settings, removal);
    ({ isAll, bytes } = freed);
    for (const snapshot of new Set(removal.files.map((each) => each.snapshot))) {
      const going = new Set(removal.files.filter((each) => each.snapshot === snapshot).map(({ file }) => file.path));
      const isWhole = snapshot.files.every(({ path }) => going.has(path));
      if (isWhole) for (const ref of snapshot.refs) await rm(join(folder, "refs", ...ref.split("/")), { force: true });
      for (const path of going) await rm(join(snapshot.folder, ...path.split("/")), { force: true });
      if (isWhole) await removeSnapshot(folder, snapshot);
    }
    for (const blob of freed.blobs) await rm(blob, { force: true });
    if (isAll) await rm(folder, { recursive: true, force: true });
  } catch (error) {
    throw await diskError(folder, 0, error);
  } finally {
    await lock.release();
  }
  if (isAll) await rm(join(settings.cache, ".locks", folderName(removal.repository)), { recursive: true, force: true });
  return bytes;
}

/** A snapshot's folder, and what Python notes of it. */
async function removeSnapshot(folder: string, snapshot: Snapshot): Promise<void> {
  await rm(snapshot.folder, { recursive: true, force: true });
  await rm(join(folder, "trees", `${snapshot.commit}.json`), { force: true });
  await rm(join(folder, ".no_exist", snapshot.commit), { recursive: true, force: true });
}
