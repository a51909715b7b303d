/** 10,000 changes each of a base that bitsandbytes packed and of a GGUF file, read as they are packed: typed errors alone, in bounded time and memory. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writeBase } from "../../src/train/run/baseFolder.js";
import { quantiseBase } from "../fixtures/bitsandbytes/build.js";
import { GgufBuilder, TINY_METADATA } from "../fixtures/gguf/build.js";
import { tinyBase, tinyTokenizer } from "../train/tiny.js";

/** BIGVAE_MUTATIONS=10000 is the long form. */
const COUNT = Number(process.env.BIGVAE_MUTATIONS ?? 1500);
/** Of the processor. */
const MAX_MS = 1000;
/** Beyond the file, whose size is a few kilobytes. */
const MAX_BYTES = 64e6;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-mutations-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A llama of one layer in blocks of Q4_0; norms in F32. */
function packedGguf(): Uint8Array {
  const matrices: Record<string, [width: number, rows: number]> = {
    "token_embd.weight": [32, 3],
    "blk.0.attn_q.weight": [32, 32],
    "blk.0.attn_k.weight": [32, 16],
    "blk.0.attn_v.weight": [32, 16],
    "blk.0.attn_output.weight": [32, 32],
    "blk.0.ffn_gate.weight": [32, 64],
    "blk.0.ffn_up.weight": [32, 64],
    "blk.0.ffn_down.weight": [64, 32],
  };
  const norms = ["output_norm.weight", "blk.0.attn_norm.weight", "blk.0.ffn_norm.weight"];
  const tensors = [
    // A scale of 2^-4 and the nibbles 7 and 8.
    ...Object.entries(matrices).map(([name, shape]) => {
      const blocks = (shape[0] * shape[1]) / 32;
      const block = [0, 0x2c, ...Array<number>(16).fill(0x87)];
      return { name, shape: [...shape], type: 2, bytes: Array(blocks).fill(block).flat() as number[] };
    }),
    ...norms.map((name) => {
      const bytes = [...new Uint8Array(new Float32Array(32).fill(1).buffer)];
      return { name, shape: [32], type: 0, bytes };
    }),
  ];
  const builder = new GgufBuilder().header(tensors.length, Object.keys(TINY_METADATA).length);
  for (const [key, value] of Object.entries(TINY_METADATA)) builder.entry(key, value);
  let at = 0;
  for (const { name, shape, type, bytes } of tensors) {
    builder.tensor(name, shape, type, at);
    at += Math.ceil(bytes.length / 32) * 32;
  }
  for (const { bytes } of tensors) builder.pad().data(bytes);
  return builder.pad().build();
}

const BASES: Record<string, () => Promise<string>> = {
  async nf4() {
    const [dense, base] = [join(folder, "dense"), join(folder, "nf4")];
    const tokenizer = tinyTokenizer();
    const { config, weights } = tinyBase(tokenizer.vocabSize);
    const kept = Object.entries(weights.tensors).filter(([name]) => !name.startsWith("model.layers.1."));
    await mkdir(dense);
    await writeBase(dense, { ...config, numHiddenLayers: 1 }, tokenizer, { tensors: Object.fromEntries(kept) });
    await quantiseBase(dense, base, { isNested: (name) => name.includes("mlp") });
    return base;
  },
  async int4() {
    const path = join(folder, "model.gguf");
    await writeFile(path, packedGguf());
    return path;
  },
};

it.each(Object.keys(BASES))(
  "%s",
  async (quant) => {
    const script = fileURLToPath(new URL("mutations.mjs", import.meta.url));
    const work = [script, await BASES[quant]!(), quant, `${COUNT}`];
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", ...work], { maxBuffer: 2 ** 26 });
    const { ends, faults, slowestMs, grownBytes } = JSON.parse(stdout) as {
      ends: Record<string, number>;
      faults: string[];
      slowestMs: number;
      grownBytes: number;
    };
    console.info(quant, ends, `${slowestMs.toFixed(0)} ms, ${(grownBytes / 1e6).toFixed(1)} MB`);
    expect(faults).toEqual([]);
    expect(Object.values(ends).reduce((sum, count) => sum + count, 0)).toBe(COUNT);
    // Each way to end is met, so that no check is passed over.
    for (const kind of ["read", "format", "mismatch", "unsupported", "nonFinite"])
      expect(ends[kind], kind).toBeGreaterThan(0);
    expect(slowestMs).toBeLessThan(MAX_MS);
    expect(grownBytes).toBeLessThan(MAX_BYTES);
  },
  600_000,
);
