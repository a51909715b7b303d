/** Latents travel: what one command writes to a file, the others take in place of texts. */
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bigvae, type Finished, jsonLines, TINY } from "./run.js";

const TEXTS = ["The river ran.", "A mill stood by the water.", "She sang."];
const PATIENCE = { timeout: 180_000 };

let folder: string;
const at = (name: string) => join(folder, name);
const json = async <T>(command: string, ...args: string[]) =>
  jsonLines<T>(good(await bigvae([command, ...TINY, "--json", ...args])));

function good(finished: Finished): Finished {
  expect(finished).toMatchObject({ code: 0, stderr: "" });
  return finished;
}

const between = (from: string, to: string) =>
  json<{ t: number; original?: string }>("interpolate", "--steps", "3", from, to);
/** What comes of the texts themselves. */
let rebuilt: string[];
let blended: { t: number; original?: string }[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-latents-"));
  const reconstructed = await json<{ reconstruction: string }>("reconstruct", "--no-confidence", ...TEXTS);
  rebuilt = reconstructed.map(({ reconstruction }) => reconstruction);
  blended = await between(TEXTS[0]!, TEXTS[2]!);
  expect(blended.map(({ original }) => original)).toEqual([TEXTS[0], undefined, TEXTS[2]]);
}, PATIENCE.timeout);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(["z.npy", "z.safetensors", "z.jsonl"])("latents in %s", (name) => {
  beforeAll(async () => {
    expect(await json("encode", "--output", at(name), ...TEXTS)).toEqual([{ output: at(name), latents: 3 }]);
  }, PATIENCE.timeout);

  it("decode to what the texts rebuild to", PATIENCE, async () => {
    const decoded = await json<object>("decode", at(name));
    expect(decoded).toMatchObject(rebuilt.map((text, i) => ({ text, latent: i + 1 })));
    expect(decoded).toHaveLength(3);
  });

  it("are the ends of an interpolation", PATIENCE, async () => {
    expect(await between(`@${at(name)}#1`, `@${at(name)}#3`)).toEqual(
      blended.map(({ original: _, ...blend }) => blend),
    );
  });

  it("are compared", PATIENCE, async () => {
    const found = await json<object>("similar", TEXTS[1]!, "--file", at(name), "--count", "2");
    const text = name === "z.jsonl" ? { text: TEXTS[1] } : {};
    expect(found[0]).toEqual({ ...text, latent: 2, similarity: expect.closeTo(1, 4) });
    expect(found).toHaveLength(2);
    const words = [`@${at(name)}#2`, "--file", at(name), "--count", "1"];
    const { stdout } = good(await bigvae(["similar", ...TINY, ...words]));
    expect(stdout).toBe(`1.000  ${text.text ?? `@${at(name)}#2`}\n`);
  });
});

it("a text and a latent are ends of one interpolation", PATIENCE, async () => {
  expect(await between(TEXTS[0]!, `@${at("z.npy")}#3`)).toEqual(
    blended.map(({ original, t, ...blend }) => (t === 0 ? { t, original, ...blend } : { t, ...blend })),
  );
});

it("what texts have in common is a part of a mix", PATIENCE, async () => {
  const [{ z }] = (await json<{ z: number[] }>("task-vector", ...TEXTS)) as [{ z: number[] }];
  const written = good(await bigvae(["task-vector", ...TINY, "--output", at("task.jsonl"), ...TEXTS]));
  expect(written.stdout).toBe(`${at("task.jsonl")}: 1 latent\n`);
  expect(JSON.parse(await readFile(at("task.jsonl"), "utf8"))).toEqual({ z, examples: 3 });
  const [mixed] = await json<object>("mix", `2:@${at("task.jsonl")}`, "--kind", "sum");
  expect(mixed).toMatchObject({
    z: z.map((value) => expect.closeTo(2 * value, 4)),
    parts: [{ weight: 2, file: at("task.jsonl"), longerThanSpan: false }],
  });
});

describe("latents guide what is written", () => {
  const written = async (...args: string[]) => (await json<{ text: string }>("generate", ...args)).at(-1)!.text;
  const guided = (prompt: string, ...args: string[]) =>
    written("--sampler", "guide", "--steps", "1", "--noise", "0", "--prompt", prompt, ...args);

  it("a latent in place of the prompt", PATIENCE, async () => {
    expect(await guided(`@${at("z.npy")}#2`)).toBe(await guided(TEXTS[1]!));
    expect(await guided(`@${at("z.npy")}#1`)).not.toBe(await guided(TEXTS[1]!));
  });

  it("a task vector in place of its examples", PATIENCE, async () => {
    await json("task-vector", "--output", at("task.npy"), ...TEXTS);
    await writeFile(at("task.json"), JSON.stringify(TEXTS));
    const kept = (task: string) =>
      written("--sampler", "task", "--steps", "1", "--noise", "0", "--prompt", TEXTS[0]!, "--task", task);
    expect(await kept(`@${at("task.npy")}`)).toBe(await kept(`@${at("task.json")}`));
    expect(await kept(`@${at("task.npy")}#1`)).toBe(await kept(`@${at("task.json")}`));
  });

  it("latents at both ends of a plan", PATIENCE, async () => {
    const planned = async (...ends: string[]) =>
      (await json<{ text: string }>("plan", "--sampler", "plan-2", "--steps", "1", ...ends)).at(-1)!.text;
    const latents = ["--start", `@${at("z.jsonl")}#1`, "--terminal", `@${at("z.jsonl")}#2`];
    expect(await planned(...latents)).toBe(await planned("--start", TEXTS[0]!, "--terminal", TEXTS[1]!));
  });
});

it.each([
  ["generate", ["--prompt", "@none.npy"], /--prompt none\.npy: expected a file of latents, got nothing there/],
  [
    "generate",
    ["--sampler", "task", "--prompt", "x", "--task", "@none.npy"],
    /--task none\.npy: expected a file of latents/,
  ],
  ["encode", ["x", "--output", "z.csv"], /z\.csv: expected a file of latents, \.npy, \.safetensors, \.jsonl/],
  ["task-vector", ["x", "--output", "none/z.npy"], /--output none: expected a folder to write into/],
  ["decode", ["README.md"], /README\.md: expected a file of latents/],
  ["decode", ["none.npy"], /decode none\.npy: expected a file of latents, got nothing there/],
  ["interpolate", ["x", "@none.npy"], /interpolate none\.npy: expected a file of latents, got nothing there/],
  ["mix", ["1:@home"], /"@home": expected "@FILE" or "@FILE#NUMBER" .*, write "@@"$/m],
  ["interpolate", ["x", " "], /text 2: expected some text/],
])("%s %j is refused", PATIENCE, async (command, args, message) => {
  const before = await readdir(".");
  const finished = await bigvae([command, ...TINY, ...args]);
  expect(finished.stderr).toMatch(message);
  expect(finished.stderr).toMatch(/^bigvae: [^\n]+\n$/);
  expect(finished).toMatchObject({ code: 2, stdout: "" });
  expect(await readdir(".")).toEqual(before);
});

it("options of texts are refused for latents", PATIENCE, async () => {
  const finished = await bigvae(["similar", ...TINY, "x", "--file", at("z.npy"), "--whole"]);
  expect(finished).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/got latents in .*z\.npy; leave out --whole/),
  });
});
