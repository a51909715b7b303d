/** Locks on a file system without hard links, whatever code it refuses them with. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { lockFolder } from "./lock.js";

const refusal = vi.hoisted(() => ({ code: "" }));
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  link: async () => {
    throw Object.assign(new Error(`${refusal.code}: link`), { code: refusal.code });
  },
}));

let folder: string;
beforeEach(async () => {
  refusal.code = "EPERM";
  folder = await mkdtemp(join(tmpdir(), "bigvae-links-"));
});
afterEach(() => rm(folder, { recursive: true }));
const lockPath = () => join(folder, ".lock");

it.each(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"])(
  "keeps a second writer out until the first lets go: %s",
  async (code) => {
    refusal.code = code;
    const lock = await lockFolder(folder);
    expect((await readFile(lockPath(), "utf8")).split("\n")[0]).toBe(String(process.pid));
    await expect(lockFolder(folder)).rejects.toMatchObject({ kind: "locked", exitCode: 8 });
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    await (await lockFolder(folder)).release();
  },
);

it("is taken over from a dead writer by one of many", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ["-p", "process.pid"]);
  await writeFile(lockPath(), `${stdout.trim()}\n${hostname()}\n0\n`);
  const taken = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
  expect(taken.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of taken) if (result.status === "rejected") expect(result.reason).toMatchObject({ kind: "locked" });
  expect(await readdir(folder)).toEqual([".lock"]);
});

it("waits for the text of a lock that was just created", async () => {
  await writeFile(lockPath(), "");
  const second = lockFolder(folder);
  await writeFile(lockPath(), "1\nelsewhere\n\n");
  await expect(second).rejects.toMatchObject({ kind: "locked" });
});

it("is not what another refusal of a link means", async () => {
  refusal.code = "EACCES";
  await expect(lockFolder(folder)).rejects.toMatchObject({ kind: "disk" });
});
