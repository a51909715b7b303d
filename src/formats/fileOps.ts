/** The few calls to the disk that writing needs, as an interface, so that a test can make any of them fail. */
import { mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BigVaeError } from "../errors.js";

/** A file that is being written, from its start on. */
export interface OpenFile {
  /** Appends all of the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written durable (fsync). */
  sync(): Promise<void>;
  /** Frees the file; what was not synced may still be lost. */
  close(): Promise<void>;
}

/** Calls to the disk; each rejects with the system's own error (ENOSPC). */
export interface FileOps {
  /** Opens for writing, from nothing. */
  create(path: string): Promise<OpenFile>;
  /** In one step; a file that is there is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** No error where there is none. */
  remove(path: string): Promise<void>;
  /** Makes renames within the folder durable. */
  syncFolder(path: string): Promise<void>;
  /** Bytes free for this user on the folder's disk. */
  freeBytes(path: string): Promise<number>;
}

/** A single write of Node takes at most 2 GiB. */
const MAX_WRITE_BYTES = 2 ** 30;

/** The disk itself. */
export const nodeFileOps: FileOps = {
  async create(path) {
    const file = await open(path, "w");
    return {
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, Math.min(bytes.length - at, MAX_WRITE_BYTES));
          at += bytesWritten;
        }
      },
      sync: () => file.sync(),
      close: () => file.close(),
    };
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  async syncFolder(path) {
    // Windows cannot open a folder, and its renames need no such call.
    if (process.platform === "win32") return;
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } catch (error) {
      // Some file systems (FUSE, of networks) know no fsync of a folder.
      if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(errorCode(error) ?? "")) throw error;
    } finally {
      await folder.close();
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

/** What a code says, and what to do; without words of its own where it is the room that is missing. */
const REFUSALS: Record<string, { what?: string; advice: string }> = {
  ENOSPC: { advice: "free some space" },
  EDQUOT: { advice: "free some of your quota" },
  EROFS: { what: "the disk is read-only", advice: "choose a folder on a writable disk" },
  EACCES: { what: "not permitted", advice: "check the permissions" },
  EPERM: { what: "not permitted", advice: "check the permissions" },
  EMFILE: { what: "too many open files", advice: "close other files or raise `ulimit -n`" },
  ENOENT: { what: "its folder is not there", advice: "check that the folder exists" },
  EEXIST: { what: "it is a file where a folder is wanted", advice: "name another path" },
  ENOTDIR: { what: "it lies in a file, not in a folder", advice: "name another path" },
};

/** A disk's refusal as one sentence for the user. */
export async function diskError(path: string, neededBytes: number, cause: unknown, ops = nodeFileOps) {
  const code = errorCode(cause) ?? String(cause);
  const { what, advice } = REFUSALS[code] ?? { what: "the disk refused", advice: "check the disk" };
  return new BigVaeError(
    "disk",
    `Could not write ${path} (${code}): ${what ?? (await room(path, neededBytes, ops))}; ${advice} and run again.`,
    { cause },
  );
}

async function room(path: string, neededBytes: number, ops: FileOps): Promise<string> {
  const free = await ops.freeBytes(dirname(path)).catch(() => "unknown");
  return `${neededBytes} bytes needed, ${free} free`;
}

/** Makes a folder, and those that it lies in. @throws BigVaeError("disk"). */
export async function makeFolder(path: string): Promise<void> {
  await makeMissing(resolve(path)).catch(async (error) => {
    throw await diskError(path, 0, error);
  });
}

/** Step by step: below /proc, Node's recursive mkdir never ends. */
async function makeMissing(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error) => (errorCode(error) === "ENOENT" ? undefined : false),
  );
  if (isFolder) return;
  if (isFolder === undefined && dirname(path) !== path) await makeMissing(dirname(path));
  await mkdir(path).catch(async (error) => {
    // Another process may have made it meanwhile.
    if (errorCode(error) !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
  });
}

/** Node's code of a failed call (ENOENT), if it is one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}

/** A failed reading as one sentence for the user. */
export function readError(path: string, cause: unknown): BigVaeError {
  if (cause instanceof BigVaeError) return cause;
  const code = errorCode(cause) ?? String(cause);
  const reason = code === "ENOENT" ? "there is no such file" : code;
  return new BigVaeError("format", `Could not read ${path}: ${reason}; check the path.`, { cause });
}

/** Throws "usage" where an option names a path at which nothing lies. */
export async function checkPath(
  option: string,
  path: string,
  expected: string,
  advice = "check the path",
): Promise<void> {
  const code = await stat(path).then(() => undefined, errorCode);
  if (code !== "ENOENT" && code !== "ENOTDIR") return;
  throw new BigVaeError("usage", {
    subject: `${option} ${path}`,
    expected: expected,
    got: "nothing there",
    remedy: advice,
  });
}
