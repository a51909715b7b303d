/** The linear layers of a base as the losses are fed them in int8. */
import type { ModelConfig } from "../../model/config.js";
import { linearShapes } from "../../model/weights.js";
import type { HostTensors } from "../../runtime/runtime.js";
import { INT8_FORMAT } from "../../vae/loss.js";
import { packWeight, weightTensors } from "../../weights/index.js";

/** Packed parts of every linear layer, by graph name. `tensors` are the base's weights by their names on disk. */
export function int8Linears(config: ModelConfig, tensors: HostTensors): HostTensors {
  const packed: HostTensors[] = [];
  for (const [path, shape] of linearShapes(config)) {
    const name = `model.${path}.weight`;
    packed.push(weightTensors(name, packWeight(tensors[name]!.data as Float32Array, shape, INT8_FORMAT)));
  }
  return Object.assign({}, ...packed);
}
