/**
 * A base of Mistral-7B's shape with random weights, and adapters of the published shape beside it, to measure memory and speed on:
 *   node scripts/random-base.mjs OUTPUT [LAYERS]
 * writes OUTPUT/base (bf16 shards of safetensors), OUTPUT/adapters (rank 32, alpha 8, z 768) and OUTPUT/q4_0.gguf. 32 layers take 19 GB of disk.
 * All tensors are cut from one block of normal numbers. The tokenizer is the pocket model's, so that text can be read and written.
 */
import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const [output, layerCount = "32"] = process.argv.slice(2);
if (!output) {
  process.stderr.write("usage: node scripts/random-base.mjs OUTPUT [LAYERS]\n");
  process.exit(2);
}
const layers = Number(layerCount);
const [vocab, hidden, inner, heads, keyHeads, headDim] = [32000, 4096, 14336, 32, 8, 128];
const [rank, zDim, deviation] = [32, 768, 0.02];

const linears = {
  "self_attn.q_proj": [heads * headDim, hidden],
  "self_attn.k_proj": [keyHeads * headDim, hidden],
  "self_attn.v_proj": [keyHeads * headDim, hidden],
  "self_attn.o_proj": [hidden, heads * headDim],
  "mlp.gate_proj": [inner, hidden],
  "mlp.up_proj": [inner, hidden],
  "mlp.down_proj": [hidden, inner],
};

/** Normal numbers by the sum of uniform ones, from a linear congruential generator. */
const values = new Float32Array(2 ** 22);
let state = 1;
const uniform = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
for (let i = 0; i < values.length; i++)
  values[i] = deviation * (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3);
const bits = new Uint32Array(values.buffer);
const bf16 = Uint16Array.from(bits, (word) => word >>> 16);

/** Writes `bytes` bytes: pieces of `block`, which begin at another place for each tensor. */
function writeCut(file, block, bytes, seed) {
  let at = (seed * 64 * 1031) % block.length;
  for (let left = bytes; left > 0; at = 0) left -= writeSync(file, block, at, Math.min(left, block.length - at));
}

/** The pocket model's tokenizer, with words of their own for the ids beyond it, which random logits choose. */
const tokenizer = JSON.parse(readFileSync(new URL("../pocket/base/tokenizer.json", import.meta.url), "utf8"));
for (let id = Object.keys(tokenizer.model.vocab).length; id < vocab; id++)
  if (!tokenizer.added_tokens.some((added) => added.id === id)) tokenizer.model.vocab[`\u0120word${id}`] = id;

function* tensors() {
  yield ["model.embed_tokens.weight", [vocab, hidden]];
  for (let layer = 0; layer < layers; layer++) {
    for (const norm of ["input_layernorm", "post_attention_layernorm"])
      yield [`model.layers.${layer}.${norm}.weight`, [hidden]];
    for (const [name, shape] of Object.entries(linears)) yield [`model.layers.${layer}.${name}.weight`, shape];
  }
  yield ["model.norm.weight", [hidden]];
  yield ["lm_head.weight", [vocab, hidden]];
}

const sizeOf = (shape) => shape.reduce((size, dim) => size * dim, 1);

/** One safetensors file; `entries` are [name, shape]; matrices are cut from `block`, vectors are `one` repeated. */
function writeShard(path, entries, dtype, block, one) {
  const width = dtype === "BF16" ? 2 : 4;
  let offset = 0;
  const header = {};
  for (const [name, shape] of entries)
    header[name] = { dtype, shape, data_offsets: [offset, (offset += sizeOf(shape) * width)] };
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(path, "w");
  writeSync(file, size);
  writeSync(file, padded);
  for (const [i, [, shape]] of entries.entries()) {
    if (shape.length > 1) writeCut(file, block, sizeOf(shape) * width, i + path.length);
    else writeSync(file, Buffer.concat(Array.from({ length: sizeOf(shape) }, () => one)));
  }
  closeSync(file);
}

function writeBase(folder) {
  mkdirSync(folder, { recursive: true });
  copyFileSync(new URL("../pocket/base/tokenizer_config.json", import.meta.url), join(folder, "tokenizer_config.json"));
  writeFileSync(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  const config = {
    architectures: ["MistralForCausalLM"],
    model_type: "mistral",
    hidden_act: "silu",
    vocab_size: vocab,
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyHeads,
    head_dim: headDim,
    max_position_embeddings: 32768,
    sliding_window: 4096,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: false,
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config, null, 2));
  const all = [...tensors()];
  const perShard = 72; // eight blocks
  const count = Math.ceil(all.length / perShard);
  const weightMap = {};
  for (let shard = 0; shard < count; shard++) {
    const name = `model-${`${shard + 1}`.padStart(5, "0")}-of-${`${count}`.padStart(5, "0")}.safetensors`;
    const entries = all.slice(shard * perShard, (shard + 1) * perShard);
    writeShard(
      join(folder, name),
      entries,
      "BF16",
      Buffer.from(bf16.buffer),
      Buffer.from(Uint16Array.of(0x3f80).buffer),
    );
    for (const [tensor] of entries) weightMap[tensor] = name;
  }
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify({ metadata: {}, weight_map: weightMap }));
}

function writeAdapters(folder) {
  const block = Buffer.from(values.buffer);
  const one = Buffer.from(Float32Array.of(0.01).buffer);
  for (const role of ["encoder", "decoder", "router"]) {
    mkdirSync(join(folder, role), { recursive: true });
    const config = {
      peft_type: "LORA",
      r: rank,
      lora_alpha: 8,
      lora_dropout: 0,
      bias: "none",
      target_modules: Object.keys(linears).map((name) => name.split(".")[1]),
    };
    writeFileSync(join(folder, role, "adapter_config.json"), JSON.stringify(config, null, 2));
    const entries = [];
    for (let layer = 0; layer < layers; layer++) {
      for (const [name, [out, width]] of Object.entries(linears)) {
        const path = `base_model.model.model.layers.${layer}.${name}`;
        entries.push([`${path}.lora_A.weight`, [rank, width]], [`${path}.lora_B.weight`, [out, rank]]);
      }
    }
    writeShard(join(folder, role, "adapter_model.safetensors"), entries, "F32", block, one);
  }
  const head = [
    ["f.weight", [1, hidden]],
    ["f.bias", [1]],
    ["w_e.weight", [zDim, hidden]],
    ["w_e.bias", [zDim]],
    ["w_d.weight", [hidden, zDim]],
    ["w_d.bias", [hidden]],
  ];
  writeShard(join(folder, "vae.safetensors"), head, "F32", block, one);
}

/** GGUF, version 3: metadata, tensor infos, then tensors at multiples of 32 bytes. */
function writeGguf(path) {
  const parts = [];
  const u32 = (value) => parts.push(Buffer.from(Uint32Array.of(value).buffer));
  const u64 = (value) => parts.push(Buffer.from(BigUint64Array.of(BigInt(value)).buffer));
  const text = (value) => {
    const bytes = Buffer.from(value);
    u64(bytes.length);
    parts.push(bytes);
  };
  const tokens = Object.entries(tokenizer.model.vocab)
    .sort((a, b) => a[1] - b[1])
    .map(([token]) => token);
  for (const { id, content } of tokenizer.added_tokens) tokens[id] = content;
  const merges = tokenizer.model.merges.map((pair) => (Array.isArray(pair) ? pair.join(" ") : pair));
  const types = tokens.map((_, id) => (tokenizer.added_tokens.some((added) => added.id === id) ? 3 : 1));
  const eos = tokens.indexOf(
    JSON.parse(readFileSync(new URL("../pocket/base/tokenizer_config.json", import.meta.url), "utf8")).eos_token,
  );
  const [U32, F32, STRING, ARRAY, I32] = [4, 6, 8, 9, 5];
  const metadata = [
    ["general.architecture", STRING, "llama"],
    ["llama.embedding_length", U32, hidden],
    ["llama.feed_forward_length", U32, inner],
    ["llama.block_count", U32, layers],
    ["llama.attention.head_count", U32, heads],
    ["llama.attention.head_count_kv", U32, keyHeads],
    ["llama.context_length", U32, 32768],
    ["llama.attention.layer_norm_rms_epsilon", F32, 1e-5],
    ["llama.rope.dimension_count", U32, headDim],
    ["tokenizer.ggml.model", STRING, "gpt2"],
    ["tokenizer.ggml.pre", STRING, "smollm"],
    ["tokenizer.ggml.tokens", ARRAY, [STRING, tokens]],
    ["tokenizer.ggml.token_type", ARRAY, [I32, types]],
    ["tokenizer.ggml.merges", ARRAY, [STRING, merges]],
    ["tokenizer.ggml.eos_token_id", U32, eos],
  ];
  const names = { "model.embed_tokens": "token_embd", "model.norm": "output_norm", lm_head: "output" };
  const layerNames = {
    input_layernorm: "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    post_attention_layernorm: "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
  };
  const ggufName = (name) => {
    const module = name.replace(/\.weight$/, "");
    const [, layer, part] = /^model\.layers\.(\d+)\.(.*)$/.exec(module) ?? [];
    return layer === undefined ? `${names[module]}.weight` : `blk.${layer}.${layerNames[part]}.weight`;
  };
  const entries = [...tensors()];
  parts.push(Buffer.from("GGUF"));
  u32(3);
  u64(entries.length);
  u64(metadata.length);
  const write = {
    [U32]: u32,
    [I32]: u32,
    [F32]: (value) => parts.push(Buffer.from(Float32Array.of(value).buffer)),
    [STRING]: text,
  };
  for (const [key, type, value] of metadata) {
    text(key);
    u32(type);
    if (type !== ARRAY) write[type](value);
    else {
      const [item, items] = value;
      u32(item);
      u64(items.length);
      for (const each of items) write[item](each);
    }
  }
  const bytesOf = (shape) => (shape.length > 1 ? (sizeOf(shape) / 32) * 18 : sizeOf(shape) * 4);
  let offset = 0;
  for (const [name, shape] of entries) {
    text(ggufName(name));
    u32(shape.length);
    for (const dim of shape.toReversed()) u64(dim);
    u32(shape.length > 1 ? 2 : 0);
    u64(offset);
    offset = Math.ceil((offset + bytesOf(shape)) / 32) * 32;
  }
  const file = openSync(path, "w");
  let at = 0;
  const put = (bytes) => (at += writeSync(file, bytes));
  const align = () => put(Buffer.alloc((32 - (at % 32)) % 32));
  put(Buffer.concat(parts));
  align();
  const block = q4Blocks();
  for (const [i, [, shape]] of entries.entries()) {
    if (shape.length === 1) put(Buffer.from(new Float32Array(sizeOf(shape)).fill(1).buffer));
    else {
      // Pieces of whole blocks of 18 bytes.
      let start = ((i * 1031) % (block.length / 18)) * 18;
      for (let left = bytesOf(shape); left > 0; start = 0) {
        const piece = block.subarray(start, start + Math.min(left, block.length - start));
        put(piece);
        left -= piece.length;
      }
    }
    align();
  }
  closeSync(file);
}

/** The block of numbers in Q4_0: a half-precision scale and 16 bytes of two values. */
function q4Blocks() {
  const count = values.length / 32;
  const bytes = Buffer.alloc(count * 18);
  for (let block = 0; block < count; block++) {
    // 2^-8, about a third of the deviation.
    bytes.writeUInt16LE(0x1c00, block * 18);
    for (let i = 0; i < 16; i++) {
      const q = (value) => Math.max(0, Math.min(15, Math.round(value * 256 + 8)));
      bytes[block * 18 + 2 + i] = q(values[block * 32 + i]) | (q(values[block * 32 + 16 + i]) << 4);
    }
  }
  return bytes;
}

writeBase(join(output, "base"));
writeAdapters(join(output, "adapters"));
writeGguf(join(output, "q4_0.gguf"));
