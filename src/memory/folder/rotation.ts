/**
 * A fixed rotation of keys that spreads what they say evenly over many values: two rounds of random signs and the Walsh-Hadamard transform.
 * Dot products stay what they are: exactly where a key has at most as many values as there are then, on average where it has more.
 */
import { Rng } from "../../rng.js";

/** Values of a key after it, and bits of its code. */
export const TURNED = 1024;

/** Keys of few values are spread over at least so many, several times with other signs. */
const LEAST = 64;

export class Rotation {
  /** Values that are mixed with each other: a power of two. */
  readonly #size: number;
  readonly #rounds: readonly [Float32Array, Float32Array][];

  constructor(readonly width: number) {
    this.#size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(width)));
    // Each round makes lengths sqrt(size) times as long; several rounds stand beside each other, or not all of one is kept.
    const scale = Math.sqrt(this.#size / TURNED) / this.#size;
    this.#rounds = Array.from({ length: Math.max(1, TURNED / this.#size) }, (_, round) => [
      this.#signs(1, round, "first"),
      this.#signs(scale, round, "second"),
    ]);
  }

  /** The key after the rotation, [TURNED]. */
  turn(key: Float32Array): Float32Array {
    const turned = new Float32Array(TURNED);
    const values = new Float32Array(this.#size);
    for (const [round, [first, second]] of this.#rounds.entries()) {
      values.fill(0);
      for (let i = 0; i < key.length; i++) values[i] = key[i]! * first[i]!;
      transform(values);
      for (let i = 0; i < values.length; i++) values[i]! *= second[i]!;
      transform(values);
      turned.set(values.subarray(0, TURNED), round * this.#size);
    }
    return turned;
  }

  /** They are part of what a code means: files of an index depend on them. */
  #signs(scale: number, ...name: (number | string)[]): Float32Array {
    const rng = Rng.fromSeed("rotation").fork(...name);
    return Float32Array.from({ length: this.#size }, () => (rng.integer(2) === 0 ? scale : -scale));
  }
}

/** The Walsh-Hadamard transform, in place: two of its steps at a time. */
function transform(values: Float32Array): void {
  const size = values.length;
  let step = 1;
  for (; 4 * step <= size; step *= 4)
    for (let from = 0; from < size; from += 4 * step)
      for (let i = from; i < from + step; i++) {
        const [j, k, l] = [i + step, i + 2 * step, i + 3 * step];
        const sum = values[i]! + values[j]!;
        const difference = values[i]! - values[j]!;
        const sum2 = values[k]! + values[l]!;
        const difference2 = values[k]! - values[l]!;
        values[i] = sum + sum2;
        values[j] = difference + difference2;
        values[k] = sum - sum2;
        values[l] = difference - difference2;
      }
  if (step < size)
    for (let i = 0; i < step; i++) {
      const [a, b] = [values[i]!, values[i + step]!];
      values[i] = a + b;
      values[i + step] = a - b;
    }
}
