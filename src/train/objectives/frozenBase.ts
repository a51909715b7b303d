/** A frozen base as the losses are fed it: as it is in memory, or its linear layers in int8. */
import type { BaseModel } from "../../engine/baseModel.js";
import type { Compute } from "../../engine/sessions.js";
import { linearWeightShapes } from "../../model/weights.js";
import type { HostTensors } from "../../runtime/runtime.js";
import type { Packing } from "../../vae/loss.js";
import { COLUMNS_FORMAT, packWeight, weightTensors } from "../../weights/index.js";

export interface FrozenBase {
  /** Fed at every run. */
  tensors: HostTensors;
  /** For training. */
  packing: Packing | undefined;
  /** For evaluation, which is never in int8. */
  evaluationPacking: Packing | undefined;
}

/** `compute`: in what the products with the linear layers of a dense base are computed, forward and back. */
export function frozenBase({ config, weights }: BaseModel, compute: Compute): FrozenBase {
  const { quant, tensors } = weights;
  const own = quant === "none" ? undefined : { name: quant, format: (name: string) => weights.format(name) };
  if (compute === "fp32") return { tensors, packing: own, evaluationPacking: own };
  const linears = linearWeightShapes(config);
  const packed: HostTensors[] = [tensors];
  for (const [name, shape] of linears)
    packed.push(weightTensors(name, packWeight(tensors[name]!.data as Float32Array, shape, COLUMNS_FORMAT)));
  const format = (name: string) => (linears.has(name) ? COLUMNS_FORMAT : undefined);
  return { tensors: Object.assign({}, ...packed), packing: { name: "int8", format }, evaluationPacking: undefined };
}
