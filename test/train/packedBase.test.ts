/** Training on a packed base: losses and gradients are those of the values that it stands for. */

import { describe, expect, it } from "vitest";
import { type BaseModel, baseOfTensors, loadBase } from "../../src/engine/baseModel.js";
import { inputSizes } from "../../src/engine/int8.js";
import { fedBytes } from "../../src/host/memory.js";
import { blockLinears, headName, linearShapes } from "../../src/model/weights.js";
import { Rng } from "../../src/rng.js";
import { float32, type HostTensor } from "../../src/runtime/runtime.js";
import { GradientRunner } from "../../src/train/loop/gradientRunner.js";
import { ropeFeeds } from "../../src/train/objectives/attentionFeeds.js";
import { frozenBase } from "../../src/train/objectives/frozenBase.js";
import { overlapObjective } from "../../src/train/objectives/overlapObjective.js";
import { RowOrder } from "../../src/train/objectives/rowOrder.js";
import { type Quant, readRows, saturatesInInt8 } from "../../src/weights/index.js";
import { runtime } from "../parity/reference.js";
import { tinyBase } from "./tiny.js";

const VOCABULARY = 96;
const dense = tinyBase(VOCABULARY);
const { config } = dense;

/** The tiny base, packed and all of it in memory. */
async function packed(quant: Quant): Promise<BaseModel> {
  const { tensors } = dense.weights;
  const source = {
    names: Object.keys(tensors),
    info: (name: string) => tensors[name]!,
    readFloat32: async (name: string) => tensors[name]!.data as Float32Array,
  };
  const json = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numHiddenLayers,
    num_attention_heads: config.numAttentionHeads,
    num_key_value_heads: config.numKeyValueHeads,
    rms_norm_eps: config.rmsNormEps,
    max_position_embeddings: config.maxPositionEmbeddings,
    tie_word_embeddings: config.tieWordEmbeddings,
  };
  return loadBase(json, source, { quant, resident: true });
}

/** The same values, dense. */
async function unpacked(base: BaseModel): Promise<BaseModel> {
  const tensors: Record<string, HostTensor> = {};
  for (const name of Object.keys(dense.weights.tensors)) {
    const weight = await base.weights.read(name);
    if (weight.kind === "dense") tensors[name] = weight.tensor;
    else tensors[name] = float32(readRows(weight, 0, weight.shape[0]), ...weight.shape);
  }
  return baseOfTensors(config, tensors);
}

async function lossAndGradients(base: BaseModel, compute: "fp32" | "int8" = "fp32", checkpointing = false) {
  const { config } = base;
  const rng = Rng.fromSeed("packed base");
  const lora = { rank: 4, alpha: 4, targets: Object.keys(blockLinears(config)) };
  const row = async (at: number) => ({
    inputIds: Int32Array.from({ length: 16 }, (_, i) => (7 * at + 13 * i) % VOCABULARY),
    attentionMask: new Int32Array(16).fill(1),
  });
  const sizes =
    compute === "int8"
      ? await inputSizes(runtime, { config, tensors: base.weights.tensors }, Array.from((await row(0)).inputIds))
      : undefined;
  const { tensors, packing } = frozenBase(base, sizes);
  const objective = overlapObjective({
    ...{ dropPrefix: 0.5, shiftedSpans: false, encodeLast: false, maskedPrefix: false, shortSpans: 0 },
    shape: { config, zDim: 12, encoder: lora, writer: lora, checkpointing, packing },
    frozen: { ...tensors, ...ropeFeeds(config, 64) },
    rows: new RowOrder({ rowCount: 8, row }, 4, 1, rng),
    ...{
      span: 8,
      gap: 8,
      klWeight: 0.1,
      klRampSteps: 1,
      noise: { scale: 1, start: 1, rampSteps: 1 },
      edgeWeights: true,
    },
    rng,
  });
  for (const [name] of objective.parameters.shapes) {
    const values = objective.parameters.values(name);
    const stream = rng.fork(name);
    if (name.endsWith("lora_B")) for (let i = 0; i < values.length; i++) values[i] = 0.05 * stream.normal();
  }
  const runner = new GradientRunner(runtime, objective);
  const { loss } = await runner.run(await objective.microbatch(1, 0));
  const gradients = runner.gradients.data.slice();
  await runner.release();
  return { loss: loss!, gradients };
}

function relative(a: Float32Array, b: Float32Array): number {
  const norm = (of: Float32Array) => Math.sqrt(of.reduce((sum, value) => sum + value * value, 0));
  return norm(a.map((value, i) => value - b[i]!)) / norm(b);
}

describe("loss and gradients of a packed base", () => {
  it("nf4: are those of its values, with recomputation too", async () => {
    const base = await packed("nf4");
    expect([...linearShapes(config).keys()].every((path) => base.weights.format(`model.${path}.weight`))).toBe(true);
    const expected = await lossAndGradients(await unpacked(base));
    const got = await lossAndGradients(base);
    expect(Math.abs(got.loss - expected.loss)).toBeLessThan(1e-5);
    expect(relative(got.gradients, expected.gradients)).toBeLessThan(1e-5);
    const recomputed = await lossAndGradients(base, "fp32", true);
    expect(relative(recomputed.gradients, expected.gradients)).toBeLessThan(1e-5);
  });

  it.each(["int8", "int4"] as const)("%s: are near those of its values, as x is rounded", async (quant) => {
    const base = await packed(quant);
    const expected = await lossAndGradients(await unpacked(base));
    const got = await lossAndGradients(base);
    expect(Math.abs(got.loss - expected.loss)).toBeLessThan(0.01);
    expect(relative(got.gradients, expected.gradients)).toBeLessThan(0.05);
  });
});

describe.skipIf(await saturatesInInt8(runtime))("products in int8: loss and gradients near those in fp32", () => {
  const check = async (base: BaseModel) => {
    const expected = await lossAndGradients(base);
    const got = await lossAndGradients(base, "int8");
    expect(got.loss).not.toBe(expected.loss);
    expect(Math.abs(got.loss - expected.loss)).toBeLessThan(0.01);
    expect(relative(got.gradients, expected.gradients)).toBeLessThan(0.05);
  };

  it("a small vocabulary", () => check(dense));

  it("what is fed takes the bytes that are told, but for scales", async () => {
    const { tensors } = frozenBase(
      dense,
      await inputSizes(runtime, { config, tensors: dense.weights.tensors }, [1, 2]),
    );
    const buffers = Object.entries(tensors).flatMap(([name, { data }]) => (name.endsWith("scales") ? [] : data.buffer));
    const bytes = Array.from(new Set(buffers), ({ byteLength }) => byteLength).reduce((sum, each) => sum + each, 0);
    expect(bytes).toBe(fedBytes(config, "none", "int8"));
  });

  // The gradient of a row of logits is one large value and thousands of small ones, which int8 would round to 0. Their sum cancels what all rows of the head share.
  it("a large vocabulary whose rows of the head have much in common", async () => {
    const base = tinyBase(4096);
    const { tensors } = base.weights;
    const head = tensors[headName(base.config)]!.data as Float32Array;
    const shared = Rng.fromSeed("shared").normals(base.config.hiddenSize);
    await check(
      baseOfTensors(base.config, {
        ...tensors,
        [headName(base.config)]: float32(
          head.map((value, i) => value + 0.3 * shared[i % shared.length]!),
          4096,
          shared.length,
        ),
      }),
    );
  });
});
