/** The sessions of a training graph, one per shape of microbatch: made at first use, the latest used are kept. */
import type { Value } from "../../graph/index.js";
import type { Runtime, Session } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import { activationBytes } from "./memoryEstimate.js";
import type { Microbatch } from "./objective.js";

/** More shapes than this take turns. */
const MAX_SESSIONS = 16;

interface Made {
  session: Session;
  /** What its values take; a session keeps that memory between runs. */
  bytes: number;
}

export class ShapeSessions {
  /** By shape, the latest used last. */
  readonly #made = new Map<string, Made>();

  constructor(
    readonly runtime: Runtime,
    /** What a session computes of a microbatch's graph, by name. */
    readonly outputs: (graph: LossGraph) => Readonly<Record<string, Value>>,
    /** Memory for the values of all sessions; one session is kept even where it alone takes more. */
    readonly budgetBytes = Number.POSITIVE_INFINITY,
  ) {}

  /** The session of a microbatch's shape; those that were not used for longest are released for it where there is no room. */
  async of({ shapeKey, graph }: Microbatch): Promise<Session> {
    const made = this.#made.get(shapeKey) ?? (await this.#make(graph()));
    this.#made.delete(shapeKey);
    this.#made.set(shapeKey, made);
    return made.session;
  }

  async release(): Promise<void> {
    for (const { session } of this.#made.values()) await session.release();
    this.#made.clear();
  }

  async #make(graph: LossGraph): Promise<Made> {
    const outputs = this.outputs(graph);
    const bytes = activationBytes(Object.values(outputs));
    const held = () => Array.from(this.#made.values()).reduce((sum, made) => sum + made.bytes, bytes);
    for (const [key, { session }] of this.#made) {
      if (this.#made.size < MAX_SESSIONS && held() <= this.budgetBytes) break;
      this.#made.delete(key);
      await session.release();
    }
    return { session: await this.runtime.createSession(outputs), bytes };
  }
}

/** Bytes that sessions of these sizes come to hold. */
export function heldBytes(sizes: readonly number[], budgetBytes: number): number {
  const largest = sizes.toSorted((a, b) => b - a).slice(0, MAX_SESSIONS);
  const all = largest.reduce((sum, bytes) => sum + bytes, 0);
  return Math.min(all, Math.max(budgetBytes, largest[0] ?? 0));
}
