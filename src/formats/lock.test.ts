import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { lockFolder, processIsAlive } from "./lock.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

it("keeps a second writer out until the first lets go", async () => {
  const lock = await lockFolder(folder);
  expect((await readFile(join(folder, ".lock"), "utf8")).split("\n")[0]).toBe(String(process.pid));
  await expect(lockFolder(folder)).rejects.toMatchObject({ kind: "locked", exitCode: 8 });
  await expect(lockFolder(folder)).rejects.toThrow(`process ${process.pid}`);
  await lock.release();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder)).release();
});

it("names another living process, and takes over when it is dead", async () => {
  const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
  const stat = process.platform === "linux" ? await readFile(`/proc/${child.pid}/stat`, "latin1") : ") ";
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  await writeFile(join(folder, ".lock"), `${child.pid}\n${hostname()}\n${started}\n`);
  await expect(lockFolder(folder)).rejects.toThrow(`process ${child.pid}`);
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill();
  await gone;
  const lock = await lockFolder(folder);
  await lock.release();
});

it("takes over from a dead process with our own PID or one that was reused", async () => {
  for (const pid of [process.pid, process.ppid]) {
    await writeFile(join(folder, ".lock"), `${pid}\n${hostname()}\nanother start\n`);
    await (await lockFolder(folder)).release();
  }
});

it("leaves another machine's lock alone", async () => {
  await writeFile(join(folder, ".lock"), "1\nelsewhere\n\n");
  await expect(lockFolder(folder)).rejects.toThrow(/process 1 on elsewhere/);
});

it("gives a stale lock to exactly one of many successors", async () => {
  for (let round = 0; round < 20; round++) {
    await writeFile(join(folder, ".lock"), round % 4 === 0 ? "" : `4194999\n${hostname()}\n\n`);
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder)));
    const winners = results.filter((result) => result.status === "fulfilled");
    expect(winners).toHaveLength(1);
    await winners[0]!.value.release();
    expect(await readdir(folder)).toEqual([]);
  }
});

it("refuses a folder that is not there", async () => {
  await expect(lockFolder(join(folder, "none"))).rejects.toMatchObject({ kind: "disk" });
  expect([0, -1, 1.5, Number.NaN].some(processIsAlive)).toBe(false);
});
