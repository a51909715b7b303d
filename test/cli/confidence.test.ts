/** Doubt is shown: what the pocket keeps has a high confidence, and what it does not know is named as such. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bigvae, jsonLines } from "./run.js";

const PATIENCE = { timeout: 180_000 };
const KNOWN = ["My brother fixed the old radio.", "We drank tea and talked about the war."];
const UNKNOWN = [
  "SELECT * FROM users WHERE id = 3;",
  "今天天气很好，我们去公园散步。",
  "for (let i = 0; i < 10; i++) { console.log(i); }",
];
const DOUBT =
  /^ {2}outside what this model knows: confidence 0\.\d\d, usually 0\.9\d; base loss \d+\.\d nats per token, usually \d\.\d$/;
const pocket = fileURLToPath(new URL("../../pocket", import.meta.url));

interface Line {
  text: string;
  confidence?: number;
  baseLoss?: number;
  isKnown?: boolean;
}

describe.each(["encode", "reconstruct"])("%s", (command) => {
  it("gives a high confidence to plain sentences, and a low one to code and another language", PATIENCE, async () => {
    const finished = await bigvae([command, "--json", ...KNOWN, ...UNKNOWN]);
    const lines = jsonLines<Line>(finished);
    expect(lines.map(({ isKnown }) => isKnown)).toEqual([true, true, false, false, false]);
    for (const { confidence } of lines.slice(0, 2)) expect(confidence).toBeGreaterThan(0.9);
    for (const { confidence, baseLoss } of lines.slice(2)) {
      expect(confidence).toBeLessThan(0.4);
      expect(baseLoss).toBeGreaterThan(6);
    }
    const doubts = finished.stderr.trimEnd().split("\n");
    expect(doubts).toHaveLength(3);
    for (const doubt of doubts) expect(doubt).toMatch(DOUBT);
  });

  it("skips it with --no-confidence", PATIENCE, async () => {
    const finished = await bigvae([command, "--json", "--no-confidence", UNKNOWN[0]!]);
    expect(finished).toMatchObject({ code: 0, stderr: "" });
    expect(jsonLines<Line>(finished)[0]).not.toHaveProperty("confidence");
  });
});

it("a text that is cut has the confidence of its least known piece", PATIENCE, async () => {
  const long = `${KNOWN.join(" ").repeat(8)} ${UNKNOWN[0]!.repeat(8)}`;
  const [pieces, [whole]] = await Promise.all([
    bigvae(["encode", "--json", "--chunk", long]).then((finished) => jsonLines<Line>(finished)),
    bigvae(["reconstruct", "--json", "--chunk", long]).then((finished) => jsonLines<Line>(finished)),
  ]);
  expect(pieces.length).toBeGreaterThan(2);
  expect(whole!.confidence).toBeCloseTo(Math.min(...pieces.map(({ confidence }) => confidence!)), 5);
  expect(whole!.isKnown).toBe(false);
});

describe("adapters that do not fit their base", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bigvae-doubt-"));
    await cp(pocket, folder, { recursive: true });
    // The encoder in the decoder's place writes rubbish.
    await cp(join(folder, "encoder"), join(folder, "decoder"), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true }));
  const forget = async () => {
    const {
      decoder_loss: _,
      base_loss: __,
      ...facts
    } = JSON.parse(await readFile(join(folder, "bigvae.json"), "utf8"));
    await writeFile(join(folder, "bigvae.json"), JSON.stringify(facts));
  };

  it("are told by doctor, with and without the usual losses", PATIENCE, async () => {
    for (const change of [async () => undefined, forget]) {
      await change();
      const finished = await bigvae(["doctor", "--json", "--model", folder]);
      expect(finished.code).toBe(10);
      const checks = jsonLines<{ name: string; ok: boolean; hint?: string }>(finished);
      expect(checks.find(({ name }) => name === "latents")).toMatchObject({
        ok: false,
        hint: expect.stringContaining("may belong to another base"),
      });
    }
  });

  it("are named once beside what they rebuild", PATIENCE, async () => {
    const { stderr } = await bigvae(["reconstruct", "--model", folder, ...KNOWN]);
    expect(stderr).toMatch(/^bigvae: a latent says no more .* these adapters may belong to another base\n$/);
  });

  it("the pocket's own are sound", PATIENCE, async () => {
    const checks = jsonLines<{ name: string; ok: boolean }>(await bigvae(["doctor", "--json"]));
    expect(checks.find(({ name }) => name === "latents")).toMatchObject({ ok: true });
  });
});
