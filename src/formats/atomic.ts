/**
 * Writing a file so that a crash at any moment leaves the old one or the new one, never a mixture: a temporary file in the
 * same folder, fsync, rename, fsync of the folder.
 */
import { randomUUID } from "node:crypto";
import { open, readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BigVaeError } from "../errors.js";
import { diskError, type FileOps, nodeFileOps } from "./fileOps.js";
import { processIsAlive } from "./lock.js";

/** Of a temporary file, and of what SQLite puts beside one. */
const TEMPORARY = /\.(\d+)-[\da-f]+\.tmp(\.lock|-journal|-wal)?$/;

/** Names of the files that this process is writing: a temporary file with its PID that is not among them is a dead namesake's (containers reuse PIDs). */
const writing = new Set<string>();

/**
 * Puts `content` at `path`. A failure before the rename leaves the old file and removes the temporary one; a failure of
 * the last step, the folder's fsync, leaves the whole new one.
 * @throws BigVaeError("disk") naming the path and the bytes needed and free.
 */
export async function writeFileAtomic(
  path: string,
  content: Uint8Array | readonly Uint8Array[] | string,
  ops: FileOps = nodeFileOps,
): Promise<void> {
  const chunks = typeof content === "string" ? [new TextEncoder().encode(content)] : [content].flat();
  const temporary = begun(path);
  try {
    const file = await ops.create(temporary);
    try {
      for (const chunk of chunks) await file.write(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await ops.rename(temporary, path);
    await ops.syncFolder(dirname(path));
  } catch (cause) {
    await ops.remove(temporary).catch(() => undefined);
    const needed = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    throw await diskError(path, needed, cause, ops);
  } finally {
    writing.delete(basename(temporary));
  }
}

/**
 * Puts at `path` the file that `write` makes under the temporary name it is given: for libraries that write files themselves.
 * @throws BigVaeError("disk") as `writeFileAtomic`, and what `write` throws.
 */
export async function placeFileAtomic(
  path: string,
  write: (temporary: string) => void | Promise<void>,
  ops: FileOps = nodeFileOps,
): Promise<void> {
  const temporary = begun(path);
  try {
    await write(temporary);
    const file = await open(temporary, "r+");
    await file.sync().finally(() => file.close());
    await ops.rename(temporary, path);
    await ops.syncFolder(dirname(path));
  } catch (cause) {
    await ops.remove(temporary).catch(() => undefined);
    throw cause instanceof BigVaeError ? cause : await diskError(path, 0, cause, ops);
  } finally {
    writing.delete(basename(temporary));
  }
}

/** Removes what writers that died before their rename left in `folder`. */
export async function removeStaleTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid, beside = ""] = TEMPORARY.exec(name) ?? [];
    if (pid === undefined) continue;
    const isOurs = Number(pid) === process.pid;
    const isWritten = isOurs ? writing.has(name.slice(0, name.length - beside.length)) : processIsAlive(Number(pid));
    if (!isWritten) await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The name of a temporary file that is written from here on. */
function begun(path: string): string {
  const temporary = `${path}.${process.pid}-${randomUUID().slice(0, 8)}.tmp`;
  writing.add(basename(temporary));
  return temporary;
}
