/**
 * Ids to text, piece by piece: the two decoders of the Llama family, ByteLevel and SentencePiece's with byte fallback, as
 * Hugging Face's tokenizers compute them. `clean_up_tokenization_spaces` is passed over, as in Transformers 5: of BPE it would spoil the text. Whole texts and streams take the same path, so they agree.
 */
import { byteOfCharacter } from "./byteLevel.js";

/** Turns ids into text as they come; no UTF-8 sequence is split. `end` gives what was still held back. */
export interface StreamDecoder {
  push(...ids: number[]): string;
  end(): string;
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

  push(token: string): string {
    const bytes = new Uint8Array(3 * token.length);
    return this.#utf8.decode(bytes.subarray(0, writeToken(token, bytes, 0)), { stream: true });
  }

  end(): string {
    return this.#utf8.decode();
  }
}

/** Puts a token's bytes, at most 3 a character, and returns their number. */
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

  push(token: string): string {
    const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (byte === undefined) return this.#strip(this.#endRun() + token.replaceAll("▁", " "));
    this.#run.push(Number.parseInt(byte, 16));
    return "";
  }

  end(): string {
    return this.#strip(this.#endRun());
  }

  /** As upstream's ByteFallback: a run of bytes that is no UTF-8 gives one U+FFFD a byte. */
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
