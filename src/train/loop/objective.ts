/** What is trained: parameters, the graph of the loss, and batches. The trainer knows nothing else of a model. */
import type { HostTensors } from "../../runtime/runtime.js";
import type { LossGraph } from "../../vae/loss.js";
import type { FlatTensors } from "./flatTensors.js";

/** The loss and what else is measured, by name: "rec" and "kl" of a VAE. */
export type Metrics = Readonly<Record<string, number>> & {
  /** What is minimised. */
  readonly loss: number;
};

/** The part of a step that is one run of a graph. */
export interface Microbatch {
  /** Batches with the same key share a graph. */
  shapeKey: string;
  /** The loss (shape []), and further scalars to log, from the trainable parameters in the order of `parameters`. */
  graph(): LossGraph;
  feeds: HostTensors;
  /** What the loss and its metrics are divided by, the sum of the weights of its tokens: how much the microbatch counts among those of a step. */
  weight: number;
  /** Tokens that bear loss, for the rate shown. */
  tokens: number;
}

export interface Objective {
  /** Trained values. */
  parameters: FlatTensors;
  /** Fed beside the parameters and never changed: the frozen base. */
  frozen: HostTensors;
  /** The microbatch number `index` (from 0) of step `step` (from 1): a pure function of both, so that a run resumes exactly. */
  microbatch(step: number, index: number): Promise<Microbatch>;
}
