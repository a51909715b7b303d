import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeLatents } from "../host/latentFiles.js";
import { readLatent } from "../host/latentPlaces.js";
import { checkInputs, checkOutput, holdsLatents, parseLatentInput } from "./latentInput.js";

let folder: string;
const at = (name: string) => join(folder, name);
const refused = (kind: string, message: RegExp) => ({ kind, message: expect.stringMatching(message) });

const LATENTS = [1, 2, 3].map((value) => ({ z: Float32Array.of(value, -value) }));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-latent-input-"));
  await writeLatents(at("three.npy"), LATENTS);
  await writeLatents(at("one.npy"), LATENTS.slice(2));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("what is given", () => {
  it.each([
    ["The fox ran.", { text: "The fox ran." }],
    ["mail me @home", { text: "mail me @home" }],
    ["@@z.npy", { text: "@z.npy" }],
    ["@z.npy", { file: "z.npy" }],
    ["@some folder/Z.JSONL#12", { file: "some folder/Z.JSONL", latent: 12 }],
    ["@a#3.safetensors", { file: "a#3.safetensors" }],
    ["@a#3.safetensors#4", { file: "a#3.safetensors", latent: 4 }],
  ])("%s", (given, input) => {
    expect(parseLatentInput(given)).toEqual(input);
  });

  it.each(["@", "@home, at last", "@z.csv", "@z.npy#", "@z.npy#-1", "@z.npy#x"])("%s is neither", (given) => {
    expect(() => parseLatentInput(given)).toThrow(
      expect.objectContaining(refused("usage", /^"@.*": expected "@FILE" or "@FILE#NUMBER" .*write "@@"$/)),
    );
  });
});

it.each(["z.npy", "runs/Z.SAFETENSORS"])("%s alone is the name of a file, and no text", (given) => {
  expect(() => parseLatentInput(given)).toThrow(
    expect.objectContaining(refused("usage", /expected a text, or a file behind @, got the name of a file; write "@/)),
  );
  expect(parseLatentInput(`see ${given}`)).toEqual({ text: `see ${given}` });
});

describe("a latent of a file", () => {
  it("is the only one, or the one of the number", async () => {
    expect((await readLatent({ file: at("one.npy") }, 2)).z).toEqual(LATENTS[2]!.z);
    expect((await readLatent({ file: at("three.npy"), latent: 2 }, 2)).z).toEqual(LATENTS[1]!.z);
  });

  it.each([
    [{}, 2, "usage", /^@.*three\.npy: expected the number of one of its 3 latents, got none; .*three\.npy#1"$/],
    [{ latent: 0 }, 2, "usage", /^@.*three\.npy#0: expected a number from 1 to 3, got 0; .*three\.npy#3"$/],
    [{ latent: 4 }, 2, "usage", /^@.*three\.npy#4: expected a number from 1 to 3, got 4; .*three\.npy#3"$/],
    [{ latent: 1 }, 4, "mismatch", /expected latents of 4 values, got 2/],
  ])("%j of width %i is refused", async (place, width, kind, message) => {
    const latent = readLatent({ file: at("three.npy"), ...place }, width);
    await expect(latent).rejects.toMatchObject(refused(kind, message));
  });

  it("that is not there is refused before a model is loaded", async () => {
    const inputs = [{ text: "A" }, { file: at("none.npy") }];
    await expect(checkInputs("mix", inputs)).rejects.toMatchObject(
      refused("usage", /^mix .*none\.npy: expected a file of latents, got nothing there/),
    );
  });
});

describe("--output", () => {
  it.each([
    ["z.csv", /z\.csv: expected a file of latents, \.npy, \.safetensors, \.jsonl, got another ending/],
    ["none/z.npy", /^--output .*none: expected a folder to write into, got nothing there; make it first$/],
  ])("%s is refused before a model is loaded", async (name, message) => {
    await expect(checkOutput(at(name))).rejects.toMatchObject(refused("usage", message));
  });
});

it.each([
  ["a.npy", "", true],
  ["a.txt", '{"z": [1]}', false],
  ["latents.jsonl", '\n{"text": "A", "z": [1]}\n', true],
  ["encoded.jsonl", '{"text": "A", "mean": [1]}\n', true],
  ["texts.jsonl", '{"text": "A"}\n{"text": "A", "z": [1]}\n', false],
  ["empty.jsonl", "", false],
])("whether %s holds latents", async (name, content, holds) => {
  await writeFile(at(name), content);
  expect(await holdsLatents("--file", at(name))).toBe(holds);
});
