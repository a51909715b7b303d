/** What changes from step to step in the overlap objective: the KL weight and the noise on z. */

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
