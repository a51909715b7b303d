/** The tokenizer inside a GGUF file as Hugging Face's tokenizer.json and tokenizer_config.json. */
import { BigVaeError } from "../errors.js";
import type { GgufMetadata } from "./gguf.js";
import type { GgufValue } from "./ggufCursor.js";
import { shown } from "./ggufFields.js";
import { malformed } from "./malformed.js";

type Json = Record<string, unknown>;

/** llama.h, enum llama_token_type. */
const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const USER_DEFINED = 4;
/** Those that a text may spell out (llama-vocab.cpp, cache_special_tokens), and which of them are special. */
const ADDED: ReadonlyMap<number, boolean> = new Map([
  [UNKNOWN, true],
  [CONTROL, true],
  [USER_DEFINED, false],
]);

const BYTE_LEVEL = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const BYTES_ONLY = { ...BYTE_LEVEL, use_regex: false };

const split = (pattern: string) => ({
  type: "Split",
  pattern: { Regex: pattern },
  behavior: "Isolated",
  invert: false,
});

/** Llama 3's own tokenizer.json. */
const LLAMA_3 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** By `tokenizer.ggml.pre`; the splits are those of the models' own tokenizer.json, of "default" llama.cpp's (llama-vocab.cpp). */
const PRE_TOKENIZERS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["gpt-2", BYTE_LEVEL],
  ["smollm", { type: "Sequence", pretokenizers: [{ type: "Digits", individual_digits: true }, BYTE_LEVEL] }],
  ["llama-bpe", { type: "Sequence", pretokenizers: [split(LLAMA_3), BYTES_ONLY] }],
  [
    "default",
    {
      type: "Sequence",
      pretokenizers: [
        split("[\\p{P}\\$\\+<=>\\^~\\|]+"),
        split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
        split("\\p{N}+"),
        split("[0-9][0-9][0-9]"),
        BYTES_ONLY,
      ],
    },
  ],
]);

/**
 * The contents of tokenizer.json.
 * @throws BigVaeError("unsupported") for another kind than "gpt2" or "llama" or an unknown split into words,
 * BigVaeError("format") for lists that do not fit together.
 */
export function tokenizerFromGguf(metadata: GgufMetadata): Json {
  const kind = metadata.get("tokenizer.ggml.model");
  if (kind !== "gpt2" && kind !== "llama")
    throw new BigVaeError("unsupported", {
      subject: "GGUF file",
      expected: 'a tokenizer of kind "gpt2" or "llama"',
      got: shown(kind),
      remedy: "use the model's folder of safetensors",
    });
  const tokens = texts(metadata, "tokenizer.ggml.tokens");
  const types = metadata.get("tokenizer.ggml.token_type") ?? new Int32Array(tokens.length).fill(NORMAL);
  if (!(types instanceof Int32Array) || types.length !== tokens.length)
    throw malformed("GGUF file", `tokenizer.ggml.token_type of ${tokens.length} int32, one a token`, sizeOf(types));
  const parts = kind === "gpt2" ? byteLevelParts(metadata) : sentencePieceParts(metadata, tokens, types);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false };
  const added = tokens.flatMap((content, id) => {
    const special = ADDED.get(types[id]!);
    return special === undefined ? [] : [{ id, content, ...flags, special }];
  });
  const vocab: Json = {};
  for (const [id, token] of tokens.entries())
    Object.defineProperty(vocab, token, { value: id, enumerable: true, writable: true, configurable: true });
  const base = { version: "1.0", truncation: null, padding: null, added_tokens: added, post_processor: null };
  return { ...base, ...parts, model: { type: "BPE", dropout: null, ...parts.model, vocab } };
}

/** The contents of tokenizer_config.json: the special tokens by name. */
export function tokenizerConfigFromGguf(metadata: GgufMetadata): Json {
  const tokens = texts(metadata, "tokenizer.ggml.tokens");
  const token = (role: string) => {
    const id = metadata.get(`tokenizer.ggml.${role}_token_id`);
    return typeof id === "number" ? (tokens[id] ?? null) : null;
  };
  return {
    bos_token: token("bos"),
    eos_token: token("eos"),
    pad_token: token("padding"),
    unk_token: token("unknown"),
    clean_up_tokenization_spaces: false,
  };
}

function texts(metadata: GgufMetadata, key: string): readonly string[] {
  const value = metadata.get(key);
  if (Array.isArray(value) && value.length > 0 && typeof value[0] === "string") return value as string[];
  throw malformed("GGUF file", `${key} to be a list of texts`, sizeOf(value));
}

function byteLevelParts(metadata: GgufMetadata) {
  const pre = metadata.get("tokenizer.ggml.pre") ?? "default";
  const preTokenizer = PRE_TOKENIZERS.get(String(pre));
  if (!preTokenizer)
    throw new BigVaeError("unsupported", {
      subject: "GGUF file",
      expected: `words split as ${[...PRE_TOKENIZERS.keys()].join(", ")}`,
      got: shown(pre),
      remedy: "use the model's folder of safetensors",
    });
  const merges = texts(metadata, "tokenizer.ggml.merges").map((merge) => {
    // A part may begin with a space only in theory: the byte alphabet has none.
    const at = merge.indexOf(" ", 1);
    if (at > 0) return [merge.slice(0, at), merge.slice(at + 1)];
    throw malformed("GGUF file", "each merge to be of two tokens", shown(merge));
  });
  const model = { unk_token: null, byte_fallback: false, fuse_unk: false, ignore_merges: pre === "llama-bpe", merges };
  return { normalizer: null, pre_tokenizer: preTokenizer, decoder: BYTE_LEVEL, model };
}

function sentencePieceParts(metadata: GgufMetadata, tokens: readonly string[], types: Int32Array) {
  const scores = metadata.get("tokenizer.ggml.scores");
  if (!(scores instanceof Float32Array) || scores.length !== tokens.length)
    throw malformed("GGUF file", `tokenizer.ggml.scores of ${tokens.length} fp32, one a token`, sizeOf(scores));
  const hasPrefix = metadata.get("tokenizer.ggml.add_space_prefix") !== false;
  const replace = { type: "Replace", pattern: { String: " " }, content: "▁" };
  const unknown = metadata.get("tokenizer.ggml.unknown_token_id");
  const decoders: Json[] = [
    { type: "Replace", pattern: { String: "▁" }, content: " " },
    { type: "ByteFallback" },
    { type: "Fuse" },
  ];
  if (hasPrefix) decoders.push({ type: "Strip", content: " ", start: 1, stop: 0 });
  return {
    normalizer: hasPrefix ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, replace] } : replace,
    pre_tokenizer: null,
    decoder: { type: "Sequence", decoders },
    model: {
      unk_token: tokens[typeof unknown === "number" ? unknown : 0],
      byte_fallback: true,
      fuse_unk: true,
      ignore_merges: false,
      merges: mergesFromScores(tokens, types, scores),
    },
  };
}

/** Characters; no SentencePiece model has longer pieces (its default limit is 16). */
const MAX_PIECE_LENGTH = 256;

/**
 * SentencePiece merges the pair whose union scores best: each way to cut a piece in two is a merge, best score first.
 * As transformers convert_slow_tokenizer.py, generate_merges.
 */
function mergesFromScores(tokens: readonly string[], types: Int32Array, scores: Float32Array): [string, string][] {
  const ids = new Map(tokens.flatMap((token, id) => (types[id] === NORMAL ? [[token, id] as const] : [])));
  const merges: { pair: [string, string]; score: number; ids: [number, number] }[] = [];
  for (const [token, id] of ids) {
    const characters = token.length > MAX_PIECE_LENGTH ? [] : Array.from(token);
    const cuts: typeof merges = [];
    for (let at = 1; at < characters.length; at++) {
      const pair: [string, string] = [characters.slice(0, at).join(""), characters.slice(at).join("")];
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])];
      if (left !== undefined && right !== undefined) cuts.push({ pair, score: scores[id]!, ids: [left, right] });
    }
    merges.push(...cuts.sort((a, b) => a.ids[0] - b.ids[0] || a.ids[1] - b.ids[1]));
  }
  const length = (text: string) => Array.from(text).length;
  merges.sort(
    (a, b) => b.score - a.score || length(b.pair[0]) - length(a.pair[0]) || length(b.pair[1]) - length(a.pair[1]),
  );
  return merges.map(({ pair }) => pair);
}

/** What was found in place of a list, for an error message. */
function sizeOf(value: GgufValue | undefined): string {
  if (value === undefined) return "none";
  return typeof value === "object" ? `${value.length} of ${value.constructor.name}` : "no list";
}
