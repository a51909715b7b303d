/** The same seed gives the same text, and the same text the same latent, whatever else is computed beside it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { sampleToken } from "../../src/latent/index.js";
import { Rng } from "../../src/rng.js";
import { onnxNodeRuntime } from "../../src/runtime/onnxNode.js";
import { loadTinyAdapters, loadTinyBase, maxDifference, runtime } from "../parity/reference.js";
import { rowLogits } from "../parity/rowLogits.js";

const TOLERANCE = 1e-5;
/** A choice nearer than this to another token may fall either way: in logits where it is greedy, else in probability. */
const NEAR_TIE = 1e-4;
const rng = Rng.fromSeed("same text");
const ids = (length: number, seed: number) => {
  const stream = rng.fork("ids", seed);
  return Array.from({ length }, () => 5 + stream.integer(500));
};
const rows = Array.from({ length: 12 }, (_, i) => ({ z: rng.fork("z", i).normals(48), rngKey: rng.fork(i).key }));
const how = { writer: "router", context: ids(37, 99), nTokens: 40, tau: 0.9 } as const;

let base: Awaited<ReturnType<typeof loadTinyBase>>;
let vae: Awaited<ReturnType<typeof loadTinyAdapters>>;
let engine: Engine;
beforeAll(async () => {
  base = await loadTinyBase();
  vae = await loadTinyAdapters(base.config);
  engine = new Engine({ runtime, base, vae });
});
afterAll(() => engine.close());

/**
 * How far a choice was from another token. tau 0: the top logit less the second. Else: from the draw to the nearer end of its token's part of the
 * cumulative distribution; logits that are off by e move an end by at most e / (2 tau).
 */
function distanceToBorder(logits: Float32Array, tau: number, uniform: number): number {
  const descending = Float32Array.from(logits).sort().reverse();
  if (tau === 0) return descending[0]! - descending[1]!;
  const weights = Array.from(logits, (logit) => Math.exp((logit - descending[0]!) / tau));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  let [end, nearest] = [0, Number.POSITIVE_INFINITY];
  // The last token ends at 1, beyond which nothing is drawn.
  for (const weight of weights.slice(0, -1)) nearest = Math.min(nearest, Math.abs(uniform - (end += weight / sum)));
  return nearest;
}

/** The text of each row. */
const write = (which: readonly number[], options: { tau?: number; stopId?: number } = {}) =>
  engine.write(
    which.map((i) => rows[i]!),
    { ...how, ...options },
  );

/** What each token of a row's text is drawn from: logits and a uniform number. */
async function draws(row: number, ids: readonly number[]) {
  const stream = Rng.fromKey(rows[row]!.rngKey);
  const logits = await rowLogits(base, vae, { z: rows[row]!.z, context: how.context, ids });
  return logits.map((values) => ({ logits: values, uniform: stream.uniform() }));
}

describe("a choice", () => {
  it.each([0, 0.9])(
    "at temperature %d falls otherwise only within a near tie, where logits are off by half of that",
    (tau) => {
      let [changed, near] = [0, 0];
      for (let n = 0; n < 4000; n++) {
        const stream = rng.fork("choice", n);
        const logits = stream.normals(8);
        // Every second one lies at a border: two logits are equal, or the draw is half of two.
        if (n % 2 === 0) logits.set([5, 5 + 1e-5 * stream.normal()]);
        const off = logits.map((logit) => logit + NEAR_TIE * (stream.uniform() - 0.5));
        const uniform = n % 2 === 0 && tau > 0 ? borderOf(logits, tau) + 1e-5 * stream.normal() : stream.uniform();
        const draw = { uniform: () => uniform } as Rng;
        const distance = distanceToBorder(logits, tau, uniform);
        if (distance < NEAR_TIE) near++;
        if (sampleToken(off, tau, draw) === sampleToken(logits, tau, draw)) continue;
        changed++;
        expect(distance).toBeLessThan(NEAR_TIE);
      }
      expect(changed).toBeGreaterThan(300);
      expect(near).toBeLessThan(2100);
    },
  );
});

/** Where the part of the first token ends. */
function borderOf(logits: Float32Array, tau: number): number {
  const weights = Array.from(logits, (logit) => Math.exp(logit / tau));
  return weights[0]! / weights.reduce((sum, weight) => sum + weight, 0);
}

describe("writing", () => {
  it.each([0, 0.9])("at temperature %d a row does not depend on its neighbours, but for near ties", async (tau) => {
    const together = await write(Array.from(rows.keys()), { tau });
    const nearTies: string[] = [];
    for (const batch of [[0], [7, 3], [11, 10, 9, 8, 7]]) {
      for (const [k, ids] of (await write(batch, { tau })).entries()) {
        const other = together[batch[k]!]!;
        const step = ids.findIndex((id, t) => id !== other[t]);
        if (step < 0) continue;
        // The texts were one until here, so that both chose from the same logits but for rounding.
        const { logits, uniform } = (await draws(batch[k]!, other))[step]!;
        const distance = distanceToBorder(logits, tau, uniform);
        const what = `row ${batch[k]} in a batch of ${batch.length} at step ${step}`;
        expect(distance, `${what}: another token, and no near tie`).toBeLessThan(NEAR_TIE);
        nearTies.push(`${what}, ${distance.toExponential(1)} from the border`);
      }
    }
    if (nearTies.length > 0) console.warn(`near ties that fell the other way: ${nearTies.join("; ")}`);
  });

  it("draws with the row's random numbers, one number a token", async () => {
    const [own] = await write([4]);
    const drawn = (await draws(4, own!)).map(({ logits, uniform }) =>
      sampleToken(logits, how.tau, { uniform: () => uniform } as Rng),
    );
    expect(drawn).toEqual(own);
    const [other] = await engine.write([{ ...rows[4]!, rngKey: rows[5]!.rngKey }], how);
    expect(other).not.toEqual(own);
  });

  it("is greedy at temperature 0", async () => {
    const [[a], [b]] = await Promise.all([
      engine.write([rows[0]!], { ...how, tau: 0 }),
      engine.write([{ ...rows[0]!, rngKey: rows[1]!.rngKey }], { ...how, tau: 0 }),
    ]);
    expect(a).toEqual(b);
  });

  it("runs many calls at once as one after another", async () => {
    const one = [];
    for (const row of rows) one.push(await engine.write([row], how));
    expect(await Promise.all(rows.map((row) => engine.write([row], how)))).toEqual(one);
  });

  it("stops a row at the end token, and only that row", async () => {
    const free = await write([0, 1, 2, 3]);
    // A token that some row writes early stands for the end token.
    const stopId = free[2]![5]!;
    const stopped = await write([0, 1, 2, 3], { stopId });
    for (const [k, ids] of stopped.entries()) {
      const at = free[k]!.indexOf(stopId);
      expect(ids).toEqual(at < 0 ? free[k] : free[k]!.slice(0, at + 1));
    }
    expect(stopped[2]!.length).toBeLessThanOrEqual(6);
  });

  it("is the same after other contexts were read in between", async () => {
    const first = await engine.write([rows[6]!], how);
    await engine.write([rows[6]!], { ...how, context: ids(50, 1) });
    await engine.write([rows[6]!], { ...how, context: how.context.slice(0, 10) });
    expect(await engine.write([rows[6]!], how)).toEqual(first);
  });

  it("reads a context longer than a chunk as a shorter one", async () => {
    const long = ids(1300, 3);
    const [whole] = await engine.score([{ z: rows[0]!.z, target: ids(8, 4) }], "router", long);
    const fresh = new Engine({ runtime, base, vae });
    for (const length of [300, 900])
      await fresh.score([{ z: rows[0]!.z, target: [5] }], "router", long.slice(0, length));
    const [grown] = await fresh.score([{ z: rows[0]!.z, target: ids(8, 4) }], "router", long);
    await fresh.close();
    expect(maxDifference(whole!.logProbabilities, grown!.logProbabilities)).toBeLessThan(1e-4);
  });
});

describe("encoding", () => {
  const texts = Array.from({ length: 32 }, (_, i) => ({ ids: ids(1 + ((i * 7) % 64), i), mask: undefined }));
  const means = async (with_: Engine, which: readonly number[]) =>
    (await with_.encode(which.map((i) => texts[i]!))).map(({ mean }) => mean);

  it("does not depend on batch, order or padding", async () => {
    const all = Array.from(texts.keys());
    const together = await means(engine, all);
    const backwards = (await means(engine, all.toReversed())).toReversed();
    const sevens = [];
    for (let i = 0; i < 32; i += 7) sevens.push(...(await means(engine, all.slice(i, i + 7))));
    for (const i of all) {
      const [alone] = await means(engine, [i]);
      for (const other of [together[i]!, backwards[i]!, sevens[i]!])
        expect(maxDifference(alone!, other)).toBeLessThan(TOLERANCE);
    }
  });

  it("is repeated to the bit", async () => {
    expect(await means(engine, [3, 1, 4])).toEqual(await means(engine, [3, 1, 4]));
  });

  it("does not depend on the number of threads", async () => {
    const one = new Engine({ runtime: onnxNodeRuntime({ threads: 1 }), base, vae });
    const all = Array.from(texts.keys());
    const [a, b] = [await means(engine, all), await means(one, all)];
    await one.close();
    for (const i of all) expect(maxDifference(a[i]!, b[i]!)).toBeLessThan(TOLERANCE);
  });

  it("weighs the tokens of a text, not those beside it", async () => {
    const encodings = await engine.encode(texts);
    for (const [i, { poolWeights }] of encodings.entries()) {
      expect(poolWeights).toHaveLength(texts[i]!.ids.length);
      expect(poolWeights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
  });
});
