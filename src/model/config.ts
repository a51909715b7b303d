/** What config.json of a Llama-family model says, in Hugging Face's words. */
import { BigVaeError } from "../errors.js";

/** Scalings of the rotary frequencies, as Transformers' modeling_rope_utils.py names them. */
export type RopeScaling =
  | { kind: "default" }
  | { kind: "linear"; factor: number }
  | { kind: "llama3"; factor: number; lowFreqFactor: number; highFreqFactor: number; originalMaxPositions: number }
  | {
      kind: "yarn";
      factor: number;
      betaFast: number;
      betaSlow: number;
      attentionFactor: number;
      originalMaxPositions: number;
    };

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

const ARCHITECTURES: Record<string, string> = { llama: "LlamaForCausalLM", mistral: "MistralForCausalLM" };

/** Reads config.json. Throws for an unsupported architecture (by name), and for a field that is missing or out of range. */
export function parseConfig(json: unknown): ModelConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new BigVaeError(
      "format",
      "config.json: expected an object, got something else; take the file from the model's folder",
    );
  }
  const fields = new Fields(json as Record<string, unknown>);
  refuseOtherArchitectures(fields);
  const hiddenSize = fields.count("hidden_size");
  const numAttentionHeads = fields.count("num_attention_heads");
  const numKeyValueHeads = fields.count("num_key_value_heads", numAttentionHeads);
  const headDim = fields.count("head_dim", hiddenSize / numAttentionHeads);
  const window = fields.json.use_sliding_window === false ? undefined : fields.json.sliding_window;
  const maxPositionEmbeddings = fields.count("max_position_embeddings", 2048);
  if (numAttentionHeads % numKeyValueHeads !== 0) {
    const got = `${numAttentionHeads} and ${numKeyValueHeads}`;
    throw fields.error("num_attention_heads", "a multiple of num_key_value_heads", got);
  }
  if (headDim % 2 !== 0) throw fields.error("head_dim", "an even number", `${headDim}`);
  return {
    vocabSize: fields.count("vocab_size"),
    hiddenSize,
    intermediateSize: fields.count("intermediate_size"),
    numHiddenLayers: fields.count("num_hidden_layers"),
    numAttentionHeads,
    numKeyValueHeads,
    headDim,
    rmsNormEps: fields.positive("rms_norm_eps", 1e-6),
    ropeTheta: parseRopeTheta(fields),
    ropeScaling: parseRopeScaling(fields, maxPositionEmbeddings),
    ...(window == null ? {} : { slidingWindow: fields.count("sliding_window") }),
    maxPositionEmbeddings,
    tieWordEmbeddings: fields.json.tie_word_embeddings === true,
  };
}

/** config.json of a model trained here. */
export function formatConfig(config: ModelConfig, special: { bosId: number; eosId: number }): Record<string, unknown> {
  const type = config.slidingWindow === undefined ? "llama" : "mistral";
  return {
    architectures: [ARCHITECTURES[type]],
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

function refuseOtherArchitectures(fields: Fields): void {
  const { model_type, architectures, hidden_act, attention_bias, mlp_bias } = fields.json;
  const known = Object.values(ARCHITECTURES);
  const name = Array.isArray(architectures) ? architectures[0] : undefined;
  if (!Object.hasOwn(ARCHITECTURES, `${model_type}`) || (name !== undefined && !known.includes(name))) {
    const got = `${model_type}${name === undefined ? "" : ` (${name})`}`;
    throw new BigVaeError(
      "unsupported",
      `config.json: expected the architecture ${known.join(" or ")}, got ${got}; choose a Llama, Mistral, SmolLM2 or TinyLlama model`,
    );
  }
  const activation = hidden_act ?? "silu";
  if (activation !== "silu") throw fields.error("hidden_act", "silu", `${activation}`);
  if ((fields.json.partial_rotary_factor ?? 1) !== 1)
    throw fields.error("partial_rotary_factor", "1", `${fields.json.partial_rotary_factor}`);
  if (attention_bias === true || mlp_bias === true) throw fields.error("attention_bias, mlp_bias", "false", "true");
}

/** Transformers 5 writes it into `rope_parameters`, earlier ones beside the other fields. */
function parseRopeTheta(fields: Fields): number {
  const inner = (fields.json.rope_parameters as Record<string, unknown> | null | undefined)?.rope_theta;
  const theta = fields.positive("rope_theta", (inner ?? 10000) as number);
  if (inner == null || inner === theta) return theta;
  throw fields.error("rope_theta", `${JSON.stringify(inner)}, as in rope_parameters`, `${theta}`);
}

function parseRopeScaling(fields: Fields, maxPositions: number): RopeScaling {
  const raw = fields.json.rope_scaling ?? fields.json.rope_parameters;
  if (raw == null) return { kind: "default" };
  const scaling = new Fields(raw as Record<string, unknown>, "rope_scaling.");
  const kind = `${scaling.json.rope_type ?? scaling.json.type ?? "default"}`;
  const original = () => scaling.count("original_max_position_embeddings", maxPositions);
  switch (kind) {
    case "default":
      return { kind };
    case "linear":
      return { kind, factor: scaling.positive("factor") };
    case "llama3":
      return {
        kind,
        factor: scaling.positive("factor"),
        lowFreqFactor: scaling.positive("low_freq_factor"),
        highFreqFactor: scaling.positive("high_freq_factor"),
        originalMaxPositions: original(),
      };
    case "yarn": {
      // They change the table in ways that no Llama or Mistral config has asked for yet.
      for (const name of ["mscale", "mscale_all_dim"])
        if (scaling.json[name] != null) throw scaling.error(name, "left out", JSON.stringify(scaling.json[name]));
      if (scaling.json.truncate === false) throw scaling.error("truncate", "true", "false");
      const factor = scaling.positive("factor");
      return {
        kind,
        factor,
        betaFast: scaling.positive("beta_fast", 32),
        betaSlow: scaling.positive("beta_slow", 1),
        attentionFactor: scaling.positive("attention_factor", factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1),
        originalMaxPositions: original(),
      };
    }
    default:
      throw scaling.error("rope_type", "default, linear, llama3 or yarn", kind);
  }
}

/** What parseRopeScaling reads; null for plain rotations, as Transformers writes it. */
function formatRopeScaling(scaling: RopeScaling): Record<string, unknown> | null {
  switch (scaling.kind) {
    case "default":
      return null;
    case "linear":
      return { rope_type: "linear", factor: scaling.factor };
    case "llama3":
      return {
        rope_type: "llama3",
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
    case "yarn":
      return {
        rope_type: "yarn",
        factor: scaling.factor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
  }
}

/** Fields of a JSON object, checked as they are read. */
class Fields {
  constructor(
    readonly json: Record<string, unknown>,
    readonly path = "",
  ) {}

  positive(name: string, fallback?: number): number {
    const value = this.json[name] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw this.error(name, "a positive number", JSON.stringify(value) ?? "nothing");
  }

  count(name: string, fallback?: number): number {
    const value = this.positive(name, fallback);
    if (Number.isSafeInteger(value)) return value;
    throw this.error(name, "a whole number", `${value}`);
  }

  error(name: string, expected: string, got: string): BigVaeError {
    return new BigVaeError(
      "format",
      `config.json: expected ${this.path}${name} to be ${expected}, got ${got}; take the file from the model's own folder`,
    );
  }
}
