/** The loss on held-out microbatches, without gradients. */
import { toOnnx } from "../graph/index.js";
import type { Runtime, Session } from "../runtime/runtime.js";
import type { Microbatch, Objective } from "./objective.js";

export class Evaluator {
  readonly #sessions = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    /** Its parameters are read as they are at each call. */
    readonly objective: Objective,
    readonly microbatches: readonly Microbatch[],
  ) {}

  /** Mean loss and metrics over the microbatches. */
  async evaluate(): Promise<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const microbatch of this.microbatches) {
      const session = await this.#session(microbatch);
      const { frozen, parameters } = this.objective;
      const results = await session.run({ ...frozen, ...parameters.tensors, ...microbatch.feeds });
      for (const [name, { data }] of Object.entries(results)) {
        sums[name] = (sums[name] ?? 0) + Number(data[0]) / this.microbatches.length;
      }
    }
    return sums;
  }

  async release(): Promise<void> {
    for (const session of this.#sessions.values()) await session.release();
    this.#sessions.clear();
  }

  async #session(microbatch: Microbatch): Promise<Session> {
    let session = this.#sessions.get(microbatch.shapeKey);
    if (!session) {
      const { loss, metrics } = microbatch.graph();
      session = await this.runtime.createSession(toOnnx({ loss, ...metrics }));
      this.#sessions.set(microbatch.shapeKey, session);
    }
    return session;
  }
}
