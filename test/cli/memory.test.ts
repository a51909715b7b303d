/** `bigvae memory` as a user types it. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EXIT_CODES } from "../../src/errors.js";
import { openMemory } from "../../src/memory/index.js";
import { setRecallLimits } from "../../src/operations/draftMemory.js";
import { hasLance } from "../memory/make.js";
import { bigvae, jsonLines, TINY } from "./run.js";

let root: string;
let memory: string;
const PATIENCE = { timeout: 60_000 };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-memory-"));
  memory = join(root, "stories");
  await bigvae([
    "memory",
    "add",
    memory,
    ...TINY,
    "The fox found a lamp.",
    "It rained.",
    "--tag",
    "fable",
    "--score",
    "0.5",
  ]);
});
afterAll(() => rm(root, { recursive: true }));

it("finds by a text and by words, and shows the record", PATIENCE, async () => {
  const near = await bigvae(["memory", "search", memory, ...TINY, "--json", "It rained.", "--decode"]);
  expect(near.stderr).toBe("");
  const [first, second, centre] = jsonLines<Record<string, unknown>>(near);
  expect(first).toMatchObject({ id: 2, text: "It rained.", tags: ["fable"], score: 0.5 });
  expect(first!.similarity).toBeCloseTo(1, 5);
  expect(second).toMatchObject({ id: 1 });
  expect(centre).toEqual({ centroid: expect.any(String) });
  const worded = await bigvae(["memory", "search", memory, "--text", "lamp"]);
  expect(worded).toEqual({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/^\S+ {2}1 {2}The fox found a lamp\.\n$/),
  });
  expect((await bigvae(["memory", "show", memory])).stdout).toMatch(/\n {2}not calibrated: bigvae memory calibrate/);
  const own = await openMemory(memory);
  await setRecallLimits(own, { distance: 0.5, coverage: 0.9, texts: 3 });
  await own.close();
  expect((await bigvae(["memory", "show", memory])).stdout).toMatch(
    /\n {2}calibrated: a draft is recalled within 0\.500\n/,
  );
  const shown = jsonLines<{ z: number[] }>(await bigvae(["memory", "show", memory, "1", "--json"]));
  expect(shown).toEqual([expect.objectContaining({ id: 1, z: expect.any(Array) })]);
  expect(shown[0]!.z).toHaveLength(48);
});

it("begins no memory where one is only asked", PATIENCE, async () => {
  const missing = join(root, "typo");
  for (const call of [
    ["memory", "search", missing, ...TINY, "a lamp"],
    ["generate", ...TINY, "--prompt", "The fox", "--sampler", "avg", "--memory", missing],
  ]) {
    const { code, stderr } = await bigvae(call);
    expect(stderr).toMatch(/memory .*typo: expected a memory, got none/);
    expect(code).toBe(EXIT_CODES.usage);
  }
  // A sampler that writes no drafts says so, and opens none.
  const guide = ["generate", ...TINY, "--prompt", "The fox", "--sampler", "guide", "--steps", "1", "--memory", missing];
  const { code, stderr } = await bigvae(guide);
  expect(stderr).toMatch(/the sampler guide ignores --memory/);
  expect(code).toBe(0);
  expect(await readdir(root)).not.toContain("typo");
});

it("keeps, with --chunk, what stood before a span", PATIENCE, async () => {
  const long = Array.from({ length: 12 }, (_, i) => `Sentence ${i} is about a river and a mill.`).join(" ");
  const target = join(root, "chunks");
  expect((await bigvae(["memory", "add", target, ...TINY, "--chunk"], `${long}\n`)).code).toBe(0);
  const [first, second] = jsonLines<{ z: number[]; context_z?: number[] }>(
    await bigvae(["memory", "show", target, "1", "2", "--json"]),
  );
  expect(first!.context_z).toBeUndefined();
  expect(second!.context_z).toEqual(first!.z);
});

it("exports, imports, removes, compacts, verifies and repairs", PATIENCE, async () => {
  const [target, copy] = [join(root, "out"), join(root, "copy")];
  const words = [
    ["export", memory, target],
    ["import", copy, target],
    ["rm", copy, "1", "--yes"],
    ["compact", copy],
    ["verify", copy],
  ];
  for (const each of words) expect((await bigvae(["memory", ...each])).code, each.join(" ")).toBe(0);
  expect((await bigvae(["memory", "rm", copy, "2"])).code).toBe(EXIT_CODES.usage);
  const path = join(copy, "memory.db");
  const bytes = await readFile(path);
  bytes[bytes.indexOf("It rained.")]! ^= 1;
  await writeFile(path, bytes);
  const damaged = await bigvae(["memory", "show", copy, "2"]);
  expect(damaged).toMatchObject({
    code: EXIT_CODES.format,
    stderr: expect.stringMatching(/record 2: expected what was written/),
  });
  expect((await bigvae(["memory", "verify", copy])).code).toBe(EXIT_CODES.format);
  const repaired = await bigvae(["memory", "repair", copy]);
  expect(repaired.stdout).toBe(`${copy}: 0 records kept, lost: 2\n`);
  expect((await bigvae(["memory", "verify", copy])).stdout).toBe(`${copy}: 0 records, all sound\n`);
  expect(await readdir(copy)).toContain("memory.db.damaged");
});

it.each<[string, keyof typeof EXIT_CODES, string]>([
  ["search MEMORY", "usage", "expected a text or a latent, --text, or both"],
  [
    "search MEMORY --text fox --exact",
    "usage",
    "--exact: expected a text or a latent to compare with, got words alone",
  ],
  ["search MEMORY --text fox --after soon", "usage", "Expected a time"],
  ["search ROOT/none --text fox", "usage", "expected a memory, got none"],
  ["rm MEMORY --yes", "usage", "expected ids, or a filter, got neither"],
  ["show MEMORY 99", "usage", "record 99: expected the id of a record"],
  ["import MEMORY ROOT", "format", "memory.json: expected a file, got none"],
  ["add MEMORY x --model pocket --adapters pocket", "mismatch", "expected latents of base"],
])("refuses %s", PATIENCE, async (words, kind, message) => {
  const given = words.replace("MEMORY", memory).replace("ROOT", root).split(" ");
  const { code, stderr } = await bigvae(["memory", ...given]);
  expect(stderr).toContain(message);
  expect(code).toBe(EXIT_CODES[kind]);
});

it.skipIf(!hasLance)("keeps a memory in LanceDB as in a folder, and drafts of it", PATIENCE, async () => {
  const place = `lance:${join(root, "database")}`;
  const missing = await bigvae(["memory", "search", place, "--text", "lamp"]);
  expect(missing.stderr).toMatch(/memory lance:.*: expected a memory, got none/);
  expect(await readdir(root)).not.toContain("database");
  await bigvae(["memory", "export", memory, join(root, "for-database")]);
  expect((await bigvae(["memory", "import", place, join(root, "for-database")])).stdout).toMatch(/records? added/);
  const add = await bigvae(["memory", "add", place, ...TINY, "The baker lost a key.", "--tag", "fable"]);
  expect(add.code).toBe(0);
  const near = await bigvae(["memory", "search", place, ...TINY, "--json", "The baker lost a key."]);
  expect(jsonLines<{ text: string }>(near)[0]!.text).toBe("The baker lost a key.");
  for (const verb of ["compact", "verify"]) expect((await bigvae(["memory", verb, place])).code).toBe(0);
  const repair = await bigvae(["memory", "repair", place]);
  expect([repair.code, repair.stderr]).toEqual([
    EXIT_CODES.usage,
    expect.stringMatching(/expected a folder, got a database; remove the records/),
  ]);
  const own = await openMemory(place);
  await setRecallLimits(own, { distance: 1e6, coverage: 0.9, texts: 3 });
  const before = await own.count();
  const draw = ["generate", ...TINY, "--prompt", "The fox", "--sampler", "avg", "--steps", "1", "--memory", place];
  const written = await bigvae([...draw, "--seed", "1"]);
  expect([written.code, written.stderr]).toEqual([0, expect.stringMatching(/0 of \d+ drafts/)]);
  expect(await own.count()).toBeGreaterThan(before);
  expect((await bigvae([...draw, "--seed", "2"])).stderr).toMatch(/(\d+) of \1 drafts/);
  await own.close();
});
