/** config.json: what is written reads back, and what Transformers 4 and 5 write means the same. */
import { describe, expect, it } from "vitest";
import { formatConfig, parseConfig } from "./config.js";

const plain = {
  model_type: "llama",
  vocab_size: 64,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  max_position_embeddings: 128,
  tie_word_embeddings: true,
};
const llama3 = { rope_type: "llama3", factor: 8, low_freq_factor: 1, high_freq_factor: 4 };

describe("config.json", () => {
  it.each([
    ["plain", {}],
    ["linear", { rope_scaling: { type: "linear", factor: 2 } }],
    ["llama3", { rope_scaling: { ...llama3, original_max_position_embeddings: 64 } }],
    ["yarn", { rope_scaling: { rope_type: "yarn", factor: 4, beta_fast: 16, original_max_position_embeddings: 32 } }],
    ["a window", { model_type: "mistral", sliding_window: 48 }],
  ])("reads back what it wrote: %s", (_, more) => {
    const config = parseConfig({ ...plain, ...more });
    expect(parseConfig(formatConfig(config, { bosId: 0, eosId: 0 }))).toEqual(config);
  });

  it.each([
    { partial_rotary_factor: 0.5 },
    { rope_scaling: { rope_type: "yarn", factor: 4, mscale: 0.7, mscale_all_dim: 1 } },
    { rope_scaling: { rope_type: "yarn", factor: 4, truncate: false } },
  ])("refuses by name what would turn positions otherwise: %j", (change) => {
    expect(() => parseConfig({ ...plain, ...change })).toThrow(/partial_rotary_factor|mscale|truncate/);
  });

  it("takes rope_theta from rope_parameters, and refuses two that differ", () => {
    const { rope_theta, ...rest } = plain;
    const five = { ...rest, rope_parameters: { rope_theta, rope_type: "default" } };
    expect(parseConfig(five)).toEqual(parseConfig(plain));
    expect(() => parseConfig({ ...five, rope_theta: 10000 })).toThrow(/rope_theta to be 500000, as in rope_parameters/);
  });
});
