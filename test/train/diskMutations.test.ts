/** Damaged files of a run and of prepared data: a text that was changed anywhere ends in a typed error, in an older checkpoint, or in what was meant. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Shards } from "../../src/data/index.js";
import { BigVaeError } from "../../src/errors.js";
import { newestCheckpoint, readArrays, saveCheckpoint } from "../../src/train/loop/checkpoint.js";
import { readRunFile, writeRunFile } from "../../src/train/run/runFile.js";
import { tinyRows, tinyTokenizer } from "./tiny.js";
import { stateOf } from "./toy.js";

const PATIENCE = { timeout: 300_000 };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-mutations-"));
  for (const step of [1, 2]) await saveCheckpoint(join(folder, "run"), step, stateOf(step));
  await writeRunFile(folder, { command: "vae", flags: { model: "/a", steps: 3, lr: 1e-3 } });
  await tinyRows(folder, tinyTokenizer());
}, PATIENCE.timeout);
afterAll(() => rm(folder, { recursive: true }));

/** Opens what the file belongs to. */
const READERS: Record<string, () => Promise<unknown>> = {
  async "run/step-00000002/manifest.json"() {
    const found = await newestCheckpoint(join(folder, "run"), () => {});
    const { arrays } = stateOf(0);
    await readArrays(found!, arrays);
    const step = found!.facts.step as number;
    expect([1, 2]).toContain(step);
    expect(new Set(arrays.parameters.data)).toEqual(new Set([step]));
  },
  async "run.json"() {
    const { command, flags } = (await readRunFile(folder))!;
    expect([typeof command, typeof flags]).toEqual(["string", "object"]);
  },
  async "rows/manifest.json"() {
    const shards = await Shards.open(join(folder, "rows"), "train");
    const count = shards.rowCount(16);
    expect(count).toBeGreaterThanOrEqual(0);
    if (count > 0) await shards.row(count - 1, 16);
    await shards.close();
  },
};

/** Every value of a JSON tree, one at a time, in place of which something else stands. */
function replaced(json: unknown): unknown[] {
  const others = [null, -1, 1e300, "x", [], {}, true];
  if (typeof json !== "object" || json === null) return others;
  const inside = Object.entries(json).flatMap(([key, value]) => [
    ...replaced(value).map((other) =>
      Array.isArray(json) ? json.with(Number(key), other) : { ...json, [key]: other },
    ),
    ...(Array.isArray(json) ? [] : [Object.fromEntries(Object.entries(json).filter(([name]) => name !== key))]),
  ]);
  return [...others, ...inside];
}

async function opens(name: string, text: string): Promise<void> {
  await writeFile(join(folder, name), text, "latin1");
  await READERS[name]!().catch((error: unknown) => {
    if (!(error instanceof BigVaeError) || error.kind === "internal")
      throw new Error(`${text}: ${error}`, { cause: error });
  });
}

it.each(Object.keys(READERS))("%s, changed anywhere", PATIENCE, async (name) => {
  const path = join(folder, name);
  await cp(path, join(folder, "sound"));
  const sound = await readFile(path, "latin1");
  for (const json of replaced(JSON.parse(sound))) await opens(name, JSON.stringify(json));
  const edit = fc.record({
    at: fc.nat(),
    cut: fc.nat(6),
    put: fc.constantFrom("", "0", "-1", "1e999", "null", "[", "{", '"', "\\u0000", "é"),
  });
  const property = fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
    let text = sound;
    for (const { at, cut, put } of edits) {
      const start = at % text.length;
      text = text.slice(0, start) + put + text.slice(start + cut);
    }
    await opens(name, text);
  });
  await fc.assert(property, { seed: 12, numRuns: 300 });
  await cp(join(folder, "sound"), path);
  await READERS[name]!();
});
