/** From adapters on disk to the parameters of a VAE in training, and back. */
import type { VaeAdapters } from "../../engine/adapters.js";
import { BigVaeError } from "../../errors.js";
import { type UsualLosses, usualLosses } from "../../eval/confidence.js";
import { Scoring } from "../../eval/scoring.js";
import { rms } from "../../latent/index.js";
import type { LoraShape } from "../../model/lora.js";
import type { HostTensors } from "../../runtime/runtime.js";
import type { AdapterRole } from "../../vae/roles.js";
import type { FlatTensors } from "../loop/flatTensors.js";
import { openRows } from "./runData.js";
import type { SampledModel } from "./samples.js";

/** Adapters whose tensors are views of what is trained, so that they are always up to date. */
export function liveVae(
  parameters: FlatTensors,
  facts: Pick<VaeAdapters, "zDim" | "slots" | "span" | "gap">,
  lora: LoraShape,
): VaeAdapters {
  const adapter = (role: AdapterRole) => ({ role, shape: lora, tensors: parameters.tensors });
  const adapters = { encoder: adapter("encoder"), decoder: adapter("decoder"), router: adapter("router") };
  return { ...facts, head: parameters.tensors, adapters };
}

/**
 * Sets the parameters to those of `vae`. That has the posterior N(mean, s^2); training adds noise of `noiseScale` s.
 * @throws BigVaeError("mismatch") where a shape is another one.
 */
export function copyFrom(parameters: FlatTensors, vae: VaeAdapters, noiseScale: number): void {
  const all: HostTensors = { ...vae.adapters.encoder.tensors, ...vae.adapters.decoder.tensors, ...vae.head };
  for (const [name, shape] of parameters.shapes) {
    const from = all[name];
    // A start without a learned variance has s = 1, which w_s = 0 says.
    if (!from && name.startsWith("vae.w_s.")) continue;
    if (from?.shape.join() !== shape.join()) {
      throw new BigVaeError("mismatch", {
        subject: "`startFrom`",
        expected: `${name} of shape [${shape.join(", ")}]`,
        got: from ? `[${from.shape.join(", ")}]` : "none",
        remedy: "give adapters of this rank, this `zDim` and as many `slots`",
      });
    }
    parameters.set(name, from.data as Float32Array);
  }
  scaleLatents(parameters, noiseScale);
}

/**
 * Makes z `scale` times as long, and the decoder read it as before: w_e and its bias are multiplied, w_d is divided. In training the
 * posterior is N(mean, noiseScale^2 s^2); scaled by 1 / noiseScale it is N(mean, s^2), as everything that uses a checkpoint expects. Without noise there is nothing to scale by.
 */
export function scaleLatents(parameters: FlatTensors, scale: number): void {
  if (scale === 0 || scale === Number.POSITIVE_INFINITY) return;
  for (const name of ["vae.w_e.weight", "vae.w_e.bias"]) multiply(parameters.values(name), scale);
  multiply(parameters.values("vae.w_d.weight"), 1 / scale);
}

function multiply(values: Float32Array, factor: number): void {
  for (let i = 0; i < values.length; i++) values[i]! *= factor;
}

/**
 * What a checkpoint says of its latents, over held-out spans: the RMS of sampled z, sqrt(mean^2 + s^2), and the usual losses, nats per token, of
 * the decoder from a span's own latent and of the base.
 */
export async function measureLatents(
  { engine, tokenizer, span }: SampledModel,
  preprocessed: string,
  signal: AbortSignal | undefined,
): Promise<{ aeScale: number; usualLosses: UsualLosses }> {
  const spans = await heldOutSpans(preprocessed, span);
  const space = engine.space!;
  const encodings = await engine.encode(spans, signal);
  // E z^2 = mean^2 + s^2: no draws are needed.
  const rootMeanSquares = encodings.map(({ mean, logVariance }) =>
    space.content(mean).map((value, d) => Math.hypot(value, Math.exp((logVariance?.[d] ?? 0) / 2))),
  );
  const scoring = new Scoring({ model: engine, tokenizer, space, ...(signal ? { signal } : {}) });
  const texts = spans.map(({ ids }, i) => ({ ids, z: encodings[i]!.mean }));
  return { aeScale: rms(rootMeanSquares), usualLosses: await usualLosses(scoring, texts) };
}

const MEASURED_SPANS = 512;

/** Spans of the validation split; of the training split where there are none. */
async function heldOutSpans(
  preprocessed: string,
  span: number,
  split: "validation" | "train" = "validation",
): Promise<{ ids: number[] }[]> {
  const rows = await openRows(preprocessed, split, { columns: span, minTokens: span });
  try {
    if (rows.rowCount === 0 && split === "validation") return await heldOutSpans(preprocessed, span, "train");
    const count = Math.min(MEASURED_SPANS, rows.rowCount);
    return await Promise.all(
      Array.from({ length: count }, async (_, i) => ({ ids: Array.from((await rows.row(i)).inputIds) })),
    );
  } finally {
    await rows.close();
  }
}
