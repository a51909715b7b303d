/** The loss on held-out microbatches, without gradients. */
import type { Runtime } from "../../runtime/runtime.js";
import type { Metrics, Microbatch, Objective } from "./objective.js";
import { ShapeSessions } from "./shapeSessions.js";
import { WeightedMean } from "./weightedMean.js";

export class Evaluator {
  readonly #sessions: ShapeSessions;

  constructor(
    runtime: Runtime,
    /** Its parameters are read as they are at each call. */
    readonly objective: Objective,
    budgetBytes?: number,
  ) {
    this.#sessions = new ShapeSessions(runtime, ({ loss, metrics }) => ({ loss, ...metrics }), budgetBytes);
  }

  /** Mean loss and metrics over the tokens of the microbatches; an abort is heard between two of them. */
  async evaluate(microbatches: readonly Microbatch[], signal?: AbortSignal): Promise<Metrics> {
    const { frozen, parameters } = this.objective;
    const mean = new WeightedMean();
    for (const microbatch of microbatches) {
      signal?.throwIfAborted();
      const session = await this.#sessions.of(microbatch);
      const results = await session.run({ ...frozen, ...parameters.tensors, ...microbatch.feeds });
      const scalars = Object.entries(results).map(([name, { data }]) => [name, Number(data[0])]);
      mean.add(Object.fromEntries(scalars) as Metrics, microbatch.weight);
    }
    return mean.values;
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }
}
