import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSafetensors, type StoredTensor, writeSafetensors } from "../formats/index.js";
import { type NamedLatent, parseLatentLines, readLatents, writeLatents } from "./latentFiles.js";

const latents: NamedLatent[] = [
  { z: Float32Array.of(0.1, -2, 3), text: 'The fox said "no".' },
  { z: Float32Array.of(1e-20, 7, -0.5), text: "Two\nlines" },
];
let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-latents-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("latents come back to the bit", () => {
  it("from .jsonl, with their texts", async () => {
    await writeLatents(at("z.jsonl"), latents);
    expect(await readLatents(at("z.jsonl"), 3)).toEqual(latents);
  });

  it.each(["z.npy", "z.safetensors", "Z.NPY"])("from %s", async (name) => {
    await writeLatents(at(name), latents);
    expect(await readLatents(at(name), 3)).toEqual(latents.map(({ z }) => ({ z })));
  });

  it("as a tensor z [N, W]", async () => {
    await writeLatents(at("table.safetensors"), latents);
    const file = await openSafetensors(at("table.safetensors"));
    expect(file.info("z")).toMatchObject({ dtype: "F32", shape: [2, 3] });
    await file.close();
  });
});

describe("the number of examples of a task vector", () => {
  const counted: NamedLatent[] = [{ z: Float32Array.of(1, 2, 3), examples: 12 }];

  it.each(["task.jsonl", "task.safetensors"])("is kept in %s", async (name) => {
    await writeLatents(at(name), counted);
    expect(await readLatents(at(name), 3)).toEqual(counted);
  });

  it("is lost in .npy, and 1 for other latents beside it", async () => {
    await writeLatents(at("task.npy"), counted);
    expect(await readLatents(at("task.npy"), 3)).toEqual([{ z: counted[0]!.z }]);
    await writeLatents(at("both.safetensors"), [...counted, { z: Float32Array.of(0, 0, 1) }]);
    expect((await readLatents(at("both.safetensors"), 3)).map(({ examples }) => examples)).toEqual([12, 1]);
  });

  it("is refused where it is none", async () => {
    const z: StoredTensor = { dtype: "F32", shape: [1, 1], data: Float32Array.of(1) };
    const tensors = (examples: StoredTensor) =>
      new Map([
        ["z", z],
        ["examples", examples],
      ]);
    const refused = (message: RegExp) => ({ kind: "format", message: expect.stringMatching(message) });
    await writeSafetensors(at("none.safetensors"), tensors({ dtype: "I32", shape: [1], data: Int32Array.of(0) }));
    await expect(readLatents(at("none.safetensors"), 1)).rejects.toMatchObject(refused(/examples, at least 1, got 0/));
    await writeSafetensors(at("float.safetensors"), tensors({ dtype: "F32", shape: [1], data: Float32Array.of(2) }));
    await expect(readLatents(at("float.safetensors"), 1)).rejects.toMatchObject(refused(/I32 \[1\], got F32 \[1\]/));
    expect(() => parseLatentLines('{"z": [1], "examples": 1.5}', 1, "input")).toThrow(/examples, at least 1, got 1.5/);
  });
});

it("reads what encode prints, where a latent is called mean", () => {
  const line = JSON.stringify({ text: "A", mean: [1, 2], poolWeights: [1] });
  expect(parseLatentLines(`${line}\n\n`, 2, "input")).toEqual([{ text: "A", z: Float32Array.of(1, 2) }]);
});

it.each([
  ["", "usage", "input: expected at least one latent, got none"],
  ['{"z": [1, 1e39]}', "nonFinite", "input, latent 1: expected finite values, got Infinity at 1"],
])("refuses lines %j", (lines, kind, message) => {
  expect(() => parseLatentLines(lines, 2, "input")).toThrow(
    expect.objectContaining({ kind, message: expect.stringContaining(message) }),
  );
});

describe("is refused", () => {
  it.each([
    ["latents of another width", "w.npy", latents, 4, "mismatch", /expected latents of 4 values, got 3/],
    ["NaN", "nan.npy", [{ z: Float32Array.of(1, Number.NaN, 0) }], 3, "nonFinite", /latent 1: expected finite values/],
    ["no latent", "none.jsonl", [], 3, "usage", /expected at least one latent, got none/],
  ])("%s", async (_, name, written, width, kind, message) => {
    await writeLatents(at(name), written);
    await expect(readLatents(at(name), width)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it.each([
    ["z.csv", "usage", /expected a file of latents, \.npy, \.safetensors, \.jsonl, got another ending/],
    ["absent.npy", "format", /absent\.npy/],
  ])("%s", async (name, kind, message) => {
    await expect(readLatents(at(name), 3)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it.each([
    ['{"z": "1, 2"}', /line 1: expected \{"z": \[numbers\]/],
    ["[1, 2]", /line 1: expected \{"z": \[numbers\]/],
    ['{"z": [1, 2]', /line 1/],
  ])("the line %s", async (line, message) => {
    await writeFile(at("bad.jsonl"), line);
    await expect(readLatents(at("bad.jsonl"), 2)).rejects.toMatchObject({
      kind: "format",
      message: expect.stringMatching(message),
    });
  });
});
