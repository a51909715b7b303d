/** A run is saved with the origin of every latent, and written again to the same tokens. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { openSafetensors } from "../../src/formats/index.js";
import { hashModel, openTokenizer } from "../../src/host/modelFiles.js";
import { replay, writeTrace } from "../../src/host/trace.js";
import { Rng } from "../../src/rng.js";
import { AVG_PRESETS, avg } from "../../src/sampling/avg.js";
import type { LatentModel } from "../../src/sampling/model.js";
import type { SpelledSpan } from "../../src/sampling/runText.js";
import { bigvae, jsonLines, TINY } from "../cli/run.js";
import { loadTinyAdapters, loadTinyBase, runtime, tinyFolder } from "../parity/reference.js";
import { finish } from "../sampling/fakeModel.js";

let folder: string;
let model: Parameters<typeof replay>[1];
let spans: SpelledSpan[];

beforeAll(async () => {
  const base = await loadTinyBase();
  const engine = new Engine({ runtime, base, vae: await loadTinyAdapters(base.config) });
  const tokenizer = await openTokenizer(`${tinyFolder}/base`);
  const latentModel: LatentModel = {
    tokenizer,
    encode: (texts) => engine.encode(texts.map((ids) => ({ ids }))),
    write: (rows, context, options) => engine.write(rows, { ...options, writer: "router", context }),
    score: async () => [],
  };
  const hashes = () => hashModel({ base: `${tinyFolder}/base`, adapters: `${tinyFolder}/adapters` });
  model = { tokenizer, facts: { width: 48 }, hashes, latentModel };
  const options = { rng: Rng.fromSeed(5), nSteps: 2, nAvg: 2, tau: 0.9, noise: 1, span: 8, cfgScale: 1 };
  const run = await finish(avg(latentModel, tokenizer.encode("The river ran."), [], options, AVG_PRESETS.card));
  spans = run.spans.map((span, i) => ({ ...span, text: `text ${i}` }));
  return () => engine.close();
});
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "bigvae-trace-")), "run");
  await writeTrace(folder, spans, model);
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

const lines = async () =>
  (await readFile(join(folder, "trace.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, never>);

async function replayed(): Promise<(readonly number[])[]> {
  const written = [];
  for await (const span of replay(folder, model)) written.push(span.written);
  return written;
}

describe("a trace", () => {
  it("is written again to the same tokens", async () => {
    expect(await replayed()).toEqual(spans.map(({ ids }) => ids));
  });

  it("holds hashes, roles, parents before children, weights, drafts, and every z", async () => {
    const [header, ...rest] = await lines();
    expect(header).toMatchObject({ kind: "model", zDim: 48, base: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(header!.adapters).toMatch(/^[0-9a-f]{64}$/);
    const latents = rest.filter(({ kind }) => kind === "latent") as unknown as {
      index: number;
      role: string;
      parents: { index: number; weight: number }[];
    }[];
    expect(new Set(latents.map(({ role }) => role))).toEqual(new Set(["prompt", "span", "draft", "mix"]));
    expect(latents.map(({ index }) => index)).toEqual(latents.map((_, i) => i));
    for (const { index, parents } of latents) for (const parent of parents) expect(parent.index).toBeLessThan(index);
    const written = rest.filter(({ kind }) => kind === "span") as unknown as { latent: number; drafts: unknown[] }[];
    expect(written.map(({ drafts }) => drafts.length)).toEqual([2, 2]);
    const file = await openSafetensors(join(folder, "latents.safetensors"));
    const zs = await file.readFloat32("z");
    await file.close();
    const z = (row: number) => zs.slice(row * 48, (row + 1) * 48);
    for (const [i, { latent }] of written.entries()) expect(z(latent)).toEqual(spans[i]!.latent.z);
    for (const { index, role, parents } of latents.filter(({ role }) => role === "mix")) {
      expect(role).toBe("mix");
      const sum = Array.from(z(index), (_, d) => parents.reduce((all, p) => all + p.weight * z(p.index)[d]!, 0));
      for (const [d, value] of sum.entries()) expect(z(index)[d]).toBeCloseTo(value, 4);
    }
  });
});

describe("a replay says what differs", () => {
  const change = async (kind: string, edit: (line: Record<string, unknown>) => void) => {
    const all = await lines();
    edit(all.find((line) => line.kind === (kind as never))!);
    await writeFile(join(folder, "trace.jsonl"), all.map((line) => `${JSON.stringify(line)}\n`).join(""));
  };

  it("another base", async () => {
    await change("model", (line) => Object.assign(line, { base: "0".repeat(64) }));
    await expect(replayed()).rejects.toMatchObject({
      kind: "mismatch",
      message: expect.stringMatching(/expected base with sha256 000000000000/),
    });
  });

  it("other adapters", async () => {
    await change("model", (line) => void delete line.adapters);
    await expect(replayed()).rejects.toMatchObject({
      kind: "mismatch",
      message: expect.stringMatching(/expected no adapters, got [0-9a-f]{12}; /),
    });
  });

  it("another token", async () => {
    await change("span", ({ ids }) => void (ids as number[]).splice(3, 1, 7));
    await expect(replayed()).rejects.toMatchObject({
      kind: "mismatch",
      message: expect.stringMatching(/span 1 as saved, got another token at 3/),
    });
  });

  it("a damaged line, another table of latents, no trace", async () => {
    await change("span", (line) => void delete line.written);
    await expect(replayed()).rejects.toMatchObject({ kind: "format", message: expect.stringMatching(/whole spans/) });
    await writeFile(join(folder, "trace.jsonl"), "{");
    await expect(replayed()).rejects.toMatchObject({
      kind: "format",
      message: expect.stringMatching(/trace\.jsonl, line 1, character 1: expected a string, got the end of the text/),
    });
    await rm(join(folder, "trace.jsonl"));
    await expect(replayed()).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringMatching(/that a trace was saved in$/),
    });
  });
});

describe("generate --trace and --replay", () => {
  it("give the same text, span by span and streamed, as the trace holds", { timeout: 180_000 }, async () => {
    const saved = join(folder, "cli");
    const args = ["--json", "--sampler", "guide", "--prompt", "The mill", "--span", "8", "--steps", "2", "--seed", "3"];
    const first = await bigvae(["generate", ...TINY, ...args, "--trace", saved]);
    const written = jsonLines<{ span: number; text: string; ids: number[] }>(first).slice(0, -1);
    const again = await bigvae(["generate", ...TINY, "--json", "--replay", saved]);
    expect(again.stderr).toBe("");
    expect(jsonLines(again)).toEqual(written.map(({ span, text, ids }) => ({ span, text, ids })));
    const traced = (await readFile(join(saved, "trace.jsonl"), "utf8"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const texts = traced.filter(({ kind }) => kind === "span").map(({ text }) => text);
    expect(texts).toEqual(written.map(({ text }) => text));
    const streamed = await bigvae(["generate", ...TINY, ...args.filter((word) => word !== "--json")]);
    expect(streamed.stdout).toBe(`${texts.join("")}\n`);
    const before = await readFile(join(saved, "trace.jsonl"), "utf8");
    const over = await bigvae(["generate", ...TINY, ...args, "--seed", "4", "--trace", saved]);
    expect(over).toMatchObject({ code: 2, stdout: "" });
    expect(over.stderr).toContain(`${saved}: expected a folder without a trace, got trace.jsonl; name another folder`);
    expect(await readFile(join(saved, "trace.jsonl"), "utf8")).toBe(before);
  });
});
