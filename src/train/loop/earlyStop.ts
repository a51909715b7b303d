/** Early stop: the parameters with the lowest held-out loss are kept, and too many evaluations without a lower one end the run. */
import { join } from "node:path";
import { newestCheckpoint, readArrays, saveCheckpoint } from "./checkpoint.js";
import type { FlatTensors } from "./flatTensors.js";

export interface EarlyStopOptions {
  /** Folder of the run; the best parameters lie in its best/. */
  output: string;
  parameters: FlatTensors;
  /** Evaluations without a lower loss that end the run. */
  patience: number;
  /** Evaluation interval in steps. */
  evalEvery: number;
}

export class EarlyStop {
  #best: { step: number; loss: number } | undefined;

  private constructor(readonly options: EarlyStopOptions) {}

  /** A new run starts from nothing; a resumed one from the best so far. */
  static async open(options: EarlyStopOptions, resume: boolean, warn: (line: string) => void): Promise<EarlyStop> {
    const stop = new EarlyStop(options);
    const found = resume ? await newestCheckpoint(stop.#folder, warn) : undefined;
    if (found) stop.#best = { step: found.facts.step as number, loss: found.facts.loss as number };
    return stop;
  }

  /** Takes note of an evaluation; saves the parameters where they are the best so far. */
  async evaluated(step: number, loss: number): Promise<void> {
    if (!(loss < (this.#best?.loss ?? Number.POSITIVE_INFINITY))) return;
    this.#best = { step, loss };
    const arrays = { parameters: this.options.parameters };
    await saveCheckpoint(this.#folder, step, { arrays, facts: this.#best }, { keep: 1 });
  }

  /** Whether `patience` evaluations have passed since the best. It follows from the step alone, so that a resumed run stops where a straight one does. */
  isOver(step: number): boolean {
    if (!this.#best) return false;
    const evaluations = Math.floor((step - this.#best.step) / this.options.evalEvery);
    return evaluations >= this.options.patience;
  }

  /** Puts the best parameters back; returns their step. */
  async restore(): Promise<number | undefined> {
    const found = await newestCheckpoint(this.#folder, () => {});
    if (!found) return undefined;
    await readArrays(found, { parameters: this.options.parameters });
    return found.facts.step as number;
  }

  get #folder(): string {
    return join(this.options.output, "best");
  }
}
