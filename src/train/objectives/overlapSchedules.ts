/** What changes from step to step in the overlap objective: the KL weight, the noise on z, and the words that the decoder does not see. */

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

/** Word dropout that falls in a straight line from `share` to 0 over `rampSteps`; without them it stays. None in the original. */
export interface WordDropout {
  /** Share of the target's tokens that are hidden from the decoder. */
  share: number;
  rampSteps?: number | undefined;
  /** The token that it reads in their place. */
  token: number;
}

/** Share of hidden tokens in step `step` (from 1). */
export function hiddenShare({ share, rampSteps }: WordDropout, step: number): number {
  return rampSteps === undefined ? share : share * Math.max(0, 1 - (step - 1) / rampSteps);
}
