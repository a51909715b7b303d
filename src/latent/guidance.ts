/**
 * Guidance of mixed latents. Where a latent lies between texts, the writer wavers between them; a scale below 1 lets the base correct the
 * sentence (classifier-free guidance: logits = base + scale (writer - base), the base's log-probabilities added 1 / scale - 1 times). At a
 * text's own latent the scale is 1, so that it stays exact.
 */

/** Scale half-way between two texts: the base added 0.35 times (docs/log.md, 2026-11-27). */
export const EVEN_SCALE = 0.74;

/**
 * The scale for a mix with these weights; `even` is that of an even pair. The base counts the more, the less of the mix is of one text: in
 * proportion to 1 - sum of the squared shares, which is 0 for one text, 1/2 for an even pair and 1 where no text has a share (no weights).
 */
export function mixScale(weights: readonly number[], even = EVEN_SCALE): number {
  const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const ofOne = weights.reduce((sum, weight) => sum + (weight / total) ** 2, 0);
  return 1 / (1 + 2 * (1 / even - 1) * (1 - ofOne));
}
