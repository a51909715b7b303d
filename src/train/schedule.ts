/** What changes from step to step: learning rate, KL weight and the noise on z. */

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

/** weight * sin^2(min(step / rampSteps, 1) * pi/2), MiniHF's ramp; `step` counts from 1. MiniHF: weight 0.1, rampSteps 50000. */
export function klWeight(weight: number, rampSteps: number, step: number): number {
  return weight * Math.sin((Math.min(step / rampSteps, 1) * Math.PI) / 2) ** 2;
}

/** z = mean + scale * s * eps, with a scale that rises in a straight line from `start` to `scale` over `rampSteps`; 1 throughout in the original. */
export interface NoiseSchedule {
  scale: number;
  start: number;
  rampSteps: number;
}

/** Scale of the noise in step `step` (from 1). */
export function noiseScale({ scale, start, rampSteps }: NoiseSchedule, step: number): number {
  return start + (scale - start) * Math.min(step / rampSteps, 1);
}
