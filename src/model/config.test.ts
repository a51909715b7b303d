/** config.json: what is written reads back, and what Transformers 4 and 5 write means the same. */
import { describe, expect, it } from "vitest";
import { QUANTIZATION_CONFIG } from "../../test/fixtures/bitsandbytes/build.js";
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

  const nf4 = QUANTIZATION_CONFIG;
  it("takes weights that bitsandbytes keeps in nf4", () => {
    expect(parseConfig({ ...plain, quantization_config: nf4 })).toEqual(parseConfig(plain));
  });

  const yarn = { rope_type: "yarn", factor: 4 };
  it.each<[string, object]>([
    ["partial_rotary_factor", { partial_rotary_factor: 0.5 }],
    ["rope_parameters.partial_rotary_factor", { rope_parameters: { rope_theta: 5e5, partial_rotary_factor: 0.5 } }],
    ["rope_parameters.full_attention", { rope_parameters: { full_attention: { rope_type: "default" } } }],
    ["rope_scaling.rope_type", { rope_scaling: { rope_type: "dynamic", factor: 2 } }],
    ["rope_scaling.mscale", { rope_scaling: { ...yarn, mscale: 0.7, mscale_all_dim: 1 } }],
    ["rope_scaling.truncate", { rope_scaling: { ...yarn, truncate: false } }],
    ["rope_scaling.short_factor", { rope_scaling: { type: "linear", factor: 2, short_factor: [1] } }],
    ["hidden_act", { hidden_act: "gelu" }],
    ["attention_bias", { attention_bias: true }],
    ["mlp_bias", { mlp_bias: true }],
    ["quantization_config.quant_method", { quantization_config: { quant_method: "gptq", bits: 4 } }],
    ["quantization_config.quant_method", { quantization_config: { quant_method: "awq", bits: 4 } }],
    ["quantization_config.load_in_8bit", { quantization_config: { load_in_8bit: true } }],
    ["quantization_config.load_in_4bit", { quantization_config: { quant_method: "bitsandbytes" } }],
    ["quantization_config.bnb_4bit_quant_type", { quantization_config: { load_in_4bit: true } }],
    ["quantization_config.bnb_4bit_quant_type", { quantization_config: { ...nf4, bnb_4bit_quant_type: "fp4" } }],
    [
      "quantization_config.bnb_4bit_quant_storage",
      { quantization_config: { ...nf4, bnb_4bit_quant_storage: "bfloat16" } },
    ],
    ["quantization_config.group_size", { quantization_config: { ...nf4, group_size: 128 } }],
  ])("refuses %s as unsupported, as it changes the result", (name, change) => {
    const refusal = expect.objectContaining({
      kind: "unsupported",
      message: expect.stringContaining(`${name} to be `),
    });
    expect(() => parseConfig({ ...plain, ...change })).toThrow(refusal);
  });

  it.each<[string, object]>([
    ["rope_scaling", { rope_scaling: "linear" }],
    ["rope_scaling", { rope_scaling: [] }],
    ["rope_parameters", { rope_parameters: 10000 }],
    ["rope_parameters", { rope_scaling: { ...yarn }, rope_parameters: { ...yarn, factor: 8 } }],
    ["rope_scaling.rope_type", { rope_scaling: { rope_type: 4 } }],
    ["rope_scaling.factor", { rope_scaling: { type: "linear", factor: "2" } }],
    ["tie_word_embeddings", { tie_word_embeddings: "true" }],
    ["attention_bias", { attention_bias: "false" }],
    ["num_hidden_layers", { num_hidden_layers: 4e9 }],
    ["num_hidden_layers", { num_hidden_layers: 1025 }],
    ["vocab_size", { vocab_size: 2 ** 32 }],
    ["num_attention_heads", { num_attention_heads: 2 ** 32 - 1 }],
  ])("refuses %s of another type or beyond all measure as malformed", (name, change) => {
    const refusal = expect.objectContaining({ kind: "format", message: expect.stringContaining(`${name} to be `) });
    expect(() => parseConfig({ ...plain, ...change })).toThrow(refusal);
  });

  it("takes what changes nothing", () => {
    const more = { hidden_act: "swish", rope_scaling: null, attention_bias: null, partial_rotary_factor: 1, extra: 7 };
    expect(parseConfig({ ...plain, ...more })).toEqual(parseConfig(plain));
    expect(parseConfig({ ...plain, rope_parameters: { factor: null } })).toEqual(parseConfig(plain));
  });

  it("has the window of its architecture: none in Llama, 4096 in a Mistral that is silent, none for null", () => {
    const mistral = { ...plain, model_type: "mistral" };
    expect(parseConfig({ ...plain, sliding_window: 48 })).not.toHaveProperty("slidingWindow");
    expect(parseConfig(mistral)).toMatchObject({ slidingWindow: 4096 });
    expect(parseConfig({ ...mistral, sliding_window: null })).not.toHaveProperty("slidingWindow");
    expect(parseConfig({ ...mistral, sliding_window: 48 })).toMatchObject({ slidingWindow: 48 });
    const { max_position_embeddings: _, ...silent } = mistral;
    expect(parseConfig(silent)).toMatchObject({ maxPositionEmbeddings: 131072 });
  });

  it("takes rope_theta from rope_parameters, and refuses two that differ", () => {
    const { rope_theta, ...rest } = plain;
    const five = { ...rest, rope_parameters: { rope_theta, rope_type: "default" } };
    expect(parseConfig(five)).toEqual(parseConfig(plain));
    expect(() => parseConfig({ ...five, rope_theta: 10000 })).toThrow(/rope_theta to be 500000, as in rope_parameters/);
  });
});
