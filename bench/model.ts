/** A random model of SmolLM2-135M's shape with random adapters: what speed depends on, without a download. */
import type { VaeAdapters } from "../src/engine/adapters.js";
import { type BaseModel, baseOfTensors, loadBase } from "../src/engine/baseModel.js";
import { type ModelConfig, parseConfig } from "../src/model/config.js";
import { type LoraShape, loraShapes } from "../src/model/lora.js";
import { blockLinears, weightShapes } from "../src/model/weights.js";
import { float32, type HostTensor } from "../src/runtime/runtime.js";
import { headShapes } from "../src/vae/head.js";
import type { AdapterRole } from "../src/vae/roles.js";
import type { Quant } from "../src/weights/index.js";

const SMOLLM2_JSON = {
  model_type: "llama",
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  rope_theta: 100000,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 2048,
  tie_word_embeddings: true,
};
export const SMOLLM2 = parseConfig(SMOLLM2_JSON);

const LORA: LoraShape = { rank: 32, alpha: 8, targets: Object.keys(blockLinears(SMOLLM2)) };
export const Z_DIM = 768;

export function randomBase(config: ModelConfig = SMOLLM2): BaseModel {
  return baseOfTensors(config, randomTensors(weightShapes(config)));
}

/** The same in a packed form. */
export function randomPackedBase(quant: Quant): Promise<BaseModel> {
  const tensors = randomTensors(weightShapes(SMOLLM2));
  const source = {
    names: Object.keys(tensors),
    info: (name: string) => tensors[name]!,
    readFloat32: async (name: string) => tensors[name]!.data as Float32Array,
  };
  return loadBase(SMOLLM2_JSON, source, { quant });
}

export function randomAdapters(config: ModelConfig = SMOLLM2): VaeAdapters {
  const adapter = (role: AdapterRole) => ({
    role,
    shape: LORA,
    tensors: randomTensors(loraShapes(config, role, LORA)),
  });
  const adapters = { encoder: adapter("encoder"), decoder: adapter("decoder"), router: adapter("router") };
  const head = Object.fromEntries(
    Object.entries(randomTensors(headShapes(config, { zDim: Z_DIM }))).map(([name, value]) => [`vae.${name}`, value]),
  );
  return { zDim: Z_DIM, slots: 1, span: 64, gap: 0, adapters, head };
}

/** Uniform noise of deviation 0.02 (norms: 1), from a fast generator whose only merit is that it fills memory. */
function randomTensors(shapes: ReadonlyMap<string, readonly number[]>): Record<string, HostTensor> {
  let state = 12345;
  return Object.fromEntries(
    Array.from(shapes, ([name, shape]) => {
      const values = new Float32Array(shape.reduce((size, dim) => size * dim, 1));
      for (let i = 0; i < values.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        values[i] = (state / 2 ** 31) * 0.035;
      }
      if (name.includes("norm")) values.fill(1);
      return [name, float32(values, ...shape)];
    }),
  );
}
