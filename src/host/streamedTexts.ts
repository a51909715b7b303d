/** The texts of decoded rows as their tokens come. What a stored length may still cut off is held back until it is known. */
import type { Tokenizer } from "../tokenizer/index.js";

interface Row {
  stream: ReturnType<Tokenizer["stream"]>;
  /** Tokens that are surely kept. */
  sure: number;
  taken: number;
}

/** The pieces of a row, joined, are its text. */
export class StreamedTexts {
  readonly #rows: Row[];

  /** `lengths`: of rows that are cut to the length that their latent holds. */
  constructor(
    tokenizer: Tokenizer,
    lengths: readonly (number | undefined)[],
    readonly onText: (row: number, piece: string) => unknown,
  ) {
    this.#rows = lengths.map((length) => ({
      stream: tokenizer.stream({ skipSpecial: true }),
      sure: length === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(length)),
      taken: 0,
    }));
  }

  /** The next token of a row. Returns what the listener returns. */
  push(row: number, id: number): unknown {
    const own = this.#rows[row]!;
    if (own.taken >= own.sure) return undefined;
    own.taken++;
    return this.#tell(row, own.stream.push(id));
  }

  /** The rest of a row whose tokens are these. */
  end(row: number, ids: readonly number[]): unknown {
    const { stream, taken } = this.#rows[row]!;
    return this.#tell(row, stream.push(...ids.slice(taken)) + stream.end());
  }

  #tell(row: number, piece: string): unknown {
    return piece === "" ? undefined : this.onText(row, piece);
  }
}
