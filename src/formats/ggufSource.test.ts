import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TINY_METADATA, tinyModel } from "../../test/fixtures/gguf/build.js";
import { parseConfig } from "../model/config.js";
import { loadTokenizer } from "../tokenizer/tokenizer.js";
import { parseGguf } from "./gguf.js";
import { openGguf } from "./ggufFile.js";
import { ggufSource } from "./ggufSource.js";
import { tokenizerConfigFromGguf, tokenizerFromGguf } from "./ggufTokenizer.js";

const open = (bytes: Uint8Array) => {
  return ggufSource(parseGguf(bytes, bytes.length), async (begin, end) => bytes.subarray(begin, end));
};

describe("ggufSource", () => {
  it("gives Hugging Face's names, shapes and config", () => {
    const source = open(
      tinyModel({ "token_embd.weight": [32, 3], "blk.0.ffn_down.weight": [64, 32], "output_norm.weight": [32] }),
    );
    expect(source.names).toEqual([
      "model.embed_tokens.weight",
      "model.layers.0.mlp.down_proj.weight",
      "model.norm.weight",
    ]);
    expect(source.info("model.layers.0.mlp.down_proj.weight")).toEqual({ dtype: "F32", shape: [32, 64] });
    expect(source.config).toMatchObject({
      model_type: "llama",
      hidden_size: 32,
      num_key_value_heads: 1,
      head_dim: 16,
      rms_norm_eps: 1e-5,
      rope_theta: 10000,
      vocab_size: 3,
      tie_word_embeddings: true,
    });
    expect(open(tinyModel({ "output.weight": [32, 3], "token_embd.weight": [32, 3] })).config.tie_word_embeddings).toBe(
      false,
    );
  });

  it("puts the rows of q and k back, inverse to llama.cpp's permutation", async () => {
    const source = open(
      tinyModel({ "token_embd.weight": [32, 3], "blk.0.attn_q.weight": [32, 32], "blk.0.attn_k.weight": [32, 16] }),
    );
    for (const [name, heads] of [
      ["q", 2],
      ["k", 1],
    ] as const) {
      const values = await source.readFloat32(`model.layers.0.self_attn.${name}_proj.weight`);
      // convert_hf_to_gguf.py, permute: reshape(heads, 2, 8, 32).swapaxes(1, 2) takes Hugging Face's row (h, s, i) to (h, i, s).
      for (let h = 0; h < heads; h++)
        for (let s = 0; s < 2; s++)
          for (let i = 0; i < 8; i++) expect(values[(16 * h + 8 * s + i) * 32]).toBe((16 * h + 2 * i + s) * 32);
      const raw = await source.readRaw(`model.layers.0.self_attn.${name}_proj.weight`);
      expect(raw).toMatchObject({ dtype: "F32", data: values });
    }
  });

  it.each<[string, object, RegExp]>([
    ["another architecture", { "general.architecture": "gemma" }, /the architecture "llama", got "gemma"/],
    ["experts", { "llama.expert_count": 8 }, /llama\.expert_count to be 0, got 8/],
    ["RoPE of another scaling", { "llama.rope.scaling.type": "yarn" }, /RoPE scaled as "linear" or "none", got "yarn"/],
    [
      "a RoPE factor that is none",
      { "llama.rope.scale_linear": "4" },
      /a RoPE factor that is a number of at least 0, got "4"/,
    ],
    ["a RoPE scale of unclear meaning", { "llama.rope.scale": 4 }, /llama\.rope\.scale to be 1, got 4/],
    ["a window", { "llama.attention.sliding_window": 64 }, /llama\.attention\.sliding_window to be 0, got 64/],
    ["a key that nobody knows", { "llama.logit_scale": 0.5 }, /llama\.logit_scale to be left out, got 0\.5/],
    ["one part of several", { "split.count": 2 }, /split\.count to be 0 or 1, got 2/],
    ["an adapter", { "general.type": "adapter" }, /general\.type to be "model", got "adapter"/],
    [
      "more blocks than tensors",
      { "llama.block_count": 2 ** 32 - 1 },
      /tensors for each of its 4294967295 blocks, got 1 tensors in all/,
    ],
    [
      "heads by layer",
      { "llama.attention.head_count_kv": Int32Array.of(1, 1) },
      /one llama\.attention\.head_count_kv for all layers, got one for each layer/,
    ],
    [
      "heads that do not divide",
      { "llama.attention.head_count_kv": 3 },
      /key heads that divide the \d+ heads, got .* 3 key heads/,
    ],
    [
      "a missing width",
      { "llama.embedding_length": "wide" },
      /llama\.embedding_length to be a whole number above 0, got "wide"/,
    ],
    [
      "partial RoPE",
      { "llama.rope.dimension_count": 8, "llama.attention.key_length": 16 },
      /values and RoPE of the heads' width, 16, got 16 and 8/,
    ],
  ])("refuses %s", (_, fields, message) => {
    const metadata = { ...TINY_METADATA, ...fields };
    expect(() => open(tinyModel({ "token_embd.weight": [32, 3] }, metadata))).toThrow(message);
  });

  it.each<[string, Record<string, number | string | boolean>, object | null]>([
    ["the key of 2023", { "llama.rope.scale_linear": 4 }, { rope_type: "linear", factor: 4 }],
    ["a factor without a type", { "llama.rope.scaling.factor": 2.5 }, { rope_type: "linear", factor: 2.5 }],
    [
      "both keys",
      { "llama.rope.scaling.type": "linear", "llama.rope.scaling.factor": 2, "llama.rope.scale_linear": 4 },
      { rope_type: "linear", factor: 2 },
    ],
    ["a type that says none", { "llama.rope.scaling.type": "none", "llama.rope.scaling.factor": 4 }, null],
    ["factor 0", { "llama.rope.scaling.factor": 0, "llama.rope.scaling.finetuned": true }, null],
    ["factor 1", { "llama.rope.scale_linear": 1, "llama.expert_count": 0 }, null],
  ])("scales RoPE as llama.cpp does: %s", (_, fields, scaling) => {
    const { config } = open(tinyModel({ "token_embd.weight": [32, 3] }, { ...TINY_METADATA, ...fields }));
    expect(config.rope_scaling).toEqual(scaling);
    expect(parseConfig(config).ropeScaling).toEqual(
      scaling ? { kind: "linear", factor: (scaling as { factor: number }).factor } : { kind: "default" },
    );
  });

  it("refuses foreign tensors and q of the wrong height", () => {
    expect(() => open(tinyModel({ "token_embd.weight": [32, 3], "blk.0.ssm_in.weight": [4] }))).toThrow(
      /the tensors of a plain Llama alone, got "blk\.0\.ssm_in\.weight" too/,
    );
    for (const bias of ["blk.0.attn_q.bias", "blk.0.ffn_up.bias", "output_norm.bias"])
      expect(() => open(tinyModel({ "token_embd.weight": [32, 3], [bias]: [32] }))).toThrow(
        expect.objectContaining({ kind: "unsupported", message: expect.stringContaining(bias) }),
      );
    expect(() => open(tinyModel({ "token_embd.weight": [32, 3], "blk.0.attn_q.weight": [32, 48] }))).toThrow(
      /2 heads of 16 rows, got the shape \[48, 32\]/,
    );
  });

  it("reads from a file by ranges, also a header longer than the first read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "bigvae-gguf-"));
    const tokens = Array.from({ length: 150_000 }, (_, i) => `token number ${i} and on and on`);
    const path = join(folder, "m.gguf");
    const { GgufBuilder } = await import("../../test/fixtures/gguf/build.js");
    const builder = new GgufBuilder().header(1, Object.keys(TINY_METADATA).length + 1);
    for (const [key, value] of Object.entries(TINY_METADATA)) builder.entry(key, value);
    builder.entry("tokenizer.ggml.tokens", tokens).tensor("token_embd.weight", [32, 2], 0, 0).pad();
    await writeFile(path, builder.data(new Uint8Array(256)).build());
    const source = await openGguf(path);
    expect(source.metadata.get("tokenizer.ggml.tokens")).toHaveLength(150_000);
    expect(await source.readFloat32("model.embed_tokens.weight")).toEqual(new Float32Array(64));
    await source.close();
    await rm(folder, { recursive: true });
  });
});

describe("tokenizerFromGguf", () => {
  it("rebuilds SentencePiece merges from scores", () => {
    const bytes = Array.from({ length: 256 }, (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`);
    const pieces = ["▁", "a", "b", "ab", "▁ab", "▁a", "c"];
    const tokens = ["<unk>", "<s>", "</s>", ...bytes, ...pieces];
    const scores = Float32Array.from(tokens, (_, i) => (i < 259 ? 0 : [-5, -6, -7, -1, -2, -3, -8][i - 259]!));
    const types = Int32Array.from(tokens, (_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1));
    const { metadata } = parseGguf(
      ...sized(
        tinyModel(
          {},
          {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": scores,
            "tokenizer.ggml.token_type": types,
            "tokenizer.ggml.bos_token_id": 1,
            "tokenizer.ggml.eos_token_id": 2,
          },
        ),
      ),
    );
    const json = tokenizerFromGguf(metadata) as { model: { merges: string[][] } };
    expect(json.model.merges).toEqual([
      ["a", "b"],
      ["▁a", "b"],
      ["▁", "ab"],
      ["▁", "a"],
    ]);
    const tokenizer = loadTokenizer(json, tokenizerConfigFromGguf(metadata));
    expect(tokenizer.encode("ab cé").map((id) => tokenizer.tokenText(id))).toEqual([
      "▁ab",
      "▁",
      "c",
      "<0xC3>",
      "<0xA9>",
    ]);
    expect(tokenizer.decode(tokenizer.encodeWithBos(" ab cé\n"), { skipSpecial: true })).toBe(" ab cé\n");
    expect(tokenizer).toMatchObject({ bosId: 1, eosId: 2 });
    // The unknown token spelt out is that token, as in llama.cpp and in the folder's form.
    expect(tokenizer.encode("<unk>c").at(0)).toBe(0);
    expect(tokenizer.decode([0, 265], { skipSpecial: true })).toBe("c");
  });

  it.each<[string, Record<string, string | string[] | Int32Array>, RegExp]>([
    ["another kind", { "tokenizer.ggml.model": "bert" }, /a tokenizer of kind "gpt2" or "llama", got "bert"/],
    ["no tokens", { "tokenizer.ggml.model": "gpt2" }, /tokenizer\.ggml\.tokens to be a list of texts, got none/],
    [
      "types of another length",
      {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["a"],
        "tokenizer.ggml.token_type": Int32Array.of(1, 1),
      },
      /token_type of 1 int32, one a token, got 2 of Int32Array/,
    ],
    [
      "an unknown split",
      { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.pre": "tekken" },
      /words split as .*, got "tekken"/,
    ],
    [
      "a merge of one",
      { "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a"], "tokenizer.ggml.merges": ["ab"] },
      /each merge to be of two tokens, got "ab"/,
    ],
    [
      "no scores",
      { "tokenizer.ggml.model": "llama", "tokenizer.ggml.tokens": ["a"] },
      /scores of 1 fp32, one a token, got none/,
    ],
  ])("refuses %s", (_, metadata, message) => {
    expect(() => tokenizerFromGguf(new Map(Object.entries(metadata)))).toThrow(message);
  });
});

function sized(bytes: Uint8Array): [Uint8Array, number] {
  return [bytes, bytes.length];
}

const smol = process.env.BIGVAE_SMOLLM2;
describe.skipIf(!smol)("SmolLM2-135M-Instruct (skipped unless BIGVAE_SMOLLM2 names its GGUF file)", () => {
  it("opens, dequantises every tensor to finite values and tokenizes", async () => {
    const source = await openGguf(smol!);
    expect(source.config).toMatchObject({
      hidden_size: 576,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      head_dim: 64,
      vocab_size: 49152,
      rope_theta: 100000,
      rms_norm_eps: 1e-5,
      tie_word_embeddings: true,
    });
    expect(source.names).toHaveLength(272);
    for (const name of source.names) {
      const values = await source.readFloat32(name);
      expect(values.length).toBe(source.info(name).shape.reduce((a, b) => a * b, 1));
      expect(values.every(Number.isFinite), name).toBe(true);
    }
    const tokenizer = loadTokenizer(tokenizerFromGguf(source.metadata), tokenizerConfigFromGguf(source.metadata));
    await source.close();
    expect(tokenizer).toMatchObject({ vocabSize: 49152, bosId: 1, eosId: 2, padId: 2 });
    const text = "<|im_start|>user\nIn 1987 the café's tide rose 3.25 m.  日本\n";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
    expect(tokenizer.encode("Hello world 42").map((id) => tokenizer.tokenText(id))).toEqual([
      "Hello",
      "Ġworld",
      "Ġ",
      "4",
      "2",
    ]);
  });
});
