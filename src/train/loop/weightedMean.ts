/** Means over microbatches of different size. */

/** The mean of scalars by name, where each set of them counts as much as its microbatch. 0 where nothing counts. */
export class WeightedMean {
  readonly #sums: Record<string, number> = {};
  #weight = 0;

  add(values: Readonly<Record<string, number>>, weight: number): void {
    this.#weight += weight;
    for (const [name, value] of Object.entries(values)) this.#sums[name] = (this.#sums[name] ?? 0) + weight * value;
  }

  get values(): Record<string, number> {
    const means = Object.entries(this.#sums).map(([name, sum]) => [name, sum / (this.#weight || 1)]);
    return Object.fromEntries(means);
  }
}
