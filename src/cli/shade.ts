/** Pool weights as shading on a terminal; as numbers where there are no colours. */
import type { EncodedText } from "../bigVae.js";
import { piecesOf, type TokenStream } from "../operations/pieces.js";

/** Shades of the 256-colour palette, dark to bright. */
const SHADES = [236, 238, 240, 243, 246, 250, 254, 231];

/** Times the mean weight: from there on a token stands out. */
const CLEARLY_ABOVE = 1.3;

/** The text with each token as bright as its weight; tokens that share a character are as bright as the brightest of them. */
export function shaded({ ids, poolWeights }: EncodedText, stream: TokenStream, colours: boolean): string {
  const pieces = piecesOf(ids, stream).map(({ text, tokens }) => ({
    text,
    weight: Math.max(...tokens.map((i) => poolWeights[i]!)),
  }));
  const weights = pieces.map((piece) => piece.weight);
  const [least, most] = [Math.min(...weights), Math.max(...weights)];
  const clearlyAbove = (CLEARLY_ABOVE * weights.reduce((sum, x) => sum + x, 0)) / weights.length;
  return pieces
    .map((piece) => {
      const stands = piece.weight > clearlyAbove;
      if (!colours) return stands ? piece.text.replace(/\S(.*\S)?/s, "[$&]") : piece.text;
      const level = most > least ? (piece.weight - least) / (most - least) : 1;
      const shade = SHADES[Math.min(SHADES.length - 1, Math.floor(level * SHADES.length))]!;
      return `${stands ? "\x1b[48;5;24m" : ""}\x1b[38;5;${shade}m${piece.text}\x1b[0m`;
    })
    .join("");
}

/** Whether standard output shows colours. */
export function hasColours(): boolean {
  return process.stdout.isTTY === true && process.env.NO_COLOR === undefined && process.env.TERM !== "dumb";
}

/** A text as one line of a list. */
export function onOneLine(text: string): string {
  return text.trim().replaceAll(/\s+/g, " ");
}
