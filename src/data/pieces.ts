/** Long texts cut into pieces that fit: at sentence ends where they can be, a longer sentence between words, a longer word between characters. */
import { sentenceEnds } from "./sentences.js";

const CHARACTERS = new Intl.Segmenter("en");

/** Places where a text may be cut, the end among them. */
type Ends = (text: string) => Iterable<number>;

const CUTS: readonly Ends[] = [
  sentenceEnds,
  (text) => Array.from(text.matchAll(/\S+/g), ({ 0: word, index }) => index + word.length),
  (text) => Array.from(CHARACTERS.segment(text), ({ segment, index }) => index + segment.length),
];

/** The text in pieces, each filled before the next is begun: as in the text, trimmed. */
export function cutIntoPieces(text: string, fits: (piece: string) => boolean): string[] {
  return cut(text.trim(), fits, CUTS);
}

function cut(text: string, fits: (piece: string) => boolean, [ends, ...finer]: readonly Ends[]): string[] {
  if (ends === undefined || fits(text)) return [text];
  const pieces: string[] = [];
  let [start, end] = [0, 0];
  for (const next of ends(text)) {
    if (end > start && !fits(text.slice(start, next).trim())) {
      pieces.push(...cut(text.slice(start, end).trim(), fits, finer));
      start = end;
    }
    end = next;
  }
  return [...pieces, ...cut(text.slice(start).trim(), fits, finer)];
}

/** Joins `others`, which replace a text's pieces, by what stands between the pieces in the text; a single one is returned as it is. */
export function joinPieces(text: string, pieces: readonly string[], others: readonly string[]): string {
  if (pieces.length === 1) return others[0]!;
  let [joined, at] = ["", 0];
  for (const [i, piece] of pieces.entries()) {
    const start = text.indexOf(piece, at);
    if (i > 0) joined += text.slice(at, start);
    joined += others[i]!.trim();
    at = start + piece.length;
  }
  return joined;
}
