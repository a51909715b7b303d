/** Every random decision of a story passes here, so that its bits, the sum of -log2(p), are the story's own code length. */
import type { Rng } from "../../rng.js";

export class Chooser {
  readonly #rng: Rng;
  #bits = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** Bits of all choices so far. */
  get bits(): number {
    return this.#bits;
  }

  /** A whole number in [0, bound), each as likely. */
  integer(bound: number): number {
    this.#bits += Math.log2(bound);
    return bound === 1 ? 0 : this.#rng.integer(bound);
  }

  /** True once in `oneIn` times. */
  chance(oneIn: number): boolean {
    const yes = this.#rng.integer(oneIn) === 0;
    this.#bits -= Math.log2(yes ? 1 / oneIn : 1 - 1 / oneIn);
    return yes;
  }

  /** One of `items`, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }

  /** An index below `bound` that is not in `taken`, each as likely; all are open again once every one was taken. */
  fresh(bound: number, taken: Set<number>): number {
    if (taken.size >= bound) taken.clear();
    let index = this.integer(bound - taken.size);
    for (const hole of [...taken].sort((a, b) => a - b)) if (hole <= index) index++;
    taken.add(index);
    return index;
  }
}
