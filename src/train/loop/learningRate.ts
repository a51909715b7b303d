/** The learning rate of each step: linear warm-up, then constant or half a cosine. */

export interface LearningRateSchedule {
  /** Peak learning rate. */
  lr: number;
  /** Steps of linear warm-up from 0. */
  warmup: number;
  /** "constant" as MiniHF, or "cosine": half a cosine from the peak to a tenth of it over the run. */
  decay: "constant" | "cosine";
  /** Steps of the whole run. */
  totalSteps: number;
}

/** Learning rate of step `step` (from 1). */
export function learningRate({ lr, warmup, decay, totalSteps }: LearningRateSchedule, step: number): number {
  if (step < warmup) return (lr * step) / warmup;
  if (decay === "constant") return lr;
  const progress = Math.min((step - warmup) / Math.max(totalSteps - warmup, 1), 1);
  return lr * (0.55 + 0.45 * Math.cos(Math.PI * progress));
}
