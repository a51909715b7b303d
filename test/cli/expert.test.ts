/** `bigvae expert`, and `generate --experts`, as a user types them. */
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EXIT_CODES } from "../../src/errors.js";
import { writeExperts } from "../expert/make.js";
import { bigvae, jsonLines, TINY } from "./run.js";

let root: string;
let experts: string[];
const PATIENCE = { timeout: 60_000 };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "bigvae-expert-cli-"));
  experts = ["--experts", await writeExperts(root, ["fables", "letters", "old"])];
});
afterAll(() => rm(root, { recursive: true }));

it("lists, shows and removes", PATIENCE, async () => {
  const listed = await bigvae(["expert", "list", ...experts]);
  expect(listed.stdout.split("\n")[0]).toMatch(/^fables +3 texts, 5 steps$/);
  const names = jsonLines<{ name: string }>(await bigvae(["expert", "list", ...experts, "--json"])).map(
    ({ name }) => name,
  );
  expect(names).toEqual(["fables", "letters", "old"]);
  const shown = await bigvae(["expert", "show", "letters", ...experts]);
  expect(shown.stdout).toMatch(
    /^letters: a router, trained 2026-11-28T.*\n {2}3 texts, 5 steps of 2 rows\n {2}1 keys, centres of 9/,
  );
  expect(jsonLines(await bigvae(["expert", "show", "letters", ...experts, "--json"]))).toEqual([
    expect.objectContaining({ name: "letters", role: "router", rows_per_step: 2, keys: 1, space: expect.any(Object) }),
  ]);
  const asked = await bigvae(["expert", "rm", "old", ...experts]);
  expect(asked.stderr).toMatch(/expected a terminal to ask at, or --yes, got neither; add --yes to remove old/);
  expect((await bigvae(["expert", "rm", "old", ...experts, "--yes"])).stdout).toMatch(/old: removed\n$/);
  const gone = await bigvae(["expert", "show", "old", ...experts]);
  expect(gone).toMatchObject({
    code: EXIT_CODES.usage,
    stderr: expect.stringMatching(/expected one of fables, letters, got "old"/),
  });
});

const RUN = ["generate", ...TINY, "--prompt", "The river ran.", "--steps", "2", "--span", "8", "--seed", "4"];

it("writes by experts, says which, and repeats the run from its trace", PATIENCE, async () => {
  const trace = join(root, "trace");
  const [first, second] = jsonLines<{ experts?: { name: string; weight: number }[] }>(
    await bigvae([...RUN, ...experts, "--experts-k", "2", "--json", "--trace", trace]),
  );
  for (const span of [first!, second!]) {
    expect(span.experts!.map(({ name }) => name).sort()).toEqual(["fables", "letters"]);
    expect(span.experts![0]!.weight + span.experts![1]!.weight).toBeCloseTo(1, 6);
  }
  const lines = (await readFile(join(trace, "trace.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const spans = lines.filter(({ kind }) => kind === "span");
  expect(spans.map(({ written }) => written.experts.length)).toEqual([2, 2]);
  const replayed = await bigvae(["generate", ...TINY, "--replay", trace]);
  expect(replayed).toMatchObject({ code: 0, stderr: expect.stringMatching(/\[span 2: as saved\]/) });
  // Another expert of the same name is not the one that wrote.
  const others = await writeExperts(join(root, "others"), ["fables", "letters", "old"], 0.3);
  const swapped = join(root, "swapped");
  await rename(experts[1]!, swapped);
  await rename(others, experts[1]!);
  const refused = await bigvae(["generate", ...TINY, "--replay", trace]);
  expect(refused).toMatchObject({
    code: EXIT_CODES.mismatch,
    stderr: expect.stringMatching(
      /expected expert (fables|letters) with sha256 \w{12}, got \w{12}; put the expert of the run/,
    ),
  });
  await rm(experts[1]!, { recursive: true });
  await rename(swapped, experts[1]!);
  const told = await bigvae([...RUN, ...experts]);
  expect(told.stderr).toMatch(/\[span 1: .*, by (fables|letters)\]/);
  const plain = await bigvae(RUN);
  expect(plain.stderr).not.toMatch(/, by /);
  expect(plain.stdout).not.toBe(told.stdout);
});

it("refuses what has no effect, and what is not there", PATIENCE, async () => {
  expect((await bigvae([...RUN, "--experts-k", "2"])).stderr).toMatch(
    /--experts-k: expected --experts beside it, got none/,
  );
  expect((await bigvae([...RUN, "--experts", join(root, "typo")])).stderr).toMatch(
    /expected a folder of experts, got no such/,
  );
  // Told before a model is looked for.
  const early = ["generate", "--model", join(root, "no-model"), "--prompt", "x"];
  expect((await bigvae([...early, "--experts", join(root, "typo")])).stderr).toMatch(/got no such/);
  expect((await bigvae([...early, "--memory", join(root, "no-memory")])).stderr).toMatch(/^bigvae: .*no-memory/);
  expect((await bigvae([...RUN, ...experts, "--experts-temperature", "0.2"])).stderr).toMatch(
    /--experts-temperature: expected --experts-k above 1 beside it, got 1/,
  );
  expect((await bigvae(["expert", "list"])).stderr).toMatch(/required option '--experts <folder>'/);
  const base = await bigvae(["generate", ...TINY, "--base", "--prompt", "The", ...experts]);
  expect(base.stderr).toMatch(/--experts: expected a sampler with latents, got --base/);
});

it("removes an expert that is damaged, and one that was never finished", PATIENCE, async () => {
  const own = await writeExperts(join(root, "spoilt"), ["bad", "good"]);
  await appendFile(join(own, "bad", "keys.npy"), "x");
  const listed = await bigvae(["expert", "list", "--experts", own]);
  expect(listed.stdout).toMatch(/^bad +.*keys\.npy: expected sha256 .*\ngood +3 texts, 5 steps\n$/);
  expect(listed).toMatchObject({
    code: EXIT_CODES.format,
    stderr: expect.stringMatching(
      /expected all of them as they were written, got 1 of 2 that cannot be read: bad; restore them from a copy, or remove them/,
    ),
  });
  await mkdir(join(own, "half", "run"), { recursive: true });
  expect((await bigvae(["expert", "list", "--experts", own])).stdout).toMatch(
    /^half +begun; --resume goes on with it\n$/m,
  );
  expect((await bigvae(["expert", "show", "half", "--experts", own])).stderr).toMatch(
    /got half, which was begun; resume its training/,
  );
  const remove = async (name: string) =>
    expect((await bigvae(["expert", "rm", name, "--experts", own, "--yes"])).stdout).toMatch(/: removed\n$/);
  for (const name of ["bad", "half"]) await remove(name);
  expect((await bigvae(["expert", "list", "--experts", own])).stdout).toMatch(/^good +3 texts/);
  await remove("good");
  expect(await bigvae(["expert", "list", "--experts", own])).toEqual({
    ...{ code: 0, stdout: "", stderr: `experts ${own}: none\n` },
  });
});

it("refuses an expert under another folder's name, and kinds of text that are no names", PATIENCE, async () => {
  const own = await writeExperts(join(root, "copied"), ["one"]);
  await cp(join(own, "one"), join(own, "two"), { recursive: true });
  expect((await bigvae(["expert", "show", "two", "--experts", own])).stderr).toMatch(
    /expected name two, as its folder says, got one/,
  );
  const kinds = join(root, "kinds.jsonl");
  await writeFile(kinds, JSON.stringify({ text: "A text.", kind: "../../out" }));
  const { code, stderr } = await bigvae([
    "eval",
    "--measure",
    "experts",
    "--data",
    kinds,
    "--experts",
    join(root, "x", "y"),
    ...TINY,
  ]);
  expect(code, stderr).toBe(EXIT_CODES.usage);
  expect(await readdir(root)).not.toContain("out.jsonl");
});
