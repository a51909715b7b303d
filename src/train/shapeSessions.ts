/** The sessions of a training graph, one per shape of microbatch, made at first use. */
import { toOnnx, type Value } from "../graph/index.js";
import type { Runtime, Session } from "../runtime/runtime.js";
import type { LossGraph, Microbatch } from "./objective.js";

export class ShapeSessions {
  readonly #made = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    /** What a session computes of a microbatch's graph, by name. */
    readonly outputs: (graph: LossGraph) => Readonly<Record<string, Value>>,
  ) {}

  async of({ shapeKey, graph }: Microbatch): Promise<Session> {
    let session = this.#made.get(shapeKey);
    if (!session) {
      session = await this.runtime.createSession(toOnnx(this.outputs(graph())));
      this.#made.set(shapeKey, session);
    }
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.#made.values()) await session.release();
    this.#made.clear();
  }
}
