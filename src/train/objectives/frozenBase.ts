/** A frozen base as the losses are fed it: as it is in memory, or its linear layers in int8. */
import type { BaseModel } from "../../engine/baseModel.js";
import { type InputSizes, int8Packing } from "../../engine/int8.js";
import type { HostTensors } from "../../runtime/runtime.js";
import type { Packing } from "../../vae/loss.js";

export interface FrozenBase {
  /** Fed at every run. */
  tensors: HostTensors;
  /** For training. */
  packing: Packing | undefined;
  /** For evaluation, which is never in int8. */
  evaluationPacking: Packing | undefined;
}

/** `inputSizes`: the products with the matrices of a dense base, the head among them, are computed in int8, forward and back, balanced by these. */
export function frozenBase({ config, weights }: BaseModel, inputSizes?: InputSizes): FrozenBase {
  const { quant, tensors } = weights;
  const own = quant === "none" ? undefined : { name: quant, format: (name: string) => weights.format(name) };
  if (!inputSizes) return { tensors, packing: own, evaluationPacking: own };
  const pack = int8Packing(config, inputSizes, (name) => tensors[name]!.data as Float32Array, true);
  const stacks = Array.from(inputSizes.keys(), (name) => [name, pack(name)!] as const);
  const formats = new Map(stacks.map(([name, { format }]) => [name, format]));
  return {
    tensors: Object.assign({}, tensors, ...stacks.map(([, stack]) => stack.tensors)),
    packing: { name: "int8", format: (name) => formats.get(name) },
    evaluationPacking: undefined,
  };
}
