/** Tables of the rotary position embedding. Su et al. 2021; scalings as in Transformers' modeling_rope_utils.py. */
import type { ModelConfig } from "./config.js";
import type { RopeScaling } from "./ropeConfig.js";

export interface RopeTables {
  /** [P, Dh/2] */
  cos: Float32Array;
  /** [P, Dh/2] */
  sin: Float32Array;
}

/**
 * Cosines and sines of position * frequency for positions 0..length-1, `steps` rows per position: row i is position i / steps.
 * Rows between whole positions serve the slots of a latent (vae/rowLayout).
 */
export function ropeTables(config: ModelConfig, length: number, steps = 1): RopeTables {
  const half = config.headDim / 2;
  const frequencies = ropeFrequencies(config);
  const magnitude = config.ropeScaling.kind === "yarn" ? config.ropeScaling.attentionFactor : 1;
  const rows = length * steps;
  const cos = new Float32Array(rows * half);
  const sin = new Float32Array(rows * half);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < half; i++) {
      // Transformers multiplies in single precision; at position 4096 double would differ in the fourth digit.
      const angle = Math.fround((row / steps) * frequencies[i]!);
      cos[row * half + i] = Math.cos(angle) * magnitude;
      sin[row * half + i] = Math.sin(angle) * magnitude;
    }
  }
  return { cos, sin };
}

/** The row of a table with `steps` rows per position that is nearest to a position. */
export function ropeRow(position: number, steps: number): number {
  return Math.max(0, Math.round(position * steps));
}

/** Angle per position of each pair: theta^(-2i/Dh), scaled. [Dh/2] */
export function ropeFrequencies({ headDim, ropeTheta, ropeScaling }: ModelConfig): Float32Array {
  const plain = Float32Array.from({ length: headDim / 2 }, (_, i) => 1 / ropeTheta ** ((2 * i) / headDim));
  switch (ropeScaling.kind) {
    case "default":
      return plain;
    case "linear":
      return plain.map((frequency) => frequency / ropeScaling.factor);
    case "llama3":
      return plain.map((frequency) => llama3Frequency(frequency, ropeScaling));
    case "yarn":
      return plain.map((frequency, i) => yarnFrequency(frequency, i, headDim, ropeTheta, ropeScaling));
  }
}

/** Long wavelengths are stretched by `factor`, short ones kept, those between blended. Llama 3.1. */
function llama3Frequency(frequency: number, scaling: RopeScaling & { kind: "llama3" }): number {
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositions } = scaling;
  const turns = (originalMaxPositions * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const blend = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - blend) * (frequency / factor) + blend * frequency;
}

/** Pairs that turn rarely within the original window are stretched, those that turn often kept. Peng et al. 2023. */
function yarnFrequency(
  frequency: number,
  i: number,
  headDim: number,
  theta: number,
  scaling: RopeScaling & { kind: "yarn" },
): number {
  const { factor, betaFast, betaSlow, originalMaxPositions } = scaling;
  const pairOfTurns = (turns: number) =>
    (headDim * Math.log(originalMaxPositions / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
  const low = Math.max(Math.floor(pairOfTurns(betaFast)), 0);
  const high = Math.min(Math.ceil(pairOfTurns(betaSlow)), headDim - 1);
  const ramp = Math.min(Math.max((i - low) / Math.max(high - low, 0.001), 0), 1);
  return (frequency / factor) * ramp + frequency * (1 - ramp);
}
