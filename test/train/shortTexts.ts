/** Short texts whose tokens tell their text and place: the text of n tokens is 100 n, 100 n + 1, ... */
import { ShortTexts } from "../../src/train/objectives/shortTexts.js";

/** Ends a text. */
export const EOS = 999;

/** Texts of 1, 2, ... tokens, the first of them packed in rows of 24; the rest of the last row is padding. */
export async function shortTexts(longest: number) {
  const texts = Array.from({ length: 12 }, (_, i) => Array.from({ length: i + 1 }, (_, t) => 100 * (i + 1) + t));
  const packed = texts.flatMap((ids) => [...ids, EOS]);
  const rows = Array.from({ length: Math.ceil(packed.length / 24) }, (_, i) => packed.slice(24 * i, 24 * (i + 1)));
  const pad = (row: number[], value: number) => [...row, ...Array(24 - row.length).fill(value)];
  const source = {
    rowCount: rows.length,
    row: async (i: number) => ({
      inputIds: Int32Array.from(pad(rows[i]!, EOS)),
      attentionMask: Int32Array.from(
        pad(
          rows[i]!.map(() => 1),
          0,
        ),
      ),
    }),
  };
  return { rows, read: await ShortTexts.read(source, EOS, longest) };
}
