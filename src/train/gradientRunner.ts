/** Runs loss and gradients of microbatches; the gradients land in one flat array. */
import { gradients, type Value } from "../graph/index.js";
import type { Runtime } from "../runtime/runtime.js";
import type { LossGraph } from "../vae/loss.js";
import { FlatTensors } from "./flatTensors.js";
import type { Microbatch, Objective } from "./objective.js";
import { deepestFirst } from "./outputOrder.js";
import { ShapeSessions } from "./shapeSessions.js";

export class GradientRunner {
  /** Gradients of the last run, summed over the microbatches since `reset`. */
  readonly gradients: FlatTensors;
  /** Where a run writes while `gradients` holds the sum of earlier ones; made when accumulation is used. */
  #scratch: FlatTensors | undefined;
  #count = 0;
  readonly #sessions: ShapeSessions;
  readonly #into = new WeakMap<FlatTensors, HostTensorsByOutput>();

  constructor(
    runtime: Runtime,
    readonly objective: Objective,
    budgetBytes?: number,
  ) {
    this.#sessions = new ShapeSessions(runtime, lossAndGradients, budgetBytes);
    this.gradients = new FlatTensors(objective.parameters.shapes);
  }

  /** Starts a new sum. */
  reset(): void {
    this.#count = 0;
  }

  /** Adds the gradients of one microbatch; returns its loss and metrics. */
  async run(microbatch: Microbatch): Promise<Record<string, number>> {
    const session = await this.#sessions.of(microbatch);
    const first = this.#count++ === 0;
    const target = first ? this.gradients : (this.#scratch ??= new FlatTensors(this.gradients.shapes));
    const feeds = { ...this.objective.frozen, ...this.objective.parameters.tensors, ...microbatch.feeds };
    const results = await session.run(feeds, this.#outputsOf(target));
    if (!first) addInto(this.gradients.data, target.data);
    const scalars = Object.entries(results).filter(([name]) => !name.startsWith(GRADIENT));
    return Object.fromEntries(scalars.map(([name, { data }]) => [name, Number(data[0])]));
  }

  release(): Promise<void> {
    return this.#sessions.release();
  }

  #outputsOf(target: FlatTensors): HostTensorsByOutput {
    let outputs = this.#into.get(target);
    if (!outputs) {
      outputs = Object.fromEntries(Object.entries(target.tensors).map(([name, tensor]) => [GRADIENT + name, tensor]));
      this.#into.set(target, outputs);
    }
    return outputs;
  }
}

const GRADIENT = "gradient:";

/** What a run computes: loss, metrics, and the gradient of every parameter. */
export function lossAndGradients({ loss, metrics, parameters }: LossGraph): Record<string, Value> {
  const derived = gradients(loss, [...parameters.values()]);
  const outputs = Object.fromEntries(Array.from(parameters.keys(), (name, i) => [GRADIENT + name, derived[i]!]));
  return deepestFirst({ loss, ...metrics, ...outputs });
}

type HostTensorsByOutput = FlatTensors["tensors"];

function addInto(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

/** Euclidean norm of a flat array, in double precision; NaN or infinite where a value is. */
export function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
