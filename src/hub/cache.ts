/**
 * The cache of huggingface_hub on disk (https://huggingface.co/docs/hub/local-cache), so that what Python has downloaded is found, and the
 * other way round:
 *
 *   models--owner--name/blobs/HASH                 the files, by sha256 (LFS) or git hash; HASH.incomplete while one is on its way
 *   models--owner--name/snapshots/COMMIT/PATH      links to ../../blobs/HASH, or the files themselves where there are no links
 *   models--owner--name/refs/REVISION              the commit that a branch or tag meant when it was asked for
 */
import { copyFile, lstat, mkdir, readFile, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { BigVaeError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import { diskError, errorCode, makeFolder } from "../formats/fileOps.js";
import { type FolderLock, lockFolder } from "../formats/lock.js";
import { isFile } from "../formats/readFiles.js";
import { type HubName, isCommit, MAIN } from "./hubName.js";
import type { HubSettings } from "./settings.js";

/** "models--owner--name" */
export function folderName(repository: string): string {
  return `models--${repository.replace("/", "--")}`;
}

/** "owner/name" of a folder of the cache; undefined for those of datasets, locks and other things. */
export function repositoryOf(folder: string): string | undefined {
  const [, owner, name] = /^models--([^/\\]+?)--([^/\\]+)$/.exec(folder) ?? [];
  return owner === undefined || name?.includes("--") ? undefined : `${owner}/${name}`;
}

/** Folder of a repository in the cache. */
export function repositoryFolder({ cache }: Pick<HubSettings, "cache">, repository: string): string {
  return join(cache, folderName(repository));
}

/** Where a snapshot of a commit lies. */
export function snapshotFolder(settings: Pick<HubSettings, "cache">, repository: string, commit: string): string {
  return join(repositoryFolder(settings, repository), "snapshots", commit);
}

/** The commit that the cache has for a revision; undefined where it has none. No request is made. */
export async function cachedCommit(
  settings: Pick<HubSettings, "cache">,
  { repository, revision = MAIN }: HubName,
): Promise<string | undefined> {
  const path = join(repositoryFolder(settings, repository), "refs", ...revision.split("/"));
  const text = await readFile(path, "utf8").catch(() => "");
  const commit = isCommit(text.trim()) ? text.trim() : revision;
  if (!isCommit(commit)) return undefined;
  const found = await stat(snapshotFolder(settings, repository, commit)).catch(() => undefined);
  return found?.isDirectory() ? commit : undefined;
}

/** Writes which commit a branch or tag means. @throws BigVaeError("disk") */
export async function writeRef(folder: string, revision: string, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = join(folder, "refs", ...revision.split("/"));
  if ((await readFile(path, "utf8").catch(() => undefined)) === commit) return;
  await makeFolder(dirname(path));
  await writeFileAtomic(path, commit);
}

/** By which programs that make backups leave out a folder (https://bford.info/cachedir/). */
const TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of models from the hub.\n";

/**
 * Makes the cache's own folders, and takes the right to write a repository's.
 * @throws BigVaeError("locked") where another process of this library downloads or removes it, BigVaeError("disk").
 */
export async function lockRepository({ cache }: Pick<HubSettings, "cache">, repository: string): Promise<FolderLock> {
  const folder = join(cache, ".locks", folderName(repository));
  await makeFolder(folder);
  const tag = join(cache, "CACHEDIR.TAG");
  // The cache serves as well without it.
  await writeFile(tag, TAG, { flag: "wx" }).catch(() => undefined);
  return lockFolder(folder);
}

/** What making a link fails with where the disk, or the user of Windows, has none. */
const NO_SYMLINKS = ["EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "UNKNOWN"];

/**
 * Puts the file of a blob at `path`: a link relative to it or, without links, as huggingface_hub does, the file itself: moved there where the
 * blob is new, since no other snapshot can have it, and copied where it is not.
 * @throws BigVaeError("disk")
 */
export async function placeFile(blob: string, path: string, isNew: boolean, symlinks: boolean): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
    if (symlinks && (await linked(blob, path))) return;
    await (isNew ? rename(blob, path) : copyFile(blob, path));
  } catch (error) {
    throw await diskError(path, 0, error);
  }
}

async function linked(blob: string, path: string): Promise<boolean> {
  try {
    await symlink(relative(dirname(path), blob), path);
    return true;
  } catch (error) {
    if (NO_SYMLINKS.includes(errorCode(error) ?? "")) return false;
    throw error;
  }
}

/** Whether a file of this size is there, or a link to one. */
export async function hasFile(path: string, size: number): Promise<boolean> {
  return (await isFile(path)) && (await stat(path)).size === size;
}

/** Bytes free for this user on the disk of a folder that need not be there yet. */
async function freeBytes(folder: string, freeIn: (path: string) => Promise<number>): Promise<number> {
  const found = await lstat(folder).catch(() => undefined);
  return found || dirname(folder) === folder ? freeIn(folder) : freeBytes(dirname(folder), freeIn);
}

/** Throws "disk" where less than `needed` bytes are free in the cache. */
export async function checkSpace(cache: string, needed: number, freeIn: (path: string) => Promise<number>) {
  const free = await freeBytes(cache, freeIn).catch(() => Number.POSITIVE_INFINITY);
  if (needed <= free) return;
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  throw new BigVaeError("disk", {
    subject: cache,
    expected: `${megabytes(needed)} of free space`,
    got: megabytes(free),
    remedy: "free some space, or set HF_HUB_CACHE to a folder on another disk",
  });
}
