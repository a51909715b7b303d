/** Memory that a control group limits, as containers do: what does not fit is refused, not killed. Needs the right to make a group (root on Linux). */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type Ended, run } from "../process.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PATIENCE = { timeout: 300_000 };

/** A group of this test's own, of version 1 or 2, with its file for the limit; undefined where none can be made. */
function makeGroup(): { folder: string; limit: string } | undefined {
  for (const [parent, limit] of [
    ["/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    ["/sys/fs/cgroup", "memory.max"],
  ] as const) {
    const folder = join(parent, `bigvae-test-${process.pid}`);
    try {
      mkdirSync(folder);
      if (existsSync(join(folder, limit))) return { folder, limit: join(folder, limit) };
      rmdirSync(folder);
    } catch {
      // No right to, or no such version.
    }
  }
  return undefined;
}

const group = makeGroup();
const why = group ? "" : " (skipped: no right to make one)";
afterAll(() => {
  if (group) rmdirSync(group.folder);
});

function within(limitBytes: number, ...args: string[]): Promise<Ended> {
  writeFileSync(group!.limit, `${limitBytes}`);
  const script = `echo $$ > ${join(group!.folder, "cgroup.procs")} || exit 99; exec "$@"`;
  return run("sh", ["-c", script, "sh", process.execPath, join(root, "dist", "cli", "main.js"), ...args], {
    cwd: root,
  });
}

describe(`a control group of little memory${why}`, () => {
  it.skipIf(!group)("refuses a model that does not fit, with need and have", PATIENCE, async () => {
    const { code, stdout, stderr } = await within(128e6, "encode", "A short text.");
    expect(stderr).toMatch(/^bigvae: model: expected \d+ MB of free memory, got \d+ MB; [^\n]+\n$/);
    const [need, have] = Array.from(stderr.matchAll(/(\d+) MB/g), (match) => Number(match[1]));
    expect(need).toBeGreaterThan(have!);
    expect(have).toBeLessThan(129);
    expect([code, stdout]).toEqual([6, ""]);
  });

  it.skipIf(!group)("lets one that fits run to its end, in 1 GB", PATIENCE, async () => {
    const { code, stdout, stderr } = await within(
      1e9,
      "generate",
      "--prompt",
      "The owl lost a button.",
      "--steps",
      "2",
      "--ignore-eos",
      "--json",
    );
    expect([code, stderr]).toEqual([0, ""]);
    const lines = stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).span)).toEqual([1, 2, undefined]);
  });
});
