/** The options of the overlap objective that the original does not have: off they change nothing, on they do what they say. */
import { describe, expect, it } from "vitest";
import { runGraph } from "../../test/runGraph.js";
import { tinyConfig } from "../../test/train/tiny.js";
import { gradients, toOnnx, topologicalOrder, type Value } from "../graph/index.js";
import { ropeTables } from "../model/rope.js";
import { weightShapes } from "../model/weights.js";
import { Rng } from "../rng.js";
import { float32, type HostTensors } from "../runtime/runtime.js";
import { dropoutFeeds } from "../train/objectives/adapters.js";
import { overlapExample } from "../train/objectives/overlapExamples.js";
import { overlapMicrobatch } from "../train/objectives/overlapObjective.js";
import { batchShape, keptFirst } from "../train/objectives/vaeFeeds.js";
import { overlapLoss, overlapParameterShapes, type VaeShape } from "./loss.js";
import { ropeSteps } from "./rowLayout.js";

const SPAN = 8;
const ROWS = 4;
const Z = 6;
const VOCABULARY = 50;
const config = tinyConfig(VOCABULARY);
const lora = { rank: 2, alpha: 2, targets: ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"] };
const plain: VaeShape = { config, zDim: Z, encoder: lora, writer: lora };
const rng = Rng.fromSeed("loss");

const examples = keptFirst(
  Array.from({ length: ROWS }, (_, i) => {
    const inputIds = Int32Array.from({ length: 2 * SPAN }, () => rng.integer(VOCABULARY));
    return overlapExample({ inputIds, attentionMask: new Int32Array(2 * SPAN).fill(1) }, SPAN, { drop: i % 2 === 1 });
  }),
);
const batch = batchShape(examples);
const noise = rng.fork("noise");

function randoms(shapes: ReadonlyMap<string, readonly number[]>): Record<string, ReturnType<typeof float32>> {
  const entries = Array.from(shapes, ([name, shape]) => {
    const size = shape.reduce((product, dim) => product * dim, 1);
    return [
      name,
      float32(
        rng
          .fork(name)
          .normals(size)
          .map((value) => 0.3 * value),
        ...shape,
      ),
    ] as const;
  });
  return Object.fromEntries(entries);
}

const weights = {
  ...randoms(weightShapes(config)),
  ...randoms(overlapParameterShapes({ ...plain, learnedVariance: true })),
};

function feedsOf(shape: VaeShape, changes: HostTensors = {}): HostTensors {
  const eps = rng.fork("eps").normals(ROWS * Z);
  const steps = ropeSteps(shape.slots ?? 1);
  const { cos, sin } = ropeTables(config, 64, steps);
  const half = config.headDim / 2;
  const { feeds } = overlapMicrobatch({ shape, gap: SPAN, noiseScale: 1, edgeWeights: true }, examples, eps, 0.5);
  const rope = { rope_cos: float32(cos, 64 * steps, half), rope_sin: float32(sin, 64 * steps, half) };
  return { ...weights, ...feeds, ...rope, ...dropoutFeeds(shape, batch, ["encoder", "decoder"], noise), ...changes };
}

async function values(shape: VaeShape, feeds = feedsOf(shape)): Promise<{ loss: number; rec: number; kl: number }> {
  const { loss, metrics } = overlapLoss(shape, batch);
  const results = await runGraph({ loss, ...metrics } as Record<string, Value>, feeds);
  return { loss: results.loss!.data[0]!, rec: results.rec!.data[0]!, kl: results.kl!.data[0]! };
}

const bytesOf = (shape: VaeShape) => {
  const { loss, metrics, parameters } = overlapLoss(shape, batch);
  const derived = gradients(loss, [...parameters.values()]);
  return toOnnx({ loss, ...metrics, ...Object.fromEntries(derived.map((value, i) => [`d${i}`, value])) }).bytes;
};

/** d loss / d parameter along a random direction, against a central difference in the loss. */
async function checkGradient(shape: VaeShape, changes: HostTensors = {}): Promise<void> {
  const own = { ...weights, ...changes };
  const { loss, parameters } = overlapLoss(shape, batch);
  const names = [...parameters.keys()];
  const derived = gradients(loss, [...parameters.values()]);
  const feeds = feedsOf(shape, changes);
  const computed = await runGraph(Object.fromEntries(derived.map((value, i) => [`d ${names[i]}`, value])), feeds);
  const direction = randoms(new Map(names.map((name) => [name, own[name]!.shape])));
  const slope = names.reduce((sum, name) => {
    const along = direction[name]!.data as Float32Array;
    return sum + computed[`d ${name}`]!.data.reduce((part, value, i) => part + value * along[i]!, 0);
  }, 0);
  const step = 2e-3;
  const moved = (by: number) => {
    const shifted = names.map((name) => {
      const along = direction[name]!.data as Float32Array;
      const data = (own[name]!.data as Float32Array).map((value, i) => value + by * along[i]!);
      return [name, float32(data, ...own[name]!.shape)] as const;
    });
    return values(shape, { ...feeds, ...Object.fromEntries(shifted) });
  };
  const difference = ((await moved(step)).loss - (await moved(-step)).loss) / (2 * step);
  expect(Math.abs(slope - difference)).toBeLessThan(0.01 * Math.abs(slope) + 1e-3);
}

describe("options that are off", () => {
  it("leave the graph as it is, to the byte", () => {
    const off = { dropout: 0, freeBits: 0, learnedVariance: false, checkpointing: false };
    expect(bytesOf({ ...plain, ...off })).toEqual(bytesOf(plain));
  });
});

describe("free bits", () => {
  const klPerDimension = async () => {
    // With weight 1 and all floors but none: kl is sum over rows and dimensions / n.
    const { kl, loss, rec } = await values({ ...plain, freeBits: 1e-9 });
    return { kl, counted: (loss - rec) / 0.5 };
  };

  it("change nothing where every dimension is above the floor", async () => {
    const { kl, counted } = await klPerDimension();
    expect(counted).toBeCloseTo(kl, 5);
  });

  it("count the floor where every dimension is below it, without a gradient from the KL", async () => {
    const floor = 100;
    const { loss, rec } = await values({ ...plain, freeBits: floor });
    const { inverse_weight_sum: inverse } = feedsOf(plain);
    expect((loss - rec) / 0.5).toBeCloseTo(ROWS * Z * floor * Number(inverse!.data[0]), 3);
    await checkGradient({ ...plain, freeBits: floor });
  });

  it("have the gradient of their loss where some are above", async () => {
    await checkGradient({ ...plain, freeBits: 0.05 });
  });
});

describe("learned variance", () => {
  const shape = { ...plain, learnedVariance: true };
  const zero = (name: string) => float32(new Float32Array(weights[name]!.data.length), ...weights[name]!.shape);

  it("is the original where w_s is 0: s = 1", async () => {
    const start = { "vae.w_s.weight": zero("vae.w_s.weight"), "vae.w_s.bias": zero("vae.w_s.bias") };
    const [learned, original] = [await values(shape, feedsOf(shape, start)), await values(plain)];
    for (const name of ["loss", "rec", "kl"] as const) expect(learned[name]).toBeCloseTo(original[name], 5);
  });

  it("has the KL of N(mean, s^2): a constant log s^2 adds (s^2 - 1 - log s^2) / 2 per dimension", async () => {
    const bias = float32(new Float32Array(Z).fill(-1.5), Z);
    const start = { "vae.w_s.weight": zero("vae.w_s.weight"), "vae.w_s.bias": bias };
    const feeds = feedsOf(shape, start);
    const added = (ROWS * Z * (Math.exp(-1.5) - 1 + 1.5)) / 2;
    const { kl } = await values(shape, feeds);
    expect(kl - (await values(plain)).kl).toBeCloseTo(added * Number(feeds.inverse_weight_sum!.data[0]), 4);
  });

  it("has the gradient of its loss", async () => {
    await checkGradient(shape);
    await checkGradient({ ...shape, freeBits: 0.05 });
  });
});

describe("several slots", () => {
  const shape = { ...plain, slots: 3 };
  const ofSlots = randoms(overlapParameterShapes(shape));

  it("have the gradient of their loss", async () => {
    await checkGradient(shape, ofSlots);
  });
});

describe("dropout", () => {
  it("has the gradient of its loss, and belongs to the noise of the microbatch", async () => {
    const shape = { ...plain, dropout: 0.3 };
    await checkGradient(shape);
    const [first, again] = [await values(shape), await values(shape)];
    expect(again).toEqual(first);
    const other = dropoutFeeds(shape, batch, ["encoder", "decoder"], noise.fork("other"));
    expect((await values(shape, feedsOf(shape, other))).loss).not.toBe(first.loss);
    expect((await values(plain)).loss).not.toBe(first.loss);
  });

  it("draws another mask for every linear layer: the same keys of rows, other keys of columns", () => {
    const { loss } = overlapLoss({ ...plain, dropout: 0.3 }, batch);
    const seen = new Set<string>();
    for (const node of topologicalOrder([loss])) {
      if (node.op !== "keepMask") continue;
      const { data } = node.inputs[1]!.node.attributes as { data: Int32Array };
      seen.add(data.join());
    }
    expect(seen.size).toBe(2 * 2 * lora.targets.length);
  });
});

describe("gradient checkpointing", () => {
  it("changes no gradient, with dropout too", async () => {
    for (const shape of [plain, { ...plain, dropout: 0.3 }]) {
      const run = async (checkpointing: boolean) => {
        const { loss, parameters } = overlapLoss({ ...shape, checkpointing }, batch);
        const derived = gradients(loss, [...parameters.values()]);
        return runGraph({ loss, ...Object.fromEntries(derived.map((value, i) => [`d${i}`, value])) }, feedsOf(shape));
      };
      if (shape.dropout) {
        expect(await run(true)).toEqual(await run(false));
        continue;
      }
      // Without it, adapters may be added to the weights first: the same sums in another order.
      const [again, kept] = [await run(true), await run(false)];
      for (const [name, { data }] of Object.entries(kept)) {
        for (const [i, value] of data.entries()) expect(again[name]!.data[i], `${name}[${i}]`).toBeCloseTo(value, 6);
      }
    }
  });
});
