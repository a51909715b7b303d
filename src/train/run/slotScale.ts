/** The first size of the slots of a latent. */
import type { BaseModel } from "../../engine/baseModel.js";
import type { Engine } from "../../engine/engine.js";
import { EMBEDDING } from "../../model/weights.js";
import type { FlatTensors } from "../loop/flatTensors.js";

/**
 * Scales fresh w_d so that the slots of the latents of some spans are as large as embeddings of tokens. Slots eight times as large, as w_e transposed makes
 * them of SmolLM2, upset its first blocks, and the gradients are noise (docs/log.md).
 */
export async function scaleSlots(
  engine: Engine,
  { config, weights }: BaseModel,
  parameters: FlatTensors,
  spans: readonly (readonly number[])[],
): Promise<void> {
  const encodings = await engine.encode(spans.map((ids) => ({ ids })));
  // Its sessions hold the head as it is now.
  await engine.close();
  const latents = rms(encodings.flatMap(({ mean }) => Array.from(engine.space!.content(mean))));
  const decode = parameters.values("vae.w_d.weight");
  const share = Math.min(1, decode.length / config.hiddenSize ** 2);
  const scale = rms(weights.tensors[EMBEDDING]!.data as Float32Array) / (latents * Math.sqrt(share));
  for (let i = 0; i < decode.length; i++) decode[i]! *= scale;
}

function rms(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum / values.length);
}
