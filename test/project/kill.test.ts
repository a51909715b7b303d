/** A process that writes a project is killed at a random moment: all that it said was saved is there. */
import { spawn } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { Project } from "../../src/project/index.js";
import { Rng } from "../../src/rng.js";

/** Writes nodes of three spans for ever; says each one when it is kept. */
const WRITER = `
import { Project } from "./dist/project/index.js";
const project = await Project.open(process.argv[1]);
for (let i = project.nodes().length; ; i++) {
  const node = project.add({ origin: "typed", title: "node " + i }, [0, 1, 2].map((k) => ({ text: i + "." + k + " ", z: Float32Array.of(i, k) })));
  project.mark(node, { rating: 1 });
  console.log(i);
}`;

it("opens whole, wherever its last writes were cut", async () => {
  const folder = await mkdtemp(join(tmpdir(), "cut-"));
  const rng = Rng.fromSeed("cut");
  try {
    const project = await Project.open(join(folder, "whole"));
    for (let i = 0; i < 20; i++)
      project.add({ origin: "typed", title: `node ${i}` }, [{ text: `${i}.0 ` }, { text: `${i}.1` }]);
    const { size } = await stat(join(folder, "whole", "project.db-wal"));
    const counts: number[] = [];
    for (let round = 0; round < 30; round++) {
      const cut = join(folder, `cut-${round}`);
      await mkdir(cut);
      for (const file of ["project.db", "project.db-wal"]) await copyFile(join(folder, "whole", file), join(cut, file));
      await truncate(join(cut, "project.db-wal"), round === 0 ? size : rng.integer(size));
      const again = await Project.open(cut);
      const nodes = again.nodes();
      counts.push(nodes.length);
      expect(nodes.map(({ text, finished }) => [text, finished])).toEqual(nodes.map((_, i) => [`${i}.0 ${i}.1`, true]));
      expect(again.database.all("PRAGMA integrity_check")).toEqual([{ integrity_check: "ok" }]);
      await again.close();
    }
    expect(counts[0]).toBe(20);
    expect(new Set(counts).size).toBeGreaterThan(5);
    await project.close();
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("keeps what was saved, at 12 moments, and opens again at once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "kill-"));
  const rng = Rng.fromSeed("kill");
  const saved = new Set<number>();
  try {
    for (let round = 0; round < 12; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder]);
      const lines = createInterface({ input: child.stdout });
      const begun = new Promise<void>((resolve) => lines.once("line", () => resolve()));
      lines.on("line", (line) => {
        saved.add(Number(line));
      });
      await begun;
      await new Promise((resolve) => setTimeout(resolve, rng.integer(150)));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      const project = await Project.open(folder);
      const nodes = project.nodes();
      expect(nodes.length).toBeGreaterThan(Math.max(...saved));
      // Of each round, what was not said yet is there whole or not at all.
      expect(nodes.length).toBeLessThanOrEqual(saved.size + round + 1);
      for (const [i, { title, text, finished }] of nodes.entries())
        expect([title, text, finished]).toEqual([`node ${i}`, `${i}.0 ${i}.1 ${i}.2 `, true]);
      for (const i of saved) expect(nodes[i]!.rating).toBe(1);
      expect([...project.allSpans()].map(({ z }) => Array.from(z!))).toEqual(
        nodes.flatMap((_, i) => [0, 1, 2].map((k) => [i, k])),
      );
      await project.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}, 60_000);
