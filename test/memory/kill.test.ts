/** A process that writes a memory is killed at a random moment: every record that it said was kept is there, and the index agrees. BIGVAE_KILLS=100 is the long form. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { openMemory } from "../../src/memory/index.js";
import { Rng } from "../../src/rng.js";
import { inFolder, SPACE } from "./make.js";

const KILLS = Number(process.env.BIGVAE_KILLS ?? 8);

/** Adds batches for ever, deletes one record of each, and compacts now and then; says what is done. */
const WRITER = `
import { openMemory } from "./dist/memory/index.js";
const memory = await openMemory(process.argv[1], ${JSON.stringify(SPACE)});
console.log("open");
for (let batch = 0; ; batch++) {
  const size = 1 + (batch * 37) % 700;
  const ids = await memory.add(Array.from({ length: size }, (_, i) => ({ text: "batch " + batch + " place " + i, ids: [i], z: Float32Array.from({ length: 8 }, (_, d) => Math.sin(batch + i * d)), tags: ["kept"] })));
  console.log("added", ids[0], ids.at(-1));
  console.log("deleting", ids[0]);
  await memory.delete([ids[0]]);
  console.log("deleted", ids[0]);
  if (batch % 4 === 3) { await memory.compact(); console.log("compacted"); }
}`;

it(`keeps what was added, at ${KILLS} moments`, () =>
  inFolder(async (folder) => {
    const rng = Rng.fromSeed("kill");
    const kept = new Set<number>();
    /** Of one that was under way, either is right. */
    const deleting = new Set<number>();
    const deleted = new Set<number>();
    for (let round = 0; round < KILLS; round++) {
      const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder]);
      let errors = "";
      child.stderr.on("data", (text) => {
        errors += text;
      });
      const lines = createInterface({ input: child.stdout });
      const begun = new Promise<void>((resolve, reject) => {
        lines.once("line", () => resolve());
        child.once("close", () => reject(new Error(errors)));
      });
      lines.on("line", (line) => {
        const [what, first, last] = line.split(" ");
        if (what === "added") for (let id = Number(first); id <= Number(last); id++) kept.add(id);
        if (what === "deleting") deleting.add(Number(first));
        if (what === "deleted") deleted.add(Number(first));
      });
      await begun;
      await new Promise((resolve) => setTimeout(resolve, rng.integer(500)));
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
      const memory = await openMemory(folder, SPACE, {
        onWarning: (warning) => expect.fail(`a part of the index was not as it was saved: ${warning}`),
      });
      const ids = new Set(await memory.ids());
      expect([...kept].filter((id) => !ids.has(id) && !deleting.has(id))).toEqual([]);
      expect([...deleted].filter((id) => ids.has(id))).toEqual([]);
      expect(await memory.verify()).toEqual({ records: ids.size, problems: [] });
      await memory.close();
    }
    expect(kept.size).toBeGreaterThan(100);
  }));
