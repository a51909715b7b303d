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

/** What a code says, and what to do. */
const REFUSALS: Record<string, { expected: string; got: string; advice: string }> = {
  ENOSPC: { expected: "room for more", got: "a full disk", advice: "free some space" },
  EDQUOT: { expected: "room for more", got: "a full quota", advice: "free some of your quota" },
  EROFS: { expected: "a disk that can be written", got: "a read-only one", advice: "choose a folder on another disk" },
  EACCES: { expected: "permission to write", got: "none", advice: "check the permissions" },
  EPERM: { expected: "permission to write", got: "none", advice: "check the permissions" },
  EMFILE: {
    expected: "room for one more open file",
    got: "none",
    advice: "close other files or raise `ulimit -n`",
  },
  ENOENT: { expected: "a folder to write in", got: "none", advice: "check that the folder exists" },
  EEXIST: { expected: "a folder", got: "a file in its place", advice: "name another path" },
  ENOTDIR: { expected: "a path through folders", got: "a file among them", advice: "name another path" },
};
const OTHER_REFUSAL = { expected: "a disk that takes it", got: "a refusal", advice: "check the disk" };

/** A disk's refusal as one sentence for the user; of a full one with the bytes needed (0: not known) and free. */
export async function diskError(path: string, neededBytes: number, cause: unknown, ops = nodeFileOps) {
  const code = errorCode(cause) ?? String(cause);
  const { expected, got, advice } = REFUSALS[code] ?? OTHER_REFUSAL;
  const isFull = (code === "ENOSPC" || code === "EDQUOT") && neededBytes > 0;
  const free = isFull && (await ops.freeBytes(dirname(path)).catch(() => "an unknown number"));
  return new BigVaeError(
    "disk",
    {
      subject: path,
      expected: isFull ? `${neededBytes} bytes of free space` : expected,
      got: `${isFull ? free : got} (${code})`,
      remedy: `${advice} and run again`,
    },
    { cause },
  );
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
  const got = code === "ENOENT" ? "no such file" : code;
  return new BigVaeError(
    "format",
    { subject: path, expected: "a path that can be read", got, remedy: "check the path" },
    { cause },
  );
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
    expected,
    got: "nothing there",
    remedy: advice,
  });
}
