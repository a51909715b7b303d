import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { diskError, makeFolder } from "./fileOps.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-ops-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("only a full disk is told of its bytes", async () => {
  const message = async (code: string) =>
    (await diskError(join(folder, "m"), 7, Object.assign(new Error(code), { code }))).message;
  for (const code of ["ENOSPC", "EDQUOT"])
    expect(await message(code)).toMatch(/m: expected 7 bytes of free space, got \d+ \((ENOSPC|EDQUOT)\); free some/);
  expect((await diskError("log.jsonl", 0, Object.assign(new Error(), { code: "ENOSPC" }))).message).toBe(
    "log.jsonl: expected room for more, got a full disk (ENOSPC); free some space and run again",
  );
  for (const code of ["EACCES", "EROFS", "EIO"]) expect(await message(code)).not.toMatch(/bytes|free/);
  expect(await message("EACCES")).toMatch(
    /: expected permission to write, got none \(EACCES\); check the permissions and run again$/,
  );
});

it("folders are made with those that they lie in, at once and twice", async () => {
  const path = join(folder, "a", "b", "c");
  await Promise.all([makeFolder(path), makeFolder(path)]);
  await makeFolder(path);
  expect((await stat(path)).isDirectory()).toBe(true);
});

it("a folder below a file is refused", async () => {
  const file = join(folder, "file");
  await writeFile(file, "");
  await expect(makeFolder(file)).rejects.toThrow(/: expected a folder, got a file in its place \(EEXIST\)/);
  await expect(makeFolder(join(file, "a", "b"))).rejects.toThrow(
    /: expected a path through folders, got a file among them \(ENOTDIR\)/,
  );
});

it.runIf(process.platform === "linux")("a folder that no one may make is refused, not tried for ever", async () => {
  await expect(makeFolder("/proc/bigvae/rows")).rejects.toMatchObject({ kind: "disk" });
});
