/** The rows of the greatest values, of any number of them. */
export class Best {
  /** What is not greater is not among them. */
  #bound = Number.NEGATIVE_INFINITY;
  #held = 0;
  readonly #rows: Uint32Array;
  readonly #values: Float32Array;

  constructor(readonly most: number) {
    this.#rows = new Uint32Array(4 * most);
    this.#values = new Float32Array(4 * most);
  }

  /** Takes a row; returns a bound: what is not greater need not be offered. */
  add(row: number, value: number): number {
    if (value <= this.#bound) return this.#bound;
    this.#rows[this.#held] = row;
    this.#values[this.#held] = value;
    if (++this.#held === this.#rows.length) this.#cut();
    return this.#bound;
  }

  /** In the order in which they came. */
  get rows(): Uint32Array {
    if (this.#held > this.most) this.#cut();
    return this.#rows.subarray(0, this.#held);
  }

  /** The greatest first; of equal ones, the earlier. */
  ranked(): number[] {
    const { rows } = this;
    const places = Array.from(rows, (_, place) => place);
    return places.sort((a, b) => this.#values[b]! - this.#values[a]! || a - b).map((place) => rows[place]!);
  }

  /** Keeps the greatest `most`, of equal ones the earlier. */
  #cut(): void {
    const values = this.#values.subarray(0, this.#held);
    this.#bound = ascendingAt(values.slice(), values.length - this.most);
    let greater = 0;
    for (let place = 0; place < values.length; place++) if (values[place]! > this.#bound) greater++;
    let equal = this.most - greater;
    this.#held = 0;
    for (let place = 0; place < values.length; place++) {
      const value = values[place]!;
      if (value < this.#bound || (value === this.#bound && equal-- <= 0)) continue;
      this.#rows[this.#held] = this.#rows[place]!;
      this.#values[this.#held++] = value;
    }
  }
}

/** The value that would stand at a place if they were sorted (Hoare's selection); it moves them. */
function ascendingAt(values: Float32Array, place: number): number {
  let [from, to] = [0, values.length - 1];
  while (from < to) {
    const pivot = values[(from + to) >>> 1]!;
    let [low, high] = [from, to];
    while (low <= high) {
      while (values[low]! < pivot) low++;
      while (values[high]! > pivot) high--;
      if (low > high) break;
      const value = values[low]!;
      values[low++] = values[high]!;
      values[high--] = value;
    }
    if (place <= high) to = high;
    else if (place >= low) from = low;
    else return values[place]!;
  }
  return values[place]!;
}
