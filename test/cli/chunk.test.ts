/** Texts of any length: cut into pieces of at most a span, each with its latent, and put together again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { loadTiny } from "../host/built.js";
import { bigvae, jsonLines, TINY } from "./run.js";

const PATIENCE = { timeout: 180_000 };
const SENTENCE = "The river ran past the mill.";
const LONG = Array(9).fill(SENTENCE).join(" ");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-chunk-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Encoded {
  text: string;
  ids: number[];
  mean: number[];
  line: number;
  piece: number;
}
const encoded = async (input: string) =>
  jsonLines<Encoded>(await bigvae(["encode", ...TINY, "--json", "--chunk"], input));

it("encode gives a latent for each piece, as the library does", PATIENCE, async () => {
  const pieces = await encoded(`${LONG}\nA mill\n`);
  const ofFirst = pieces.filter(({ line }) => line === 1);
  expect(ofFirst.length).toBeGreaterThan(1);
  expect(ofFirst.map(({ text }) => text).join(" ")).toBe(LONG);
  expect(pieces.map(({ piece, line }) => [line, piece])).toEqual([...ofFirst.map((_, i) => [1, i + 1]), [2, 1]]);
  for (const { ids } of pieces) expect(ids.length).toBeLessThanOrEqual(64);
  const vae = await loadTiny();
  const spans = await vae.encodeSpans(LONG);
  expect(spans.map(({ text }) => text)).toEqual(ofFirst.map(({ text }) => text));
  expect(spans.map(({ longerThanSpan }) => longerThanSpan)).toEqual(spans.map(() => false));
  await vae.close();
});

it("reconstruct puts together what its pieces rebuild to", PATIENCE, async () => {
  const path = join(folder, "z.npy");
  expect(await bigvae(["encode", ...TINY, "--chunk", "--quiet", "--output", path, LONG])).toMatchObject({ code: 0 });
  const decoded = jsonLines<{ text: string }>(await bigvae(["decode", ...TINY, "--json", path]));
  const lines = jsonLines(await bigvae(["reconstruct", ...TINY, "--json", "--chunk"], `${LONG}\n${SENTENCE}\n`));
  expect(lines).toMatchObject([
    { text: LONG, reconstruction: decoded.map(({ text }) => text.trim()).join(" "), longerThanSpan: false, line: 1 },
    { text: SENTENCE, line: 2 },
  ]);
});

it("what is beyond the window is no dead end: the advice works when it is followed", PATIENCE, async () => {
  const beyond = `${LONG} `.repeat(60);
  for (const command of ["encode", "reconstruct"]) {
    const { stderr, code } = await bigvae([command, ...TINY], beyond);
    expect(stderr).toMatch(
      /^bigvae: standard input, line 1: .* the model's window, .* cut it into spans with --chunk\n$/,
    );
    expect(code).toBe(2);
  }
  expect((await encoded(beyond)).length).toBeGreaterThan(60);
});

it("tokens are not cut", PATIENCE, async () => {
  const { stderr, code } = await bigvae(["encode", ...TINY, "--ids", "--chunk"], '{"ids": [5]}\n');
  expect(stderr).toBe("bigvae: --chunk: expected texts to read, got --ids, lines of tokens; leave out --chunk\n");
  expect(code).toBe(2);
});
