/** A real base: SmolLM2-135M-Instruct from its GGUF file continues texts as llama.cpp does (scripts/smollm2). */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { baseSha256 } from "../../src/checkpoint/hashes.js";
import type { BigVae } from "../../src/index.js";
import { Rng } from "../../src/rng.js";
import { importBuilt } from "../host/built.js";
import { readJson } from "./reference.js";

interface Case {
  prompt: string;
  ids: number[];
  /** The likeliest token at each step, and the natural logarithm of its probability. */
  continuation: number[];
  logProbabilities: number[];
}

const fixture = fileURLToPath(new URL("../fixtures/smollm2/greedy.json", import.meta.url));
const { sha256, cases } = (await readJson(fixture)) as { sha256: string; cases: Case[] };

/** Two orders of summation may swap tokens whose log probabilities lie closer than this. */
const NEAR_TIE = 0.01;
const TOLERANCE = 1e-4;
/** Minutes at worst, where the machine has other work. */
const timeout = 900_000;
const path = process.env.BIGVAE_SMOLLM2;

describe.skipIf(!path)("SmolLM2-135M-Instruct (skipped unless BIGVAE_SMOLLM2 names its Q4_1 GGUF file)", () => {
  let vae: BigVae;

  beforeAll(async () => {
    expect(await baseSha256(path!), "the file that the values were computed from").toBe(sha256);
    const { BigVae } = await importBuilt();
    vae = await BigVae.load(path!, { threads: 1 });
  }, timeout);
  afterAll(() => vae?.close());

  it("tokenizes the prompts", () => {
    for (const { prompt, ids } of cases) expect(vae.tokenizer.encode(prompt), prompt).toEqual(ids);
  });

  it("continues every prompt with llama.cpp's tokens, but for near ties", { timeout }, async () => {
    const nearTies: string[] = [];
    for (const { prompt, ids, continuation } of cases) {
      const written = await continueGreedily(ids, continuation.length);
      const step = written.findIndex((id, t) => id !== continuation[t]);
      if (step < 0) continue;
      // Both tokens follow the same text: their probabilities are the last of two targets.
      const targets = [written, continuation].map((row) => ({ target: row.slice(0, step + 1) }));
      const [ours, theirs] = await vae.engine.score(targets, "base", ids);
      const gap = ours!.logProbabilities[step]! - theirs!.logProbabilities[step]!;
      expect(gap, `${JSON.stringify(prompt)}: another token at step ${step}`).toBeLessThan(NEAR_TIE);
      nearTies.push(`${JSON.stringify(prompt)} at step ${step}, ${gap.toExponential(1)} apart`);
    }
    console.log(
      `${cases.length - nearTies.length} of ${cases.length} equal; near ties: ${nearTies.join("; ") || "none"}`,
    );
  });

  it("gives llama.cpp's tokens its probabilities", { timeout }, async () => {
    let worst = 0;
    for (const { ids, continuation, logProbabilities } of cases) {
      const [score] = await vae.engine.score([{ target: continuation }], "base", ids);
      for (const [t, value] of score!.logProbabilities.entries())
        worst = Math.max(worst, Math.abs(value - logProbabilities[t]!));
    }
    console.log(`largest difference of a log probability: ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(TOLERANCE);
  });

  async function continueGreedily(context: number[], nTokens: number): Promise<number[]> {
    const row = { rngKey: Rng.fromSeed(0).key };
    const [written] = await vae.engine.write([row], { writer: "base", context, nTokens, tau: 0 });
    return written!;
  }
});
