/** Runs loss and gradients of microbatches; the gradients land in one flat array. */
import { gradients, type Value } from "../../graph/index.js";
import type { Runtime } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import { FlatTensors } from "./flatTensors.js";
import type { Metrics, Microbatch, Objective } from "./objective.js";
import { deepestFirst } from "./outputOrder.js";
import { ShapeSessions } from "./shapeSessions.js";

export class GradientRunner {
  /** Sum of the gradients of the microbatches since `reset`, each counted by its weight over that of the first one. */
  readonly gradients: FlatTensors;
  /** Where a run writes while `gradients` holds the sum of earlier ones; made when accumulation is used. */
  #scratch: FlatTensors | undefined;
  #firstWeight = 0;
  #weight = 0;
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
    this.#weight = 0;
  }

  /** What makes the sum the mean of the step: the gradient of one large batch. */
  get meanFactor(): number {
    return this.#weight > 0 ? this.#firstWeight / this.#weight : 1;
  }

  /** Adds the gradients of one microbatch; returns its loss and metrics. */
  async run(microbatch: Microbatch): Promise<Metrics> {
    const session = await this.#sessions.of(microbatch);
    // One that counts for nothing has gradients of zero.
    const first = this.#weight === 0;
    const target = first ? this.gradients : (this.#scratch ??= new FlatTensors(this.gradients.shapes));
    const feeds = { ...this.objective.frozen, ...this.objective.parameters.tensors, ...microbatch.feeds };
    const results = await session.run(feeds, this.#outputsOf(target));
    if (first) this.#firstWeight = microbatch.weight;
    else addInto(this.gradients.data, target.data, microbatch.weight / this.#firstWeight);
    this.#weight += microbatch.weight;
    const scalars = Object.entries(results).filter(([name]) => !name.startsWith(GRADIENT));
    return Object.fromEntries(scalars.map(([name, { data }]) => [name, Number(data[0])])) as Metrics;
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

function addInto(sum: Float32Array, values: Float32Array, factor: number): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += factor * values[i]!;
}

/** Euclidean norm of a flat array, in double precision; NaN or infinite where a value is. */
export function normOf(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return Math.sqrt(sum);
}
