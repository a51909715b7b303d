/** Latents between and beside texts, each with the guidance that suits it: the same for the command line and for the server. */
import type { BigVae, InterpolationKind, MixKind } from "../bigVae.js";
import type { Latent } from "../latent/index.js";

/** A latent, and the scale of guidance that it is written with. */
export interface Blend {
  z: Latent;
  cfgScale: number;
}

/** `steps` latents from a to b, both ends included. `cfg` is the scale of an even mix; default: the model's. */
export function lineBetween(
  vae: BigVae,
  a: Latent,
  b: Latent,
  { steps, kind, cfg }: { steps: number; kind?: InterpolationKind | undefined; cfg?: number | undefined },
): (Blend & { t: number })[] {
  const ts = Array.from({ length: steps }, (_, i) => i / (steps - 1));
  return ts.map((t) => ({
    t,
    z: vae.interpolate(a, b, t, kind),
    cfgScale: vae.space.mixScale([1 - t, t], cfg),
  }));
}

/** A weighted mix. */
export function mixOf(
  vae: BigVae,
  zs: readonly Latent[],
  weights: readonly number[],
  { kind, cfg }: { kind?: MixKind | undefined; cfg?: number | undefined },
): Blend {
  const z = vae.mix(zs, weights, kind);
  return { z, cfgScale: vae.space.mixScale(kind === "medoid" ? [1] : weights, cfg) };
}
