/**
 * A binary heap of pairs: the highest count first, of equal counts the lowest pair, as Hugging Face's BPE trainer orders
 * them. It lies in two flat arrays, as long runs of one character make it millions of items long.
 */
export class PairQueue {
  #pairs = new Float64Array(64);
  #counts = new Float64Array(64);
  #length = 0;
  /** What `pop` took last. */
  pair = 0;
  count = 0;

  push(pair: number, count: number): void {
    if (this.#length === this.#pairs.length) this.#grow();
    let at = this.#length++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#precedes(pair, count, parent)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, pair, count);
  }

  /** Takes the first item into `pair` and `count`; false where there is none. */
  pop(): boolean {
    if (this.#length === 0) return false;
    this.pair = this.#pairs[0]!;
    this.count = this.#counts[0]!;
    const last = --this.#length;
    const [pair, count] = [this.#pairs[last]!, this.#counts[last]!];
    let at = 0;
    for (let child = 1; child < last; child = 2 * at + 1) {
      if (child + 1 < last && this.#precedes(this.#pairs[child + 1]!, this.#counts[child + 1]!, child)) child++;
      if (this.#precedes(pair, count, child)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, pair, count);
    return true;
  }

  #precedes(pair: number, count: number, other: number): boolean {
    const otherCount = this.#counts[other]!;
    return count > otherCount || (count === otherCount && pair < this.#pairs[other]!);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#pairs[from]!, this.#counts[from]!);
  }

  #put(at: number, pair: number, count: number): void {
    this.#pairs[at] = pair;
    this.#counts[at] = count;
  }

  #grow(): void {
    const [pairs, counts] = [this.#pairs, this.#counts];
    this.#pairs = new Float64Array(2 * pairs.length);
    this.#counts = new Float64Array(2 * counts.length);
    this.#pairs.set(pairs);
    this.#counts.set(counts);
  }
}
