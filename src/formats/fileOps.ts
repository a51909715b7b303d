/** The few calls to the disk that writing needs, as an interface, so that a test can make any of them fail. */
import { mkdir, open, rename, rm, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { BigVaeError } from "../errors.js";

export interface OpenFile {
  write(bytes: Uint8Array): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface FileOps {
  /** Opens for writing, from nothing. */
  create(path: string): Promise<OpenFile>;
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
    } finally {
      await folder.close();
    }
  },
  async freeBytes(path) {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  },
};

const ADVICE: Record<string, string> = {
  ENOSPC: "free some space",
  EDQUOT: "free some of your quota",
  EROFS: "choose a folder on a writable disk",
  EACCES: "check the permissions",
  EPERM: "check the permissions",
  EMFILE: "close other files or raise `ulimit -n`",
  ENOENT: "check that the folder exists",
  EEXIST: "it is a file where a folder is wanted: name another path",
  ENOTDIR: "it lies in a file, not in a folder: name another path",
};

/** A disk's refusal as one sentence for the user. */
export async function diskError(path: string, neededBytes: number, cause: unknown, ops = nodeFileOps) {
  const code = errorCode(cause) ?? String(cause);
  const free = await ops.freeBytes(dirname(path)).catch(() => undefined);
  const advice = ADVICE[code] ?? "check the disk";
  return new BigVaeError(
    "disk",
    `Could not write ${path} (${code}): ${neededBytes} bytes needed, ${free ?? "unknown"} free; ${advice} and run again.`,
    { cause },
  );
}

/** Makes a folder, and those that it lies in. @throws BigVaeError("disk"). */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch(async (error) => {
    throw await diskError(path, 0, error);
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
