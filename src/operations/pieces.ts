/** Tokens as pieces of text. */

/** Gives the text that is complete once a token is known, and at the end what is left. */
export interface TokenStream {
  push(id: number): string;
  end(): string;
}

/** A piece of text, and the places of the tokens that write it: several, where they share a character. */
export interface Piece {
  text: string;
  tokens: number[];
}

export function piecesOf(ids: readonly number[], stream: TokenStream): Piece[] {
  const pieces: Piece[] = [];
  let tokens: number[] = [];
  for (const [i, id] of ids.entries()) {
    tokens.push(i);
    const text = stream.push(id) + (i === ids.length - 1 ? stream.end() : "");
    if (text === "") continue;
    pieces.push({ text, tokens });
    tokens = [];
  }
  return pieces;
}
