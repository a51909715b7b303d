/**
 * Ids to text, piece by piece: the two decoders of the Llama family, ByteLevel and SentencePiece's with byte fallback, as
 * Hugging Face's tokenizers compute them. `clean_up_tokenization_spaces` is ignored, as in Transformers 5: it would spoil text encoded by BPE. Whole texts and streams take the same path, so they agree.
 */
import { byteOfCharacter } from "./byteLevel.js";

/** Turns ids into text as they come; no UTF-8 sequence is split. `end` gives what was still held back. */
export interface StreamDecoder {
  push(...ids: number[]): string;
  end(): string;
  /** Whether nothing is held back, so that `end` would give nothing. */
  readonly isSettled: boolean;
}

/** What tells one tokenizer's decoding from another's. */
export interface DecodeRules {
  readonly kind: "byteLevel" | "sentencePiece";
  /** SentencePiece: the space that the encoder put before the text goes again. */
  readonly stripsLeadingSpace: boolean;
}

/** A decoder of one text over the tokens' texts. */
export function createDecoder(rules: DecodeRules, tokenText: (id: number) => string): StreamDecoder {
  const decoder =
    rules.kind === "byteLevel" ? new ByteLevelDecoder() : new SentencePieceDecoder(rules.stripsLeadingSpace);
  return {
    push(...ids) {
      let text = "";
      for (const id of ids) text += decoder.push(tokenText(id));
      return text;
    },
    end: () => decoder.end(),
    get isSettled() {
      return decoder.isSettled;
    },
  };
}

/** The whole text of `tokens` at once: what the pieces of `createDecoder` join to. */
export function decodeAll(rules: DecodeRules, tokens: readonly string[]): string {
  return rules.kind === "byteLevel" ? decodeBytes(tokens) : decodePieces(rules, tokens);
}

function decodeBytes(tokens: readonly string[]): string {
  const bytes = new Uint8Array(3 * tokens.reduce((sum, token) => sum + token.length, 0));
  let at = 0;
  for (const token of tokens) at += writeToken(token, bytes, at);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, at));
}

function decodePieces({ stripsLeadingSpace }: DecodeRules, tokens: readonly string[]): string {
  const decoder = new SentencePieceDecoder(stripsLeadingSpace);
  return tokens.map((token) => decoder.push(token)).join("") + decoder.end();
}

const encoder = new TextEncoder();

class ByteLevelDecoder {
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The bytes at the end that begin a character and do not end it. */
  #open = new Uint8Array();

  get isSettled(): boolean {
    return this.#open.length === 0;
  }

  push(token: string): string {
    const bytes = new Uint8Array(this.#open.length + 3 * token.length);
    bytes.set(this.#open);
    const end = this.#open.length + writeToken(token, bytes, this.#open.length);
    const cut = end - openBytes(bytes.subarray(0, end));
    this.#open = bytes.slice(cut, end);
    return this.#utf8.decode(bytes.subarray(0, cut));
  }

  end(): string {
    const rest = this.#utf8.decode(this.#open);
    this.#open = new Uint8Array();
    return rest;
  }
}

/** How many bytes at the end are the beginning of a character that is not complete. */
function openBytes(bytes: Uint8Array): number {
  for (let length = 1; length <= Math.min(3, bytes.length); length++) {
    const byte = bytes[bytes.length - length]!;
    if (byte >= 0x80 && byte < 0xc0) continue;
    const needed = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return needed > length ? length : 0;
  }
  return 0;
}

/** Appends a token's bytes, at most 3 per character, and returns their number. */
function writeToken(token: string, bytes: Uint8Array, at: number): number {
  for (let i = 0; i < token.length; i++) {
    const byte = byteOfCharacter[token.charCodeAt(i)];
    // A token with a character outside the alphabet (an added token) stands for itself.
    if (byte === undefined || byte < 0) return encoder.encodeInto(token, bytes.subarray(at)).written;
    bytes[at + i] = byte;
  }
  return token.length;
}

class SentencePieceDecoder {
  #run: number[] = [];
  #atStart: boolean;

  constructor(stripsLeadingSpace: boolean) {
    this.#atStart = stripsLeadingSpace;
  }

  get isSettled(): boolean {
    return this.#run.length === 0;
  }

  push(token: string): string {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte === undefined) return this.#strip(this.#endRun() + token.replaceAll("▁", " "));
    this.#run.push(Number.parseInt(byte, 16));
    return "";
  }

  end(): string {
    return this.#strip(this.#endRun());
  }

  /** As upstream's ByteFallback: a run of bytes that is not UTF-8 gives one U+FFFD per byte. */
  #endRun(): string {
    const run = Uint8Array.from(this.#run);
    this.#run = [];
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(run);
    } catch {
      return "\ufffd".repeat(run.length);
    }
  }

  #strip(text: string): string {
    if (!this.#atStart || text === "") return text;
    this.#atStart = false;
    return text.startsWith(" ") ? text.slice(1) : text;
  }
}
