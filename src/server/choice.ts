/** One completion while it is written: its tokens, its text up to a stop string, why it ended. */
import type { Tokenizer } from "../tokenizer/index.js";

export class Choice {
  readonly ids: number[] = [];
  text = "";
  /** Why it ended; null while it is written. */
  finishReason: "stop" | "length" | null = null;
  readonly #stream: ReturnType<Tokenizer["stream"]>;
  /** What may be the beginning of a stop string. */
  #held = "";

  constructor(
    readonly tokenizer: Tokenizer,
    readonly limits: { maxTokens: number; stops: readonly string[] },
    /** Told each piece of text that surely belongs to it. */
    readonly onText?: (piece: string) => void,
  ) {
    this.#stream = tokenizer.stream({ skipSpecial: true, continues: true });
    if (limits.maxTokens === 0) this.finishReason = "length";
  }

  /** Takes the next token. What comes after the end is dropped. */
  push(id: number): void {
    if (this.finishReason !== null) return;
    this.ids.push(id);
    this.#add(this.#stream.push(id));
    if (this.finishReason !== null) return;
    if (id === this.tokenizer.eosId) this.#finish("stop");
    else if (this.ids.length === this.limits.maxTokens) this.#finish("length");
  }

  /** Ends it where its writer has nothing more. */
  end(): void {
    if (this.finishReason === null) this.#finish("stop");
  }

  #finish(reason: "stop" | "length"): void {
    this.#add(this.#stream.end());
    // The rest may hold a stop string.
    if (this.finishReason !== null) return;
    this.#tell(this.#held);
    this.finishReason = reason;
  }

  #add(piece: string): void {
    const text = this.#held + piece;
    const { stops } = this.limits;
    const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.#tell(text.slice(0, Math.min(...found)));
      this.finishReason = "stop";
      return;
    }
    const kept = Math.max(0, ...stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - kept);
    this.#tell(text.slice(0, text.length - kept));
  }

  #tell(piece: string): void {
    if (piece === "") return;
    this.text += piece;
    this.onText?.(piece);
  }
}

/** Characters at the end of the text that begin the stop string. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
