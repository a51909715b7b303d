/**
 * A GGUF model of the llama architecture in Hugging Face's terms: config, tensor names and the order of q's and k's rows.
 * After gguf-py tensor_mapping.py and llama.cpp convert_hf_to_gguf.py (LlamaModel), read backwards.
 */
import { BigVaeError } from "../errors.js";
import type { GgufHeader, GgufMetadata } from "./gguf.js";

/** config.json's fields that are known from GGUF metadata. */
export interface GgufConfig {
  /** One: LlamaForCausalLM. */
  readonly architectures: readonly string[];
  /** By which Hugging Face chooses the model's class. */
  readonly model_type: "llama";
  /** Activation in the feed-forward part. */
  readonly hidden_act: "silu";
  /** Width of the hidden states. */
  readonly hidden_size: number;
  /** Inner width of the feed-forward part. */
  readonly intermediate_size: number;
  /** Blocks. */
  readonly num_hidden_layers: number;
  /** Query heads of a block. */
  readonly num_attention_heads: number;
  /** Key heads of a block, each shared by equally many query heads. */
  readonly num_key_value_heads: number;
  /** Width of a head. */
  readonly head_dim: number;
  /** Longest text, in tokens. */
  readonly max_position_embeddings: number;
  /** Added to the mean square under RMSNorm's root. */
  readonly rms_norm_eps: number;
  /** Base of the rotary angles; 10000 where the file does not say. */
  readonly rope_theta: number;
  /** The output layer is the table of embeddings. */
  readonly tie_word_embeddings: boolean;
  /** Tokens, rows of the table of embeddings. */
  readonly vocab_size: number;
  /** Id that begins a text, where there is one. */
  readonly bos_token_id?: number;
  /** Id that ends a text, where there is one. */
  readonly eos_token_id?: number;
}

/**
 * The config of a llama model.
 * @throws BigVaeError("unsupported") for another architecture, experts, scaled RoPE or heads that differ by layer,
 * BigVaeError("format") for a missing number.
 */
export function configFromGguf({ metadata, tensors }: GgufHeader): GgufConfig {
  checkArchitecture(metadata, tensors.has("rope_freqs.weight"));
  const hiddenSize = whole(metadata, "llama.embedding_length");
  const heads = whole(metadata, "llama.attention.head_count");
  const headDim = whole(
    metadata,
    "llama.attention.key_length",
    whole(metadata, "llama.rope.dimension_count", hiddenSize / heads),
  );
  const config: GgufConfig = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: hiddenSize,
    intermediate_size: whole(metadata, "llama.feed_forward_length"),
    num_hidden_layers: whole(metadata, "llama.block_count"),
    num_attention_heads: heads,
    num_key_value_heads: whole(metadata, "llama.attention.head_count_kv", heads),
    head_dim: headDim,
    max_position_embeddings: whole(metadata, "llama.context_length"),
    rms_norm_eps: decimal(metadata, "llama.attention.layer_norm_rms_epsilon"),
    rope_theta: decimal(metadata, "llama.rope.freq_base", 10000),
    tie_word_embeddings: !tensors.has("output.weight"),
    vocab_size: vocabularySize({ metadata, tensors }),
    bos_token_id: optional(metadata, "tokenizer.ggml.bos_token_id"),
    eos_token_id: optional(metadata, "tokenizer.ggml.eos_token_id"),
  };
  checkHeads(config, metadata);
  return config;
}

function checkArchitecture(metadata: GgufMetadata, hasRopeFactors: boolean): void {
  const architecture = metadata.get("general.architecture");
  if (architecture !== "llama")
    throw new BigVaeError(
      "unsupported",
      `The GGUF file holds the architecture ${JSON.stringify(architecture)}; only "llama" is supported.`,
    );
  const experts = metadata.get("llama.expert_count") ?? 0;
  if (experts !== 0)
    throw new BigVaeError("unsupported", `The GGUF file has ${String(experts)} experts; use a dense model.`);
  const scaling = metadata.get("llama.rope.scaling.type") ?? "none";
  if (scaling !== "none" || hasRopeFactors)
    throw new BigVaeError(
      "unsupported",
      "The GGUF file scales its RoPE, which is not supported; use a model without scaling.",
    );
}

function checkHeads(config: GgufConfig, metadata: GgufMetadata): void {
  const { num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim: headDim } = config;
  const valueLength = whole(metadata, "llama.attention.value_length", headDim);
  const rotated = whole(metadata, "llama.rope.dimension_count", headDim);
  if (heads % keyHeads !== 0 || headDim % 2 !== 0)
    throw new BigVaeError(
      "format",
      `The GGUF file has ${heads} heads of ${headDim} over ${keyHeads} key heads, which do not divide.`,
    );
  if (valueLength !== headDim || rotated !== headDim)
    throw new BigVaeError(
      "unsupported",
      `The GGUF file has heads of ${headDim}, values of ${valueLength} and RoPE over ${rotated}; they must be equal.`,
    );
}

function vocabularySize({ metadata, tensors }: GgufHeader): number {
  const embedding = tensors.get("token_embd.weight");
  if (embedding?.shape.length === 2) return embedding.shape[0]!;
  return whole(metadata, "llama.vocab_size");
}

function whole(metadata: GgufMetadata, key: string, fallback?: number): number {
  const value = metadata.get(key) ?? fallback;
  if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
  if (typeof value === "object")
    throw new BigVaeError("unsupported", `The GGUF file gives ${key} by layer; only one number for all is supported.`);
  throw new BigVaeError("format", `The GGUF file has ${key} ${String(value)}; expected a whole number above 0.`);
}

/** fp32 0.00001 is 9.999999747378752e-6 as a double: seven digits give back what was meant. */
function decimal(metadata: GgufMetadata, key: string, fallback?: number): number {
  const value = metadata.get(key) ?? fallback;
  if (typeof value === "number" && value > 0 && Number.isFinite(value)) return Number(value.toPrecision(7));
  throw new BigVaeError("format", `The GGUF file has ${key} ${String(value)}; expected a number above 0.`);
}

function optional(metadata: GgufMetadata, key: string): number | undefined {
  const value = metadata.get(key);
  return typeof value === "number" ? value : undefined;
}

const NAMES: ReadonlyMap<string, string> = new Map([
  ["token_embd", "model.embed_tokens"],
  ["output_norm", "model.norm"],
  ["output", "lm_head"],
]);
const LAYER_NAMES: ReadonlyMap<string, string> = new Map([
  ["attn_norm", "input_layernorm"],
  ["attn_q", "self_attn.q_proj"],
  ["attn_k", "self_attn.k_proj"],
  ["attn_v", "self_attn.v_proj"],
  ["attn_output", "self_attn.o_proj"],
  ["ffn_norm", "post_attention_layernorm"],
  ["ffn_gate", "mlp.gate_proj"],
  ["ffn_up", "mlp.up_proj"],
  ["ffn_down", "mlp.down_proj"],
]);

/** "model.layers.0.self_attn.q_proj.weight" for "blk.0.attn_q.weight". @throws BigVaeError("unsupported") for other tensors. */
export function huggingFaceName(name: string): string {
  const [, module = "", kind] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
  const [, layer, part = ""] = /^blk\.(0|[1-9]\d*)\.(.*)$/.exec(module) ?? [];
  const layerName = LAYER_NAMES.get(part);
  if (layer !== undefined && layerName) return `model.layers.${layer}.${layerName}.${kind}`;
  const known = NAMES.get(module);
  if (known) return `${known}.${kind}`;
  throw new BigVaeError("unsupported", `The GGUF file holds a tensor ${JSON.stringify(name)}, which no Llama has.`);
}

/** Heads whose rows are permuted in `name` (Hugging Face's): of q or of k; 0 for other tensors. */
export function permutedHeads(name: string, config: GgufConfig): number {
  if (/\.q_proj\.(weight|bias)$/.test(name)) return config.num_attention_heads;
  return /\.k_proj\.(weight|bias)$/.test(name) ? config.num_key_value_heads : 0;
}

/**
 * Rows of q or k from GGUF's order, where each pair that RoPE rotates lies together, to Hugging Face's, where a head's
 * first halves come first: row 2 i + s of a head goes to s * headDim / 2 + i.
 */
export function unpermuteRows<T extends Float32Array | Uint8Array>(from: T, rows: number, heads: number): T {
  const to = from.slice() as T;
  const width = from.length / rows;
  const headDim = rows / heads;
  for (let row = 0; row < rows; row++) {
    const within = row % headDim;
    const target = row - within + (within & 1) * (headDim / 2) + (within >> 1);
    to.set(from.subarray(row * width, (row + 1) * width), target * width);
  }
  return to;
}
