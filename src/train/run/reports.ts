/** What a run tells while it goes. */
import type { Metrics } from "../loop/objective.js";
import type { StepReport } from "../loop/trainer.js";

/** What a run tells, by `kind`: each step, each evaluation on held-out rows and the samples written at it, an early stop, warnings. */
export type RunReport = StepDone | Evaluation | Sample | StoppedEarly | Warning;

/** A step, applied or not. */
export interface StepDone extends StepReport {
  /** Tells it from other reports. */
  kind: "step";
}

/** Losses on held-out rows. */
export interface Evaluation {
  /** Tells it from other reports. */
  kind: "heldOut";
  /** The step after which they were measured. */
  step: number;
  /** By name; shuffled is the loss with the z of other rows. */
  metrics: Metrics;
}

/** What the model writes by now. */
export interface Sample {
  /** Tells it from other reports. */
  kind: "sample";
  /** The step after which it was written. */
  step: number;
  /** A text, and its reconstruction or continuation. */
  sample: Readonly<Record<string, unknown>>;
}

/** The end of a run whose held-out loss has not fallen for long. */
export interface StoppedEarly {
  /** Tells it from other reports. */
  kind: "earlyStop";
  /** The last step. */
  step: number;
  /** The step whose parameters are kept. */
  best: number;
}

/** What had to be passed over. */
export interface Warning {
  /** Tells it from other reports. */
  kind: "warning";
  /** One sentence. */
  text: string;
}
