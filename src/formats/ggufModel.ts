/**
 * A GGUF model of the llama architecture in Hugging Face's terms: config, tensor names and the order of q's and k's rows.
 * After gguf-py tensor_mapping.py and llama.cpp convert_hf_to_gguf.py (LlamaModel), read backwards.
 */
import { BigVaeError, quote } from "../errors.js";
import type { GgufHeader } from "./gguf.js";
import { GgufFields, shown } from "./ggufFields.js";
import { malformed } from "./malformed.js";

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
  /** How the rotary angles are scaled; null where they are not. */
  readonly rope_scaling: {
    /** The only kind that GGUF files of this architecture have here. */
    readonly rope_type: "linear";
    /** Positions are divided by it. */
    readonly factor: number;
  } | null;
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
 * @throws BigVaeError("unsupported") for another architecture, for heads that differ by layer and for every key that may change the result
 * and is not known here, BigVaeError("format") for a missing number and for more blocks than the file holds.
 */
export function configFromGguf({ metadata, tensors }: GgufHeader): GgufConfig {
  const fields = new GgufFields(metadata);
  checkArchitecture(fields);
  const hiddenSize = fields.whole("llama.embedding_length");
  const heads = fields.whole("llama.attention.head_count");
  const rotated = fields.whole("llama.rope.dimension_count", hiddenSize / heads);
  const config: GgufConfig = {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    hidden_act: "silu",
    hidden_size: hiddenSize,
    intermediate_size: fields.whole("llama.feed_forward_length"),
    num_hidden_layers: blockCount(fields, tensors.size),
    num_attention_heads: heads,
    num_key_value_heads: fields.whole("llama.attention.head_count_kv", heads),
    head_dim: fields.whole("llama.attention.key_length", rotated),
    max_position_embeddings: fields.whole("llama.context_length"),
    rms_norm_eps: fields.decimal("llama.attention.layer_norm_rms_epsilon"),
    rope_theta: fields.decimal("llama.rope.freq_base", 10000),
    rope_scaling: ropeScaling(fields, tensors.has("rope_freqs.weight")),
    tie_word_embeddings: !tensors.has("output.weight"),
    vocab_size: vocabularySize(fields, tensors),
    bos_token_id: fields.id("tokenizer.ggml.bos_token_id"),
    eos_token_id: fields.id("tokenizer.ggml.eos_token_id"),
  };
  checkHeads(config, fields);
  fields.refuseUnread();
  return config;
}

function checkArchitecture(fields: GgufFields): void {
  const architecture = fields.value("general.architecture");
  if (architecture !== "llama")
    throw new BigVaeError("unsupported", {
      subject: "GGUF file",
      expected: 'the architecture "llama"',
      got: shown(architecture),
      remedy: "choose a Llama-family model",
    });
}

/** Each block has tensors of its own. */
function blockCount(fields: GgufFields, tensorCount: number): number {
  const count = fields.whole("llama.block_count");
  if (count <= tensorCount) return count;
  throw malformed("GGUF file", `tensors for each of its ${count} blocks`, `${tensorCount} tensors in all`);
}

/** As llama.cpp's load_hparams: a factor alone means linear scaling; files of 2023 have it under another key; 0 is none. */
function ropeScaling(fields: GgufFields, hasFactors: boolean): GgufConfig["rope_scaling"] {
  const type = fields.value("llama.rope.scaling.type") ?? "linear";
  const old = fields.value("llama.rope.scale_linear");
  const factor = fields.value("llama.rope.scaling.factor") ?? old ?? 0;
  if (hasFactors || (type !== "none" && type !== "linear"))
    throw new BigVaeError("unsupported", {
      subject: "GGUF file",
      expected: 'RoPE scaled as "linear" or "none"',
      got: hasFactors ? "factors in the tensor rope_freqs.weight" : shown(type),
      remedy: "use the model's folder of safetensors",
    });
  if (typeof factor !== "number" || !Number.isFinite(factor) || factor < 0)
    throw malformed("GGUF file", "a RoPE factor that is a number of at least 0", shown(factor));
  if (type === "none" || factor === 0 || factor === 1) return null;
  return { rope_type: "linear", factor: Number(factor.toPrecision(7)) };
}

function checkHeads(config: GgufConfig, fields: GgufFields): void {
  const { num_attention_heads: heads, num_key_value_heads: keyHeads, head_dim: headDim } = config;
  const valueLength = fields.whole("llama.attention.value_length", headDim);
  const rotated = fields.whole("llama.rope.dimension_count", headDim);
  if (heads % keyHeads !== 0 || headDim % 2 !== 0)
    throw malformed(
      "GGUF file",
      `heads of an even width and key heads that divide the ${heads} heads`,
      `a width of ${headDim} and ${keyHeads} key heads`,
    );
  if (valueLength !== headDim || rotated !== headDim)
    throw new BigVaeError("unsupported", {
      subject: "GGUF file",
      expected: `values and RoPE of the heads' width, ${headDim}`,
      got: `${valueLength} and ${rotated}`,
      remedy: "choose a model where they are equal",
    });
}

function vocabularySize(fields: GgufFields, tensors: GgufHeader["tensors"]): number {
  const embedding = tensors.get("token_embd.weight");
  if (embedding?.shape.length === 2) return embedding.shape[0]!;
  return fields.whole("llama.vocab_size");
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
  const [, module = ""] = /^(.*)\.weight$/.exec(name) ?? [];
  const [, layer, part = ""] = /^blk\.(0|[1-9]\d*)\.(.*)$/.exec(module) ?? [];
  const layerName = LAYER_NAMES.get(part);
  if (layer !== undefined && layerName) return `model.layers.${layer}.${layerName}.weight`;
  const known = NAMES.get(module);
  if (known) return `${known}.weight`;
  throw new BigVaeError("unsupported", {
    subject: "GGUF file",
    expected: "the tensors of a plain Llama alone",
    got: `${quote(name)} too`,
    remedy: "choose a model without it",
  });
}

/** Heads whose rows are permuted in `name` (Hugging Face's): of q or of k; 0 for other tensors. */
export function permutedHeads(name: string, config: GgufConfig): number {
  if (/\.q_proj\.weight$/.test(name)) return config.num_attention_heads;
  return /\.k_proj\.weight$/.test(name) ? config.num_key_value_heads : 0;
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
