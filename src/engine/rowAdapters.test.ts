/** What the trunk is fed for the adapters of rows: a mix of k adapters of rank r is one of rank k r. */
import { describe, expect, it } from "vitest";
import type { ModelConfig } from "../model/config.js";
import { loraName, loraShapes } from "../model/lora.js";
import { linearShapes } from "../model/weights.js";
import { Rng } from "../rng.js";
import { float32, type HostTensors } from "../runtime/runtime.js";
import type { Adapter } from "./adapters.js";
import { type AdapterMix, fitTogether, ROW_ADAPTER_BYTES, RowAdapters } from "./rowAdapters.js";

const config: ModelConfig = {
  vocabSize: 8,
  hiddenSize: 8,
  intermediateSize: 12,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  numKeyValueHeads: 1,
  headDim: 4,
  rmsNormEps: 1e-5,
  ropeTheta: 10000,
  ropeScaling: { kind: "default" },
  maxPositionEmbeddings: 16,
  tieWordEmbeddings: true,
};
const shapes = linearShapes(config);
const ALL = ["q_proj", "k_proj", "v_proj", "o_proj"].map((name) => `self_attn.${name}`);
const TARGETS = [...ALL, ...["gate_proj", "up_proj", "down_proj"].map((name) => `mlp.${name}`)];

function adapter(seed: string, rank: number, targets = TARGETS): Adapter {
  const rng = Rng.fromSeed(seed);
  const shape = { rank, alpha: 3, targets };
  const tensors = Array.from(loraShapes(config, "router", shape), ([name, [rows, columns]]) => [
    name,
    float32(rng.fork(name).normals(rows! * columns!), rows!, columns!),
  ]);
  return { role: "router", shape, tensors: Object.fromEntries(tensors) };
}

const mix = (...parts: [Adapter, number][]): AdapterMix => ({
  key: parts.map(([of, weight]) => `${Object.values(of.tensors)[0]!.data[0]} ${weight}`).join(),
  parts: parts.map(([adapter, weight]) => ({ adapter, weight })),
});

/** scale B A x of one row and layer, as the trunk computes it from what it is fed. */
function output(feeds: HostTensors, row: number, path: string, x: Float32Array): number[] {
  const [out, width] = shapes.get(path)!;
  const [rows, , rank] = feeds["lora.scale"]!.shape as [number, number, number];
  const at = rows === 1 ? 0 : row;
  const data = (name: string) => feeds[name]!.data as Float32Array;
  const [a, b] = [data(loraName("lora", path, "A")), data(loraName("lora", path, "B"))];
  const scales = data("lora.scale");
  const inner = Array.from({ length: rank }, (_, r) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += a[(at * rank + r) * width + i]! * x[i]!;
    return scales[at * rank + r]! * sum;
  });
  return Array.from({ length: out }, (_, o) =>
    inner.reduce((sum, value, r) => sum + b[(at * out + o) * rank + r]! * value, 0),
  );
}

function expectMixed(feeds: HostTensors, row: number, { parts }: AdapterMix): void {
  for (const [path, [, width]] of shapes) {
    const x = Rng.fromSeed(path).normals(width);
    const alone = parts.map(({ adapter, weight }) =>
      output(new RowAdapters(config).feeds([mix([adapter, 1])]), 0, path, x).map((value) => weight * value),
    );
    const got = output(feeds, row, path, x);
    for (const [o, value] of got.entries())
      expect(Math.abs(value - alone.reduce((sum, each) => sum + each[o]!, 0))).toBeLessThan(1e-5);
  }
}

describe("the adapters of rows", () => {
  const [a, b, c] = [adapter("a", 2), adapter("b", 3), adapter("c", 2, ["mlp.up_proj"])];
  const single = mix([a, 1]);
  const pair = mix([a, 0.75], [b, 0.25]);
  const partly = mix([c, 0.5], [a, 0.5]);

  it("are their outputs mixed by the weights, to 1e-5", () => {
    expectMixed(new RowAdapters(config).feeds([pair]), 0, pair);
    expectMixed(new RowAdapters(config).feeds([partly, partly]), 1, partly);
  });

  it("may be others in each row, of other ranks", () => {
    const mixes = [single, pair, partly];
    const feeds = new RowAdapters(config).feeds(mixes);
    for (const [row, each] of mixes.entries()) expectMixed(feeds, row, each);
  });

  it("stay right while rows come, move, shrink and grow in rank", () => {
    const adapters = new RowAdapters(config);
    for (const mixes of [
      [single, mix([b, 1])],
      [single, pair, partly],
      [partly, pair],
      [mix([b, 1]), single],
      [pair],
    ]) {
      const feeds = adapters.feeds(mixes);
      for (const [row, each] of mixes.entries()) expectMixed(feeds, row, each);
    }
  });

  it("are fed without a copy where all rows read by one", () => {
    const feeds = new RowAdapters(config).feeds([single, single]);
    const name = "layers.1.mlp.up_proj";
    expect(feeds[loraName("lora", name, "A")]!.data).toBe(a.tensors[loraName("router", name, "A")]!.data);
    expect(feeds["lora.scale"]!.shape).toEqual([1, 1, 2]);
  });
});

describe("the limit of what rows are laid out in", () => {
  const values = Array.from(shapes.values()).reduce((sum, [out, width]) => sum + out + width, 0);
  // Four rows reach it.
  const rank = Math.floor(ROW_ADAPTER_BYTES / (4 * 4 * values));
  const large = (key: string): AdapterMix => ({
    key,
    parts: [{ adapter: { ...adapter("a", 1), shape: { rank, alpha: 1, targets: [] } }, weight: 1 }],
  });
  const [p, q, r, s, t] = ["p", "q", "r", "s", "t"].map(large) as [
    AdapterMix,
    AdapterMix,
    AdapterMix,
    AdapterMix,
    AdapterMix,
  ];

  it("counts rows of different adapters, and none of one adapter", () => {
    expect(fitTogether(config, [p, q, r, s])).toBe(true);
    expect(fitTogether(config, [p, q, r, s, t])).toBe(false);
    expect(fitTogether(config, [p, p, p, p, q])).toBe(false);
    expect(fitTogether(config, Array<AdapterMix>(64).fill(p))).toBe(true);
  });
});
