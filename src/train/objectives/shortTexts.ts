/** Short texts in memory, by length: whole sentences, which training draws in batches of like length. */
import { BigVaeError } from "../../errors.js";
import type { Rng } from "../../rng.js";
import type { RowSource } from "./rowOrder.js";

/** Targets are padded to multiples of 8, so that few graphs serve. */
export function paddedLength(tokens: number): number {
  return Math.ceil(tokens / 8) * 8;
}

export class ShortTexts {
  /** All tokens, text after text. */
  readonly #ids: Int32Array;
  /** Where each text begins and ends. */
  readonly #bounds: readonly (readonly [number, number])[];
  /** Numbers of the texts of each padded length. */
  readonly #byLength = new Map<number, number[]>();

  private constructor(
    ids: Int32Array,
    bounds: readonly (readonly [number, number])[],
    readonly endId: number,
  ) {
    this.#ids = ids;
    this.#bounds = bounds;
    for (const i of bounds.keys()) {
      const length = this.#paddedLength(i);
      const texts = this.#byLength.get(length);
      if (texts) texts.push(i);
      else this.#byLength.set(length, [i]);
    }
  }

  /**
   * The texts of packed rows that end with the end token and have at most `longest` tokens without it; longer ones, and those that
   * begin in one row and end in another, are left out.
   * @throws BigVaeError("usage") where there are none.
   */
  static async read(rows: RowSource, endId: number, longest: number, from = "short texts"): Promise<ShortTexts> {
    const kept: Int32Array[] = [];
    const bounds: [number, number][] = [];
    let total = 0;
    for (let index = 0; index < rows.rowCount; index++) {
      const { inputIds, attentionMask } = await rows.row(index);
      let begin = 0;
      for (let t = 0; t < inputIds.length && attentionMask[t]; t++) {
        if (inputIds[t] !== endId) continue;
        const length = t - begin;
        if (length > 0 && length <= longest && (begin > 0 || index === 0)) {
          kept.push(inputIds.slice(begin, t));
          bounds.push([total, total + length]);
          total += length;
        }
        begin = t + 1;
      }
    }
    if (bounds.length === 0)
      throw new BigVaeError("usage", {
        subject: from,
        expected: `texts of at most ${longest} tokens`,
        got: "none",
        remedy: "prepare more texts with `sentences`",
      });
    const ids = new Int32Array(total);
    let at = 0;
    for (const text of kept) {
      ids.set(text, at);
      at += text.length;
    }
    return new ShortTexts(ids, bounds, endId);
  }

  get count(): number {
    return this.#bounds.length;
  }

  /** The tokens of a text; a view. */
  text(i: number): Int32Array {
    return this.#ids.subarray(...this.#bounds[i]!);
  }

  /** Texts of one padded length, which counts the end token: a length is as likely as it has texts. They may repeat. */
  draw(rng: Rng, countOf: (length: number) => number): { length: number; texts: Int32Array[] } {
    const length = this.#paddedLength(rng.integer(this.count));
    const candidates = this.#byLength.get(length)!;
    const texts = Array.from({ length: countOf(length) }, () => this.text(candidates[rng.integer(candidates.length)]!));
    return { length, texts };
  }

  #paddedLength(i: number): number {
    const [begin, end] = this.#bounds[i]!;
    return paddedLength(end - begin + 1);
  }
}
