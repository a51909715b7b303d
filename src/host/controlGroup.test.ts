import { expect, it } from "vitest";
import { controlGroupRoom } from "./controlGroup.js";

const room = (files: Record<string, string>) => controlGroupRoom((path) => files[path] ?? "");
const MB = 1e6;

it("is without end where nothing is limited", () => {
  expect(room({})).toBe(Number.POSITIVE_INFINITY);
  expect(
    room({
      "/proc/self/cgroup": "0::/user.slice\n",
      "/sys/fs/cgroup/user.slice/memory.max": "max\n",
      "/sys/fs/cgroup/user.slice/memory.current": `${MB}\n`,
    }),
  ).toBe(Number.POSITIVE_INFINITY);
});

it("is what version 2 leaves, cached files counted as free", () => {
  const files = {
    "/proc/self/cgroup": "0::/\n",
    "/sys/fs/cgroup/memory.max": `${1000 * MB}\n`,
    "/sys/fs/cgroup/memory.current": `${900 * MB}\n`,
    "/sys/fs/cgroup/memory.stat": `anon 1\ninactive_file ${700 * MB}\nactive_file 3\n`,
  };
  expect(room(files)).toBe(800 * MB);
});

it("is the least of the group's own and those above it", () => {
  const files = {
    "/proc/self/cgroup": "0::/a.slice/b.scope\n",
    "/sys/fs/cgroup/a.slice/b.scope/memory.max": `${900 * MB}`,
    "/sys/fs/cgroup/a.slice/b.scope/memory.current": `${100 * MB}`,
    "/sys/fs/cgroup/a.slice/memory.max": `${700 * MB}`,
    "/sys/fs/cgroup/a.slice/memory.current": `${200 * MB}`,
  };
  expect(room(files)).toBe(500 * MB);
});

it("knows version 1, also in a container that does not see the group's name", () => {
  const limits = {
    "memory.limit_in_bytes": `${1000 * MB}`,
    "memory.usage_in_bytes": `${400 * MB}`,
    "memory.stat": `total_inactive_file ${100 * MB}\n`,
  };
  const at = (folder: string) => Object.fromEntries(Object.entries(limits).map(([k, v]) => [`${folder}/${k}`, v]));
  const lines = (path: string) => ({ "/proc/self/cgroup": `5:cpu,cpuacct:/x\n4:memory:${path}\n0::/\n` });
  expect(room({ ...lines("/mine"), ...at("/sys/fs/cgroup/memory/mine") })).toBe(700 * MB);
  expect(room({ ...lines("/docker/1234"), ...at("/sys/fs/cgroup/memory") })).toBe(700 * MB);
});
