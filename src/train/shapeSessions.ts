/** The sessions of a training graph, one per shape of microbatch: made at first use, the latest used are kept. */
import { toOnnx, type Value } from "../graph/index.js";
import type { Runtime, Session } from "../runtime/runtime.js";
import type { LossGraph, Microbatch } from "./objective.js";

/** Every session holds memory of its own; more shapes than this take turns. */
const MAX_SESSIONS = 16;

export class ShapeSessions {
  /** By shape, the latest used last. */
  readonly #made = new Map<string, Session>();

  constructor(
    readonly runtime: Runtime,
    /** What a session computes of a microbatch's graph, by name. */
    readonly outputs: (graph: LossGraph) => Readonly<Record<string, Value>>,
  ) {}

  /** The session of a microbatch's shape; the one that was not used for longest is released for it where there are too many. */
  async of({ shapeKey, graph }: Microbatch): Promise<Session> {
    const made = this.#made.get(shapeKey);
    this.#made.delete(shapeKey);
    const session = made ?? (await this.runtime.createSession(toOnnx(this.outputs(graph()))));
    this.#made.set(shapeKey, session);
    const [oldest] = this.#made;
    if (this.#made.size > MAX_SESSIONS && oldest) {
      this.#made.delete(oldest[0]);
      await oldest[1].release();
    }
    return session;
  }

  async release(): Promise<void> {
    for (const session of this.#made.values()) await session.release();
    this.#made.clear();
  }
}
