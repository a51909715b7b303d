/** Text to token ids and back, from a Hugging Face tokenizer.json; BPE by @huggingface/tokenizers. */
import { Tokenizer as Encoder } from "@huggingface/tokenizers";
import { BigVaeError } from "../errors.js";
import { createSplitter, hasRules } from "./addedTokens.js";
import { createDecoder, type DecodeRules, decodeAll, type StreamDecoder } from "./detokenizer.js";
import { readSpecialTokens, type SpecialTokens } from "./specialTokens.js";
import { createWordEncoder, withUnicodeDigits } from "./words.js";

export interface DetokenizeOptions {
  /** Leaves special tokens (bos, eos) out of the text. */
  readonly skipSpecial?: boolean;
  /** Whether the text goes on from another: SentencePiece's space before its first word then stays. */
  readonly continues?: boolean;
}

export interface Tokenizer extends SpecialTokens {
  /** One more than the highest id. */
  readonly vocabSize: number;
  /**
   * The ids of `text` with nothing added; a special token spelt out in it becomes that token, as upstream.
   * @throws BigVaeError("mismatch") for a character without a token, where there is no unknown token either.
   */
  encode(text: string): number[];
  /** The same after the beginning token. @throws BigVaeError("mismatch") where the tokenizer has none. */
  encodeWithBos(text: string): number[];
  /** @throws BigVaeError("mismatch") for an id outside the vocabulary. */
  decode(ids: readonly number[], options?: DetokenizeOptions): string;
  /** Decodes ids as they come; the pieces joined are what `decode` gives. */
  stream(options?: DetokenizeOptions): StreamDecoder;
  /** The token as the vocabulary spells it, "" for an id that is not used. */
  tokenText(id: number): string;
  /** The tokenizer.json that this was made from. */
  toJson(): object;
}

type Json = Record<string, unknown>;

/** Highest id that a vocabulary may have: 2^24, some sixty times the largest in use. */
const MAX_ID = 2 ** 24;

/** What a tokenizer is made of, parsed. */
export interface TokenizerFiles {
  /** tokenizer.json. */
  json: unknown;
  /** tokenizer_config.json. */
  config?: unknown;
  /** special_tokens_map.json. */
  specialTokens?: unknown;
}

/**
 * A tokenizer from the contents of tokenizer.json and, where there is one, tokenizer_config.json; special_tokens_map.json
 * fills what the config leaves out.
 * @throws BigVaeError("format") for a malformed file, BigVaeError("unsupported") for a model that is not BPE or a foreign decoder.
 */
export function loadTokenizer(tokenizerJson: unknown, configJson?: unknown, specialTokensMap?: unknown): Tokenizer {
  const json = asObject(tokenizerJson, "tokenizer.json");
  const config = configJson === undefined ? {} : asObject(configJson, "tokenizer_config.json");
  const vocabulary = readVocabulary(json);
  const rules = readDecodeRules(json);
  const encodeText = createEncoder(json, vocabulary.ids);
  const map = asObject(specialTokensMap ?? {}, "special_tokens_map.json");
  const specials = readSpecialTokens(config, map, vocabulary.ids);
  const textOf = (id: number, { skipSpecial = false }: DetokenizeOptions = {}) => {
    const text = tokenText(vocabulary, id);
    return skipSpecial && vocabulary.specialIds.has(id) ? "" : text;
  };
  const rulesFor = ({ continues = false }: DetokenizeOptions = {}): DecodeRules =>
    continues ? { ...rules, stripsLeadingSpace: false } : rules;
  const encode = (text: string) => {
    const found = understood(() => encodeText(text));
    if (!found.includes(undefined)) return found as number[];
    const lacking = Array.from(text).find((character) => encodeText(character).includes(undefined));
    throw new BigVaeError("mismatch", {
      subject: "tokenizer",
      expected: "a token for each character, or an unknown token",
      got: `none for ${JSON.stringify(lacking ?? text)}`,
      remedy: "leave it out of the text, or take the model's own tokenizer.json",
    });
  };
  return {
    vocabSize: vocabulary.texts.length,
    ...specials,
    encode,
    encodeWithBos(text) {
      if (specials.bosId === undefined)
        throw new BigVaeError("mismatch", {
          subject: "tokenizer",
          expected: "a beginning token (bos_token)",
          got: "none",
          remedy: "name one in tokenizer_config.json",
        });
      return [specials.bosId, ...encode(text)];
    },
    decode: (ids, options) =>
      decodeAll(
        rulesFor(options),
        ids.map((id) => textOf(id, options)),
      ),
    stream: (options) => createDecoder(rulesFor(options), (id) => textOf(id, options)),
    tokenText: (id) => textOf(id),
    toJson: () => json,
  };
}

function tokenText({ texts }: Vocabulary, id: number): string {
  if (Number.isInteger(id) && id >= 0 && id < texts.length) return texts[id] ?? "";
  throw new BigVaeError("mismatch", {
    subject: "token ids",
    expected: `whole numbers from 0 to ${texts.length - 1}, as the tokenizer has`,
    got: id,
    remedy: "use the tokenizer of this model",
  });
}

function malformed(subject: string, expected: string, got: string, options?: ErrorOptions): BigVaeError {
  return new BigVaeError("format", { subject, expected, got, remedy: "get the file again" }, options);
}

function asObject(value: unknown, what: string): Json {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw malformed(what, "a JSON object", "something else");
}

interface Vocabulary {
  /** texts[id]; a hole where an id is not used. */
  readonly texts: readonly (string | undefined)[];
  readonly ids: ReadonlyMap<string, number>;
  readonly specialIds: ReadonlySet<number>;
}

function readVocabulary(json: Json): Vocabulary {
  const model = asObject(json.model, "model of tokenizer.json");
  const type = model.type ?? "BPE";
  if (type !== "BPE" || !Array.isArray(model.merges))
    throw new BigVaeError("unsupported", {
      subject: "tokenizer.json",
      expected: "a BPE model with merges",
      got: type === "BPE" ? "one without merges" : JSON.stringify(type),
      remedy: "use the tokenizer.json of a Llama-family model",
    });
  const texts: (string | undefined)[] = [];
  const ids = new Map<string, number>();
  const add = (text: unknown, id: unknown) => {
    if (typeof text !== "string" || !Number.isInteger(id) || (id as number) < 0 || (id as number) >= MAX_ID)
      throw malformed(
        "tokenizer.json",
        `tokens with ids from 0 to ${MAX_ID - 1}`,
        `${JSON.stringify(text)} with the id ${String(id)}`,
      );
    const other = texts[id as number];
    if (other !== undefined && other !== text)
      throw malformed(
        "tokenizer.json",
        `one token with the id ${id}`,
        `${JSON.stringify(other)} and ${JSON.stringify(text)}`,
      );
    texts[id as number] = text;
    ids.set(text, id as number);
  };
  for (const [text, id] of Object.entries(asObject(model.vocab, "model.vocab of tokenizer.json"))) add(text, id);
  const specialIds = new Set<number>();
  for (const token of addedTokens(json)) {
    add(token.content, token.id);
    if (token.special) specialIds.add(token.id as number);
  }
  return { texts, ids, specialIds };
}

function addedTokens(json: Json): Json[] {
  const added = json.added_tokens ?? [];
  if (!Array.isArray(added)) throw malformed("tokenizer.json", "added_tokens to be a list", "something else");
  return added.map((token) => asObject(token, "added token of tokenizer.json"));
}

/** ByteLevel, or SentencePiece's: Metaspace, or Replace and ByteFallback with Strip where the encoder prepends a space. */
function readDecodeRules(json: Json): DecodeRules {
  if (json.decoder == null)
    throw new BigVaeError("unsupported", {
      subject: "tokenizer.json",
      expected: "a decoder",
      got: "none",
      remedy: "use the tokenizer.json of a Llama-family model",
    });
  const decoder = asObject(json.decoder, "decoder of tokenizer.json");
  const steps = decoder.type === "Sequence" && Array.isArray(decoder.decoders) ? decoder.decoders : [decoder];
  const types = steps.map((step) => String(asObject(step, "decoder of tokenizer.json").type));
  const known = ["ByteLevel", "Metaspace", "Replace", "ByteFallback", "Fuse", "Strip"];
  const foreign = types.find((type) => !known.includes(type));
  if (foreign || types.length === 0)
    throw new BigVaeError("unsupported", {
      subject: "tokenizer.json",
      expected: `a decoder of ${known.join(", ")}`,
      got: foreign ?? "none",
      remedy: "use the tokenizer.json of a Llama-family model",
    });
  if (types.includes("ByteLevel")) return { kind: "byteLevel", stripsLeadingSpace: false };
  const stripsLeadingSpace =
    types.includes("Strip") ||
    (types[0] === "Metaspace" && decoder.prepend_scheme !== "never" && decoder.add_prefix_space !== false);
  return { kind: "sentencePiece", stripsLeadingSpace };
}

/** Ids of a text, undefined for what has no token: our own encoder where it knows the tokenizer, else the package's. */
function createEncoder(json: Json, idOf: ReadonlyMap<string, number>): (text: string) => (number | undefined)[] {
  // The package wants each part present, if only as null.
  const whole = {
    normalizer: null,
    post_processor: null,
    decoder: null,
    added_tokens: [],
    ...json,
    pre_tokenizer: withUnicodeDigits(json.pre_tokenizer ?? null),
  };
  const encoder = understood(() => new Encoder(whole, {}));
  const added = addedTokens(json);
  const encodeWords = understood(() => createWordEncoder(json, idOf));
  if (!encodeWords || added.some(hasRules)) return (text) => encoder.encode(text, { add_special_tokens: false }).ids;
  const split = createSplitter(added.map(({ content }) => String(content)));
  return (text) => {
    const ids: (number | undefined)[] = [];
    for (const [i, part] of split(text).entries()) {
      if (i % 2 === 1) ids.push(idOf.get(part));
      else encodeWords(part, ids);
    }
    return ids;
  };
}

/** The package throws TypeErrors and the like where a part of tokenizer.json is not what it expects. */
function understood<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof BigVaeError) throw cause;
    const reason = cause instanceof Error ? cause.message.replace(/\.$/, "") : String(cause);
    if (/^Unknown \w+ type/.test(reason))
      throw new BigVaeError(
        "unsupported",
        {
          subject: "tokenizer.json",
          expected: "supported parts alone",
          got: reason,
          remedy: "use the tokenizer.json of a Llama-family model",
        },
        { cause },
      );
    throw malformed("tokenizer.json", "parts as Hugging Face writes them", reason, { cause });
  }
}
