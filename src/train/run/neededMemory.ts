/** What training takes on a base of some shape, with the default options: from shapes alone, no weight is read. */
import { fedBytes, storedBytes } from "../../host/memory.js";
import type { ModelConfig } from "../../model/config.js";
import { blockLinears, linearShapes } from "../../model/weights.js";
import { type BatchShape, overlapLoss, overlapParameterShapes, type Packing, type VaeShape } from "../../vae/loss.js";
import type { Quant } from "../../weights/index.js";
import { linearFormat } from "../../weights/weight.js";
import { memoryOfShape } from "../loop/memoryPlan.js";
import { VAE_OPTIONS } from "./options/vae.js";

/** Bytes that training a VAE takes at its peak. */
export interface TrainingMemory {
  /** With every activation kept for the gradient. */
  plain: number;
  /** With those of a block computed again (`gradientCheckpointing`). */
  checkpointing: number;
}

/** Training a VAE on a base, its linear layers packed as `quant` says. */
export function trainingMemory(config: ModelConfig, quant: Quant): TrainingMemory {
  const { numHiddenLayers } = config;
  if (numHiddenLayers <= SOME_LAYERS + 1) return memoryOfGraphs(config, quant);
  // Each layer takes as much as another: two short models show what a long one takes.
  const [some, more] = [0, 1].map((n) => memoryOfGraphs({ ...config, numHiddenLayers: SOME_LAYERS + n }, quant));
  const extended = (of: keyof TrainingMemory) => some![of] + (numHiddenLayers - SOME_LAYERS) * (more![of] - some![of]);
  return { plain: extended("plain"), checkpointing: extended("checkpointing") };
}

/** Enough that the peak lies between the layers, not at the head. */
const SOME_LAYERS = 4;

function memoryOfGraphs(config: ModelConfig, quant: Quant): TrainingMemory {
  const { rank, alpha, zDim, slots, batchSize, dropPrefix, span } = VAE_OPTIONS;
  const lora = { rank: rank.default, alpha: alpha.default, targets: Object.keys(blockLinears(config)) };
  const kept = Math.ceil(batchSize.default * (1 - dropPrefix.default));
  const batch: BatchShape = {
    ...{ kept, dropped: batchSize.default - kept, prefix: span.default, maskedPrefix: 0 },
    ...{ encoded: span.default - 1, target: span.default },
  };
  const shape: VaeShape = {
    config,
    ...{ zDim: zDim.default, slots: slots.default, encoder: lora, writer: lora },
    packing: packingOf(config, quant),
  };
  const sizes = {
    trained: bytesOf(overlapParameterShapes(shape)),
    frozen: fedBytes(config, quant),
    stored: storedBytes(config, quant === "none" ? "unmerged" : quant),
  };
  const of = (checkpointing: boolean) => memoryOfShape(overlapLoss({ ...shape, checkpointing }, batch), sizes);
  return { plain: of(false), checkpointing: of(true) };
}

function packingOf(config: ModelConfig, quant: Quant): Packing | undefined {
  if (quant === "none") return undefined;
  const shapes = linearShapes(config);
  const format = (name: string) => {
    const shape = shapes.get(name.replace(/^model\.(.*)\.weight$/, "$1"));
    return shape && linearFormat(quant, shape[1]);
  };
  return { name: quant, format };
}

function bytesOf(shapes: ReadonlyMap<string, readonly number[]>): number {
  return Array.from(shapes.values()).reduce((sum, shape) => sum + shape.reduce((size, dim) => size * dim, 4), 0);
}
