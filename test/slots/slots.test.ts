/** Latents with several slots: training and engine agree on every position, and rows of other lengths do not disturb each other. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { afterAll, describe, expect, it } from "vitest";
import type { VaeAdapters } from "../../src/engine/adapters.js";
import { Engine } from "../../src/engine/engine.js";
import { loraShapes } from "../../src/model/lora.js";
import { Rng, type RngKey } from "../../src/rng.js";
import { float32, type HostTensors } from "../../src/runtime/runtime.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { overlapExample, textExample } from "../../src/train/objectives/overlapExamples.js";
import { overlapMicrobatch } from "../../src/train/objectives/overlapObjective.js";
import { routerExample, routerMicrobatch } from "../../src/train/objectives/routerObjective.js";
import { keptFirst, type VaeExample } from "../../src/train/objectives/vaeFeeds.js";
import { headShapes } from "../../src/vae/head.js";
import type { VaeShape } from "../../src/vae/loss.js";
import { type AdapterRole, WRITER_ROLES, type WriterRole } from "../../src/vae/roles.js";
import { ropeSteps } from "../../src/vae/rowLayout.js";
import { runtime, tinyBase } from "../train/tiny.js";

const SPAN = 12;
const SLOTS = 4;
const Z = 12;
const base = tinyBase(50);
const rng = Rng.fromSeed("slots");
const lora = { rank: 2, alpha: 2, targets: ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"] };
const shape: VaeShape = { config: base.config, zDim: Z, slots: SLOTS, encoder: lora, writer: lora };

function random(shapes: ReadonlyMap<string, readonly number[]>, prefix = ""): HostTensors {
  return Object.fromEntries(
    Array.from(shapes, ([name, dims]) => {
      const size = dims.reduce((product, dim) => product * dim, 1);
      const values = rng.fork(prefix + name).normals(size);
      return [
        prefix + name,
        float32(
          values.map((value) => 0.5 * value),
          ...dims,
        ),
      ];
    }),
  );
}

const adapter = (role: AdapterRole) => ({ role, shape: lora, tensors: random(loraShapes(base.config, role, lora)) });
const vae: VaeAdapters = {
  zDim: Z,
  slots: SLOTS,
  span: SPAN,
  gap: 0,
  head: random(headShapes(base.config, shape), "vae."),
  adapters: { encoder: adapter("encoder"), decoder: adapter("decoder"), router: adapter("router") },
};
const engine = new Engine({ runtime, base, vae, form: "unmerged" });
afterAll(() => engine.close());

const tokens = (name: string, count: number) => Array.from({ length: count }, () => rng.fork(name).integer(50));
const rowOf = (name: string) => {
  const stream = rng.fork(name);
  return {
    inputIds: Int32Array.from({ length: 4 * SPAN }, () => stream.integer(50)),
    attentionMask: new Int32Array(4 * SPAN).fill(1),
  };
};

/** The key of a stream as it goes on after `count` uniform numbers. */
function drawnFrom(key: RngKey, count: number): RngKey {
  const generator = xoroshiro128plusFromState(key);
  for (let i = 0; i < count; i++) uniformFloat64(generator);
  return generator.getState();
}

/** The loss of a training graph with z the mean. */
async function trainingLoss(writer: WriterRole, examples: readonly VaeExample[]): Promise<number> {
  const eps = new Float32Array(examples.length * Z);
  const { graph, feeds } =
    writer === "decoder"
      ? overlapMicrobatch({ shape, gap: 0, noiseScale: 1, edgeWeights: false }, examples, eps, 0)
      : routerMicrobatch({ shape, noiseScale: 1 }, examples, eps);
  const session = await runtime.createSession({ loss: graph().loss });
  const { encoder } = vae.adapters;
  const all = { ...base.weights.tensors, ...vae.head, ...encoder.tensors, ...vae.adapters[writer].tensors };
  const { loss } = await session.run({ ...all, ...ropeFeeds(base.config, 64, ropeSteps(SLOTS)), ...feeds });
  await session.release();
  return loss!.data[0] as number;
}

/** The same by the engine: encode, then read the target behind z. */
async function engineLoss(writer: WriterRole, examples: readonly VaeExample[]): Promise<number> {
  const seen = ({ inputIds, attentionMask }: VaeExample["target"]) =>
    Array.from(inputIds).filter((_, i) => attentionMask[i]);
  let [sum, count] = [0, 0];
  for (const { encoded, prefix, target } of examples) {
    const [encoding] = await engine.encode([{ ids: seen(encoded) }]);
    const context = prefix ? seen(prefix) : [];
    const [score] = await engine.score([{ z: encoding!.mean, target: seen(target) }], writer, context);
    for (const value of score!.logProbabilities) sum -= value;
    count += score!.logProbabilities.length;
  }
  return sum / count;
}

describe("training and engine place slots alike", () => {
  it.each([
    ["spans from z alone", [true, true]],
    ["spans behind a prefix", [false, false]],
    ["spans with and without a prefix", [false, true, true]],
  ])("decoder, %s", async (_, drops) => {
    const cut = drops.map((drop, i) => overlapExample(rowOf(`row ${i}`), SPAN, { drop, encodeLast: true }));
    const examples = keptFirst(cut);
    expect(await trainingLoss("decoder", examples)).toBeCloseTo(await engineLoss("decoder", examples), 4);
  });

  it("decoder, short texts of several lengths with their end token", async () => {
    const examples = [3, 5, 7, 1].map((count) => textExample(Int32Array.from(tokens(`text ${count}`, count)), 8, 2));
    expect(await trainingLoss("decoder", examples)).toBeCloseTo(await engineLoss("decoder", examples), 4);
  });

  it("router, behind a context and without one", async () => {
    const cut = [false, true, false].map((drop, i) => routerExample(rowOf(`route ${i}`), 9, SPAN, drop));
    const examples = keptFirst(cut);
    expect(await trainingLoss("router", examples)).toBeCloseTo(await engineLoss("router", examples), 4);
  });
});

describe("the engine", () => {
  const texts = [tokens("a", 3), tokens("b", 12), tokens("c", 7), tokens("d", 1)];

  it("encodes texts of several lengths together as it does each alone", async () => {
    const together = await engine.encode(texts.map((ids) => ({ ids })));
    for (const [i, ids] of texts.entries()) {
      const [alone] = await engine.encode([{ ids }]);
      for (const [d, value] of alone!.mean.entries()) expect(together[i]!.mean[d]).toBeCloseTo(value, 4);
      expect(together[i]!.slotWeights).toHaveLength(SLOTS);
      for (const weights of [...together[i]!.slotWeights, together[i]!.poolWeights]) {
        expect(weights).toHaveLength(ids.length);
        expect(weights.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5);
      }
    }
  });

  it("writes into each latent how long its text is", async () => {
    for (const [i, { mean }] of (await engine.encode(texts.map((ids) => ({ ids })))).entries()) {
      expect(mean).toHaveLength(Z + 1);
      expect(engine.space!.lengthOf(mean)).toBeCloseTo(texts[i]!.length, 4);
    }
  });

  it.each([...WRITER_ROLES, "base"])(
    "%s goes on from a text that has begun as if it had written it",
    async (writer) => {
      const [encoding] = await engine.encode([{ ids: texts[1]! }]);
      const z = encoding!.mean;
      const { key } = rng.fork("begun");
      const how = { writer, context: texts[2]!, tau: 5, cfgScale: writer === "base" ? 1 : 0.7 };
      const [whole] = await engine.write([{ z, rngKey: key }], { ...how, nTokens: 10 });
      const begun = whole!.slice(0, 4);
      const [rest] = await engine.write([{ z, rngKey: drawnFrom(key, 4) }], { ...how, begun, nTokens: 6 });
      expect(new Set(whole).size).toBeGreaterThan(4);
      expect(rest).toEqual(whole!.slice(4));
    },
  );

  it("never chooses the stop token of an endless row", async () => {
    const [encoding] = await engine.encode([{ ids: texts[1]! }]);
    const rows = [{ z: encoding!.mean, rngKey: rng.fork("endless").key }];
    const how = { writer: "decoder", context: texts[2]!, tau: 0, nTokens: 5 } as const;
    const [[stopId]] = (await engine.write(rows, how)) as [[number]];
    expect(await engine.write(rows, { ...how, stopId })).toEqual([[stopId]]);
    const [ids] = await engine.write(rows, { ...how, stopId, endless: true });
    expect(ids).toHaveLength(5);
    expect(ids).not.toContain(stopId);
  });

  it("writes rows of several lengths together as each alone", async () => {
    const zs = (await engine.encode(texts.map((ids) => ({ ids })))).map(({ mean }) => mean);
    const rngKey = rng.fork("noise").key;
    const options = { writer: "decoder" as const, context: [], nTokens: 10, tau: 0 };
    const together = await engine.write(
      zs.map((z) => ({ z, rngKey })),
      options,
    );
    for (const [i, z] of zs.entries()) expect(await engine.write([{ z, rngKey }], options)).toEqual([together[i]]);
  });

  it("places a text that is longer than its window as if it ended there", async () => {
    const z = engine.space!.withLength(rng.fork("long").normals(Z), 60);
    const row = { z, rngKey: rng.fork("noise").key };
    const written = await engine.write([row], { writer: "router", context: tokens("context", 50), nTokens: 4, tau: 0 });
    expect(written[0]).toHaveLength(4);
  });
});
