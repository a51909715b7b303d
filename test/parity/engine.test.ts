/** Encode, decode and generate equal the original code's values. */
import { beforeAll, describe, expect, it } from "vitest";
import { Engine } from "../../src/engine/engine.js";
import { KvCache } from "../../src/engine/kvCache.js";
import { ModelRunner } from "../../src/engine/modelRunner.js";
import { Sessions } from "../../src/engine/sessions.js";
import { rms } from "../../src/latent/latent.js";
import { Rng } from "../../src/rng.js";
import { float32 } from "../../src/runtime/runtime.js";
import { WRITER_ROLES } from "../../src/vae/roles.js";
import { gumbelToken } from "./gumbel.js";
import { loadTinyAdapters, loadTinyBase, maxDifference, openCases, runtime } from "./reference.js";
import { rowLogits } from "./rowLogits.js";

const TOLERANCE = 1e-4;
const rngKey = Rng.fromSeed(0).key;

it("takes ae_scale as the root mean square of all values of the latents", async () => {
  const cases = await openCases();
  const z = await cases.floats("generate.z");
  const [rows, zDim] = cases.shape("generate.z") as [number, number];
  const zs = Array.from({ length: rows }, (_, row) => z.subarray(row * zDim, (row + 1) * zDim));
  expect(Math.abs(rms(zs) - (await cases.floats("ae_scale.z_rms"))[0]!)).toBeLessThan(TOLERANCE);
  await cases.close();
});

describe.each(["merged", "unmerged"] as const)("adapters %s", (form) => {
  let cases: Awaited<ReturnType<typeof openCases>>;
  let base: Awaited<ReturnType<typeof loadTinyBase>>;
  let vae: Awaited<ReturnType<typeof loadTinyAdapters>>;
  let engine: Engine;

  beforeAll(async () => {
    cases = await openCases();
    base = await loadTinyBase();
    vae = await loadTinyAdapters(base.config);
    engine = new Engine({ runtime, base, vae, form });
    return async () => {
      await engine.close();
      await cases.close();
    };
  });

  it("gives the base's logits", async () => {
    const ids = await cases.rows("base.input_ids");
    const sessions = new Sessions(runtime, base, vae, form, 4096);
    const caches = { shared: new KvCache(base.config, 1), past: new KvCache(base.config, ids.length) };
    const runner = new ModelRunner(base, await sessions.writer("base"));
    const inputs = ids.map((row) => ({ items: row.map((id) => ({ id })), positions: row.map((_, i) => i) }));
    const logits = (await runner.forward(caches, inputs, "all")).flat().flatMap((row) => Array.from(row));
    expect(maxDifference(logits, await cases.floats("base.logits"))).toBeLessThan(TOLERANCE);
    await sessions.release();
  });

  it.each(["full", "left", "right"])("encodes with %s padding", async (padding) => {
    const ids = await cases.rows(`encode.${padding}.input_ids`);
    const masks = await cases.rows(`encode.${padding}.attention_mask`);
    const encodings = await engine.encode(ids.map((row, i) => ({ ids: row, mask: masks[i]! })));
    const means = encodings.flatMap(({ mean }) => Array.from(mean));
    const weights = encodings.flatMap(({ poolWeights }) => Array.from(poolWeights));
    expect(maxDifference(means, await cases.floats(`encode.${padding}.mean`))).toBeLessThan(TOLERANCE);
    expect(maxDifference(weights, await cases.floats(`encode.${padding}.pool_weights`))).toBeLessThan(TOLERANCE);
  });

  it("encodes the targets of a training step, of which one is padded, without their last token", async () => {
    const [rows, masks] = [await cases.rows("overlap.0.input_ids"), await cases.rows("overlap.0.attention_mask")];
    const target = (row: number[]) => row.slice(row.length / 2, -1);
    const encodings = await engine.encode(rows.map((row, i) => ({ ids: target(row), mask: target(masks[i]!) })));
    const means = encodings.flatMap(({ mean }) => Array.from(mean));
    expect(maxDifference(means, await cases.floats("overlap.0.mean"))).toBeLessThan(TOLERANCE);
  });

  it("writes greedily as decoder and router, rows of different prefixes", async () => {
    const prefixes = await cases.rows("generate.prefix_ids");
    const flat = await cases.floats("generate.z");
    for (const writer of WRITER_ROLES) {
      const expected = await cases.rows(`generate.${writer}_greedy`);
      for (const [row, context] of prefixes.entries()) {
        const z = flat.slice(row * vae.zDim, (row + 1) * vae.zDim);
        const [written] = await engine.write([{ z, rngKey }], { writer, context, nTokens: 48, tau: 0 });
        expect([...context, ...written!]).toEqual(expected[row]);
      }
    }
  });

  it.each([1.25, 3])("guides with CFG %d", async (cfgScale) => {
    const prefixes = await cases.rows("generate.prefix_ids");
    const flat = await cases.floats("generate.z");
    const expected = await cases.rows(`generate.cfg_${cfgScale}_greedy`);
    for (const [row, context] of prefixes.entries()) {
      const z = flat.slice(row * vae.zDim, (row + 1) * vae.zDim);
      const [written] = await engine.write([{ z, rngKey }], {
        writer: "router",
        context,
        nTokens: 48,
        tau: 0,
        cfgScale,
      });
      expect([...context, ...written!]).toEqual(expected[row]);
    }
  });

  it("samples with the original's Gumbel noise", async () => {
    const prefixes = await cases.rows("generate.prefix_ids");
    const flat = await cases.floats("generate.z");
    const uniforms = await cases.floats("generate.uniforms");
    const expected = await cases.rows("generate.router_gumbel_0.9");
    const v = base.config.vocabSize;
    for (const [row, context] of prefixes.entries()) {
      const z = flat.slice(row * vae.zDim, (row + 1) * vae.zDim);
      const ids = expected[row]!.slice(context.length);
      expect(ids).toHaveLength(24);
      const drawn = (await rowLogits(base, vae, { z, context, ids })).map((logits, t) => {
        const start = (t * prefixes.length + row) * v;
        return gumbelToken(logits, 0.9, uniforms.subarray(start, start + v));
      });
      expect(drawn).toEqual(ids);
    }
  });

  it("scores teacher-forced targets as decoder and router", async () => {
    const flat = await cases.floats("decode.z");
    const prefixes = await cases.rows("decode.prefix_ids");
    const masks = await cases.rows("decode.prefix_mask");
    const targets = await cases.rows("decode.target_ids");
    const [, length, v] = cases.shape("decode.router_logits") as [number, number, number];
    for (const writer of WRITER_ROLES) {
      const logits = await cases.floats(`decode.${writer}_logits`);
      for (const [row, target] of targets.entries()) {
        // The engine takes no padding within a context; the test below reads such a row.
        if (masks[row]!.includes(0)) continue;
        const z = flat.slice(row * vae.zDim, (row + 1) * vae.zDim);
        const [score] = await engine.score([{ z, target }], writer, prefixes[row]!);
        const slices = target.map((_, t) => {
          const at = (row * length + prefixes[row]!.length + t) * v;
          return logits.subarray(at, at + v);
        });
        const expected = target.map((id, t) => {
          const max = Math.max(...slices[t]!);
          return slices[t]![id]! - max - Math.log(slices[t]!.reduce((sum, x) => sum + Math.exp(x - max), 0));
        });
        expect(maxDifference(score!.logProbabilities, expected)).toBeLessThan(TOLERANCE);
        expect(score!.greedy).toEqual(target.map((id, t) => slices[t]!.indexOf(Math.max(...slices[t]!)) === id));
      }
    }
  });

  it("reads [z][prefix][target] and [prefix][z][target], a padded prefix too: every logit and the embedding of z", async () => {
    const prefixes = await cases.rows("decode.prefix_ids");
    const masks = await cases.rows("decode.prefix_mask");
    const targets = await cases.rows("decode.target_ids");
    const flat = await cases.floats("decode.z");
    const sessions = new Sessions(runtime, base, vae, form, 4096);
    const { session, weights } = await sessions.latentEmbeddings();
    const embedded = await session.run({ ...weights, z: float32(flat, prefixes.length, vae.zDim) });
    const embeddings = embedded.embeddings!.data as Float32Array;
    expect(maxDifference(embeddings, await cases.floats("decode.z_embed"))).toBeLessThan(TOLERANCE);
    const [, length, v] = cases.shape("decode.router_logits") as [number, number, number];
    const { hiddenSize } = base.config;
    for (const writer of WRITER_ROLES) {
      const expected = await cases.floats(`decode.${writer}_logits`);
      // Padding is left out; the tokens after it keep their positions.
      const inputs = prefixes.map((prefix, row) => {
        const z = { embedding: embeddings.subarray(row * hiddenSize, (row + 1) * hiddenSize) };
        const prefixItems = prefix.map((id, i) => (masks[row]![i] ? { id } : undefined));
        const before = writer === "decoder" ? [z, ...prefixItems] : [...prefixItems, z];
        const placed = [...before, ...targets[row]!.map((id) => ({ id }))].map((item, at) => ({ item, at }));
        const read = placed.flatMap(({ item, at }) => (item ? [{ item, at }] : []));
        return { items: read.map(({ item }) => item), positions: read.map(({ at }) => at) };
      });
      const caches = { shared: new KvCache(base.config, 1), past: new KvCache(base.config, inputs.length) };
      const runner = new ModelRunner(base, await sessions.writer(writer));
      for (const [row, logits] of (await runner.forward(caches, inputs, "all")).entries()) {
        expect(logits).toHaveLength(1 + masks[row]!.filter((seen) => seen).length + targets[row]!.length);
        for (const [i, values] of logits.entries()) {
          const start = (row * length + inputs[row]!.positions[i]!) * v;
          expect(maxDifference(values, expected.subarray(start, start + v))).toBeLessThan(TOLERANCE);
        }
      }
    }
    await sessions.release();
  });
});
