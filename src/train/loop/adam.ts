/** Adam (Kingma & Ba 2015) with decoupled weight decay (Loshchilov & Hutter 2019), one pass over flat arrays. */
import { FlatTensors } from "./flatTensors.js";

export interface AdamOptions {
  /** Decay of the running mean and of the running square; (0.9, 0.99) in MiniHF. */
  betas: readonly [number, number];
  eps: number;
  /** Each step shrinks matrices by lr * weightDecay; vectors (norms, biases) are spared. */
  weightDecay: number;
}

/**
 * The optimiser and its state. A fused loop: as a graph of elementwise ops the same step took three times as long
 * (docs/log.md), since every op passes over memory again.
 */
export class Adam {
  /** m, the running mean of the gradient. */
  readonly mean: FlatTensors;
  /** v, the running mean of its square. */
  readonly square: FlatTensors;

  constructor(
    readonly parameters: FlatTensors,
    readonly options: AdamOptions,
  ) {
    this.mean = new FlatTensors(parameters.shapes);
    this.square = new FlatTensors(parameters.shapes);
  }

  /** Applies the gradients, multiplied by `gradientScale`, as step number `step` (from 1). */
  apply(gradients: FlatTensors, step: number, lr: number, gradientScale: number): void {
    const [beta1, beta2] = this.options.betas;
    const common = {
      gradientScale,
      beta1,
      beta2,
      eps: this.options.eps,
      stepSize: lr / (1 - beta1 ** step),
      squareScale: 1 / Math.sqrt(1 - beta2 ** step),
    };
    for (const [name, shape] of this.parameters.shapes) {
      const shrink = shape.length > 1 ? 1 - lr * this.options.weightDecay : 1;
      const [x, g, m, v] = [this.parameters, gradients, this.mean, this.square].map((flat) => flat.values(name));
      adamLoop(x!, g!, m!, v!, { ...common, shrink });
    }
  }
}

interface StepScalars {
  gradientScale: number;
  beta1: number;
  beta2: number;
  eps: number;
  /** lr / (1 - beta1^t) */
  stepSize: number;
  /** 1 / sqrt(1 - beta2^t) */
  squareScale: number;
  /** 1 - lr * weightDecay */
  shrink: number;
}

/** m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  x = (1 - lr decay) x - lr m^ / (sqrt(v^) + eps), with bias-corrected m^, v^. */
function adamLoop(x: Float32Array, g: Float32Array, m: Float32Array, v: Float32Array, scalars: StepScalars): void {
  const { gradientScale, beta1, beta2, eps, stepSize, squareScale, shrink } = scalars;
  for (let i = 0; i < x.length; i++) {
    const gradient = g[i]! * gradientScale;
    const mean = (m[i] = beta1 * m[i]! + (1 - beta1) * gradient);
    const square = (v[i] = beta2 * v[i]! + (1 - beta2) * gradient * gradient);
    x[i] = shrink * x[i]! - (stepSize * mean) / (Math.sqrt(square) * squareScale + eps);
  }
}
