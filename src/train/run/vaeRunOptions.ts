/** Options that `train vae` and `train router` share. */
import type { BaseModel } from "../../engine/baseModel.js";
import type { DataOptions } from "./runData.js";
import type { RunOptions } from "./runTraining.js";

export interface VaeRunOptions extends RunOptions, DataOptions {
  base: BaseModel;
  /** sha256 of the base's weights, kept in bigvae.json. */
  baseSha256: string;
  rank: number;
  alpha: number;
  /** Share of values dropped from what the trained adapters read. */
  dropout?: number;
  /** Blocks are computed again for the gradients: less memory, a third more time. */
  checkpointing?: boolean;
  noiseScale: number;
}

/** What a resumed run must share, beside its data. */
export function adapterFacts({ rank, alpha, baseSha256, dropout = 0, noiseScale, weightDecay }: VaeRunOptions) {
  return { rank, alpha, baseSha256, dropout, noiseScale, weightDecay };
}
