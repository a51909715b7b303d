/** config.json of a Llama-family model, by Hugging Face's names. */
import { BigVaeError } from "../errors.js";
import { Fields } from "./configFields.js";
import { checkQuantization } from "./quantizationConfig.js";
import { formatRopeScaling, parseRope, type RopeScaling } from "./ropeConfig.js";

export interface ModelConfig {
  vocabSize: number;
  /** D */
  hiddenSize: number;
  intermediateSize: number;
  numHiddenLayers: number;
  numAttentionHeads: number;
  numKeyValueHeads: number;
  /** Width of one head. */
  headDim: number;
  rmsNormEps: number;
  ropeTheta: number;
  ropeScaling: RopeScaling;
  /** Token i sees tokens j with i - slidingWindow < j <= i. */
  slidingWindow?: number;
  maxPositionEmbeddings: number;
  /** The head is the embedding table. */
  tieWordEmbeddings: boolean;
}

/** An architecture with the defaults of its configuration class in Transformers. */
interface Architecture {
  name: string;
  maxPositions: number;
  /** Whether `sliding_window` is one of its fields, and its value where there is no such key; null says none. */
  slidingWindow?: number;
}

const ARCHITECTURES: Readonly<Record<string, Architecture>> = {
  llama: { name: "LlamaForCausalLM", maxPositions: 2048 },
  mistral: { name: "MistralForCausalLM", maxPositions: 131072, slidingWindow: 4096 },
};

/** llama.cpp's limit is 512, the deepest Llama has 126. */
const MAX_LAYERS = 1024;

/**
 * Reads config.json. Throws "unsupported" for another architecture (by name) and for what changes the result of one that is known, "format"
 * for a field that is missing, of another type or out of range. Other fields are those that Transformers' Llama and Mistral do not read.
 */
export function parseConfig(json: unknown): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new BigVaeError("format", {
      subject: "config.json",
      expected: "an object",
      got: "something else",
      remedy: "take the file from the model's folder",
    });
  }
  const fields = new Fields(json as Record<string, unknown>);
  const architecture = architectureOf(fields);
  refuseVariants(fields);
  const maxPositionEmbeddings = fields.count("max_position_embeddings", {
    fallback: architecture.maxPositions,
    max: Number.MAX_SAFE_INTEGER,
  });
  return {
    vocabSize: fields.count("vocab_size"),
    intermediateSize: fields.count("intermediate_size"),
    numHiddenLayers: fields.count("num_hidden_layers", { max: MAX_LAYERS }),
    ...parseHeads(fields),
    rmsNormEps: fields.positive("rms_norm_eps", 1e-6),
    ...parseRope(fields, maxPositionEmbeddings),
    ...parseWindow(fields, architecture),
    maxPositionEmbeddings,
    tieWordEmbeddings: fields.flag("tie_word_embeddings") ?? false,
  };
}

function parseHeads(fields: Fields) {
  const hiddenSize = fields.count("hidden_size");
  const numAttentionHeads = fields.count("num_attention_heads");
  const numKeyValueHeads = fields.count("num_key_value_heads", { fallback: numAttentionHeads });
  const headDim = fields.count("head_dim", { fallback: hiddenSize / numAttentionHeads });
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    const got = `${numAttentionHeads} and ${numKeyValueHeads}`;
    throw fields.error("num_attention_heads", "a multiple of num_key_value_heads", got);
  }
  if (headDim % 2 !== 0) throw fields.error("head_dim", "an even number", `${headDim}`);
  return { hiddenSize, numAttentionHeads, numKeyValueHeads, headDim };
}

function parseWindow(fields: Fields, { slidingWindow }: Architecture): { slidingWindow?: number } {
  if (slidingWindow === undefined || fields.json.sliding_window === null) return {};
  return { slidingWindow: fields.count("sliding_window", { fallback: slidingWindow }) };
}

/** config.json of a model trained here. */
export function formatConfig(config: ModelConfig, special: { bosId: number; eosId: number }): Record<string, unknown> {
  const type = config.slidingWindow === undefined ? "llama" : "mistral";
  return {
    architectures: [ARCHITECTURES[type]!.name],
    bos_token_id: special.bosId,
    eos_token_id: special.eosId,
    head_dim: config.headDim,
    hidden_act: "silu",
    hidden_size: config.hiddenSize,
    initializer_range: 0.02,
    intermediate_size: config.intermediateSize,
    max_position_embeddings: config.maxPositionEmbeddings,
    model_type: type,
    num_attention_heads: config.numAttentionHeads,
    num_hidden_layers: config.numHiddenLayers,
    num_key_value_heads: config.numKeyValueHeads,
    rms_norm_eps: config.rmsNormEps,
    rope_scaling: formatRopeScaling(config.ropeScaling),
    rope_theta: config.ropeTheta,
    ...(config.slidingWindow === undefined ? {} : { sliding_window: config.slidingWindow }),
    tie_word_embeddings: config.tieWordEmbeddings,
    torch_dtype: "float32",
    use_cache: true,
    vocab_size: config.vocabSize,
  };
}

function architectureOf(fields: Fields): Architecture {
  const { model_type, architectures } = fields.json;
  const known = Object.values(ARCHITECTURES).map(({ name }) => name);
  const name = Array.isArray(architectures) ? architectures[0] : undefined;
  if (Object.hasOwn(ARCHITECTURES, `${model_type}`) && (name === undefined || known.includes(name)))
    return ARCHITECTURES[`${model_type}`]!;
  const got = `${model_type}${name === undefined ? "" : ` (${name})`}`;
  throw new BigVaeError("unsupported", {
    subject: "config.json",
    expected: `the architecture ${known.join(" or ")}`,
    got,
    remedy: "choose a Llama, Mistral, SmolLM2 or TinyLlama model",
  });
}

/** Fields that change what Transformers computes or reads from the weights, with the values that are supported. */
function refuseVariants(fields: Fields): void {
  fields.expectOnly("hidden_act", "silu", "swish");
  fields.expectOnly("partial_rotary_factor", 1);
  checkQuantization(fields);
  for (const name of ["attention_bias", "mlp_bias"]) if (fields.flag(name)) fields.expectOnly(name, false);
}
