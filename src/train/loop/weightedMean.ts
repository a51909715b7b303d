/** Means over microbatches of different size. */
import type { Metrics } from "./objective.js";

/** The mean of metrics, where those of a microbatch count as much as it does. 0 where nothing counts. */
export class WeightedMean {
  readonly #sums: Record<string, number> = {};
  #weight = 0;

  add(values: Metrics, weight: number): void {
    this.#weight += weight;
    for (const [name, value] of Object.entries(values)) this.#sums[name] = (this.#sums[name] ?? 0) + weight * value;
  }

  get values(): Metrics {
    const means = Object.entries(this.#sums).map(([name, sum]) => [name, sum / (this.#weight || 1)]);
    return Object.fromEntries(means) as Metrics;
  }
}
