/** What the objectives that train adapters share: their initial values, and the keys of their dropout masks. */
import type { ModelConfig } from "../../model/config.js";
import { type LoraShape, loraShapes } from "../../model/lora.js";
import type { Rng } from "../../rng.js";
import type { HostTensor, HostTensors } from "../../runtime/runtime.js";
import { dropoutInput, randomKeys } from "../../vae/dropout.js";
import { type BatchShape, type VaeShape, writtenRows } from "../../vae/loss.js";
import type { FlatTensors } from "../loop/flatTensors.js";

/** A: uniform in +-1/sqrt(in) (PEFT's Kaiming with a = sqrt 5); B: zero. */
export function initialiseLora(
  parameters: FlatTensors,
  config: ModelConfig,
  adapter: string,
  shape: LoraShape,
  rng: Rng,
): void {
  for (const [name, [, width]] of loraShapes(config, adapter, shape)) {
    if (!name.endsWith("lora_A")) continue;
    const stream = rng.fork("init", name);
    const values = parameters.values(name);
    for (let i = 0; i < values.length; i++) values[i] = (2 * stream.uniform() - 1) / Math.sqrt(width!);
  }
}

/** Keys of the dropout masks, one a row; empty without dropout. They follow from the microbatch's noise alone. */
export function dropoutFeeds(
  { dropout = 0, slots }: VaeShape,
  batch: BatchShape,
  adapters: readonly ("encoder" | "decoder" | "router")[],
  noise: Rng,
): HostTensors {
  if (dropout === 0) return {};
  const keys = (adapter: string): HostTensor => {
    const rows = adapter === "encoder" ? (batch.kept + batch.dropped) * batch.encoded : writtenRows(batch, slots);
    return { dtype: "int32", shape: [rows], data: randomKeys(noise.fork("dropout", adapter), rows) };
  };
  return Object.fromEntries(adapters.map((adapter) => [dropoutInput(adapter), keys(adapter)]));
}
