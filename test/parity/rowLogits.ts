/** The logits that a writer chooses each token of a row from, computed by one reading of the whole row. */
import type { VaeAdapters } from "../../src/engine/adapters.js";
import type { BaseModel } from "../../src/engine/baseModel.js";
import { KvCache } from "../../src/engine/kvCache.js";
import { ModelRunner } from "../../src/engine/modelRunner.js";
import { Sessions } from "../../src/engine/sessions.js";
import type { Latent } from "../../src/latent/index.js";
import { float32 } from "../../src/runtime/runtime.js";
import { runtime } from "./reference.js";

/** A text that the router wrote behind a context. */
export interface WrittenRow {
  z: Latent;
  context: readonly number[];
  ids: readonly number[];
}

/** Logits [V] of each token of `ids`, from a latent of one slot. */
export async function rowLogits(base: BaseModel, vae: VaeAdapters, { z, context, ids }: WrittenRow) {
  const sessions = new Sessions(runtime, base, vae, "merged", context.length + 1 + ids.length);
  const embedder = await sessions.latentEmbeddings();
  const { embeddings } = await embedder.session.run({ ...embedder.weights, z: float32(z, 1, vae.zDim) });
  const latent = { embedding: embeddings!.data as Float32Array };
  const items = [...context.map((id) => ({ id })), latent, ...ids.slice(0, -1).map((id) => ({ id }))];
  const caches = { shared: new KvCache(base.config, 1), past: new KvCache(base.config, 1) };
  const runner = new ModelRunner(base, await sessions.writer("router"));
  const [logits] = await runner.forward(caches, [{ items, positions: items.map((_, at) => at) }], "all");
  const own = logits!.slice(context.length);
  await sessions.release();
  return own;
}
