/** A binary heap of pairs: the highest count first, of equal counts the lowest pair, as Hugging Face's BPE trainer orders them. */

export interface CountedPair {
  readonly pair: number;
  readonly count: number;
}

export class PairQueue {
  readonly #heap: CountedPair[] = [];

  push(pair: number, count: number): void {
    const heap = this.#heap;
    const item = { pair, count };
    let at = heap.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(item, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  pop(): CountedPair | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const item = heap.pop();
    if (!top || !item || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!precedes(heap[child]!, item)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
    return top;
  }
}

function precedes(a: CountedPair, b: CountedPair): boolean {
  return a.count > b.count || (a.count === b.count && a.pair < b.pair);
}
