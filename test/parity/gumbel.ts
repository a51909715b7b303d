/** MiniHF's way of sampling, which gives the distribution of `sampleToken`. */
import { greedyToken } from "../../src/latent/tokenChoice.js";

/** argmax(logits + tau * gumbel) with gumbel = -log(-log u); u [V] uniform in (0, 1). */
export function gumbelToken(logits: Float32Array, tau: number, uniforms: ArrayLike<number>): number {
  return greedyToken(logits.map((logit, id) => logit - tau * Math.log(-Math.log(uniforms[id]!))));
}
