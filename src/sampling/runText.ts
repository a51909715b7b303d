/** The text of a run, by one decoder from its first token to its last: spans joined are what was streamed. */
import type { Span, TokenIds, Written } from "./model.js";

/** Turns ids into text as they come; what the next id may still change is held back. */
export interface TextStream {
  push(id: number): string;
  /** What was held back. */
  end(): string;
  /** Whether nothing is held back. */
  readonly isSettled: boolean;
}

/** The text of a span: a character that two spans share comes with the second. */
export interface Spelling {
  /** Its tokens decoded, without special ones. */
  text: string;
}

/** A span with its text. */
export interface SpelledSpan extends Span, Spelling {}

/** Gathers the tokens of a run as text, and tells each piece of it. */
export class RunText {
  #ofSpan = "";

  constructor(
    readonly stream: TextStream,
    readonly onText?: (piece: string) => unknown,
  ) {}

  /** What the listener returns: a promise where it is asynchronous. */
  push(id: number): unknown {
    return this.#add(this.stream.push(id));
  }

  /** What came since the last call. */
  take(): string {
    const text = this.#ofSpan;
    this.#ofSpan = "";
    return text;
  }

  /** The rest, at the end of the run. */
  async takeRest(): Promise<string> {
    await this.#add(this.stream.end());
    return this.take();
  }

  #add(piece: string): unknown {
    if (piece === "") return undefined;
    this.#ofSpan += piece;
    return this.onText?.(piece);
  }
}

/**
 * The spans of a sampler whose tokens `text` is told of. A span that leaves something held back is kept until it is known
 * whether it is the last one, which then has the rest.
 */
export async function* spelled<S extends { ids: TokenIds }>(
  sampler: AsyncGenerator<S, Written, void>,
  text: RunText,
): AsyncGenerator<S & Spelling, Written, void> {
  let kept: (S & Spelling) | undefined;
  for (;;) {
    let next: IteratorResult<S, Written>;
    try {
      next = await sampler.next();
    } catch (error) {
      if (kept) yield kept;
      throw error;
    }
    if (kept) yield next.done ? { ...kept, text: kept.text + (await text.takeRest()) } : kept;
    kept = undefined;
    if (next.done) return next.value;
    const span = { ...next.value, text: text.take() };
    if (text.stream.isSettled) yield span;
    else kept = span;
  }
}
