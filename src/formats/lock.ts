/**
 * One writer per folder: a file `.lock` with the writer's PID, made in one step by a hard link. A dead writer's lock is taken over.
 * Where the file system has no hard links (exFAT, some of FUSE), the file is created exclusively and written then.
 */
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { BigVaeError } from "../errors.js";
import { diskError, errorCode } from "./fileOps.js";

/** The right to write into a folder, held by this process. */
export interface FolderLock {
  /** Lets the next writer in. */
  release(): Promise<void>;
}

interface Holder {
  pid: number;
  host: string;
  /** Linux: the start of the process in clock ticks since boot, which tells a new process with an old PID. */
  started: string;
}

const MAX_ATTEMPTS = 100;
const RETRY_MS = 10;

/** Between two looks at a lock that is waited for. */
const POLL_MS = 50;

/** How long a lock may be without its text: between its creation and its writing, where there are no hard links. */
const UNWRITTEN_MS = 500;

/** What `link` fails with where there are no hard links, or none of this file. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"];

/** Locks that this process holds: a lock with our PID that is not among them is a dead namesake's (containers reuse PIDs). */
const held = new Set<string>();

/**
 * Takes the lock of `folder`, which must exist; waits up to `waitMs` for the process that holds it.
 * @throws BigVaeError("locked") naming the PID that holds it, BigVaeError("disk") where the folder cannot be written.
 */
export async function lockFolder(folder: string, waitMs = 0): Promise<FolderLock> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const lock = attempts.then(() => take(folder));
    attempts = lock.catch(() => undefined);
    try {
      return await lock;
    } catch (error) {
      const isHeld = error instanceof BigVaeError && error.kind === "locked";
      if (!isHeld || performance.now() >= deadline) throw error;
      await setTimeout(POLL_MS);
    }
  }
}

/** The attempts of this process, one after the other: between the lock's appearance and its place in `held`, a second one would take it for a dead namesake's. */
let attempts: Promise<unknown> = Promise.resolve();

async function take(folder: string): Promise<FolderLock> {
  const path = join(folder, ".lock");
  const draft = join(folder, `.lock.${randomUUID()}`);
  const me: Holder = { pid: process.pid, host: hostname(), started: startOf(process.pid) };
  const text = `${me.pid}\n${me.host}\n${me.started}\n`;
  try {
    await writeFile(draft, text);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      if (await placed(draft, path, text)) {
        held.add(draft);
        await rm(draft, { force: true });
        return { release: () => release(path, draft, text) };
      }
      await removeIfDead(path);
    }
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw error instanceof BigVaeError ? error : await diskError(path, text.length, error);
  }
  await rm(draft, { force: true });
  throw new BigVaeError("locked", {
    subject: path,
    expected: "a lock that comes free",
    got: "one that keeps changing hands",
    remedy: `wait for the other writers, or delete ${path} and ${path}.dead-* if there are none`,
  });
}

/** Creates `path` with the text of `draft`; false where a file is there already. */
async function placed(draft: string, path: string, text: string): Promise<boolean> {
  try {
    await link(draft, path).catch(async (error) => {
      if (!NO_LINKS.includes(errorCode(error) ?? "")) throw error;
      await writeFile(path, text, { flag: "wx" });
    });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function release(path: string, draft: string, text: string): Promise<void> {
  held.delete(draft);
  if ((await textOf(path)) === text) await rm(path, { force: true });
}

/**
 * Throws where the holder lives, otherwise removes its lock. Of many successors only the one that makes the file named after the dead
 * lock's text may remove it, so that none removes the fresh lock of another.
 */
async function removeIfDead(path: string): Promise<void> {
  const text = await writtenText(path);
  if (text === undefined) return;
  if (text !== "") refuseIfAlive(path, text);
  const claim = `${path}.dead-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
  if (!(await placed(path, claim, text).catch(unlessGone))) {
    await setTimeout(RETRY_MS);
    return;
  }
  try {
    // Since it was read, another successor may have put its own lock there.
    if ((await textOf(path)) === text) await rm(path, { force: true });
  } finally {
    await rm(claim, { force: true });
  }
}

/** Another process removed the dead lock first. */
function unlessGone(error: unknown): false {
  if (errorCode(error) === "ENOENT") return false;
  throw error;
}

/** The lock's text, waited for where it is not written yet. One that stays empty lost its text to a power failure. */
async function writtenText(path: string): Promise<string | undefined> {
  const text = await textOf(path);
  if (text !== "") return text;
  await setTimeout(UNWRITTEN_MS);
  return textOf(path);
}

function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

function refuseIfAlive(path: string, text: string): void {
  const [pid = "", host = "", started = ""] = text.split("\n");
  const holder: Holder = { pid: Number(pid), host, started };
  if (host !== hostname())
    throw new BigVaeError("locked", {
      subject: path,
      expected: "no other writer",
      got: `a lock of process ${pid} on ${host}`,
      remedy: "wait for it to end, or delete the file if that process is gone",
    });
  const alive = holder.pid === process.pid ? heldByUs(path) : processIsAlive(holder.pid);
  if (alive && holder.started === startOf(holder.pid))
    throw new BigVaeError("locked", {
      subject: path,
      expected: "no other writer",
      got: `a lock of process ${pid}`,
      remedy: "wait for it to end, or stop it",
    });
}

function heldByUs(path: string): boolean {
  return [...held].some((draft) => draft.startsWith(`${path}.`));
}

/** Whether a process of this machine has this PID. */
export function processIsAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === "EPERM";
  }
}

function startOf(pid: number): string {
  try {
    // The name, field 2, may hold spaces and parentheses; field 22 counts from after its end.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
