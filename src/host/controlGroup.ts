/** Memory that Linux's control groups leave to this process: version 2 and 1, its own group and those above it. */
import { readFileSync } from "node:fs";
import { join } from "node:path/posix";

interface Version {
  /** The line of /proc/self/cgroup that names the group. */
  line: RegExp;
  root: string;
  limit: string;
  used: string;
  /** Cached files that are let go when memory is short. */
  cached: RegExp;
}

const VERSIONS: readonly Version[] = [
  {
    line: /^0::(.*)$/m,
    root: "/sys/fs/cgroup",
    limit: "memory.max",
    used: "memory.current",
    cached: /^inactive_file (\d+)$/m,
  },
  {
    line: /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m,
    root: "/sys/fs/cgroup/memory",
    limit: "memory.limit_in_bytes",
    used: "memory.usage_in_bytes",
    cached: /^total_inactive_file (\d+)$/m,
  },
];

/** Bytes that can still be taken; infinity where nothing is limited. */
export function controlGroupRoom(read: (path: string) => string = readText): number {
  const groups = read("/proc/self/cgroup");
  const rooms = VERSIONS.flatMap((version) =>
    foldersOf(version.line.exec(groups)?.[1] ?? "/").map((folder) => roomIn(join(version.root, folder), version, read)),
  );
  return Math.min(...rooms);
}

/** "/a/b" -> "/a/b", "/a", "/". In a container the group's own name is not there, and its root is the group. */
function foldersOf(path: string): string[] {
  const names = path.split("/").filter(Boolean);
  return Array.from({ length: names.length + 1 }, (_, i) => `/${names.slice(0, names.length - i).join("/")}`);
}

function roomIn(folder: string, { limit, used, cached }: Version, read: (path: string) => string): number {
  const [most, taken] = [limit, used].map((name) => Number.parseInt(read(join(folder, name)), 10)) as [number, number];
  if (!Number.isFinite(most) || !Number.isFinite(taken)) return Number.POSITIVE_INFINITY;
  return most - taken + Number(cached.exec(read(join(folder, "memory.stat")))?.[1] ?? 0);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
