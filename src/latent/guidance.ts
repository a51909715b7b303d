/**
 * Guidance of mixed latents. Where a latent lies between texts, the writer is torn between them; a scale below 1 lets the base mend the
 * sentence (classifier-free guidance: logits = base + scale (writer - base)). At a text's own latent the scale is 1, so that it stays exact.
 */

/** Scale half-way between two texts: 1 / 1.3, the base's log-probabilities added 0.3 times. */
export const LOWEST_SCALE = 0.77;

/** The scale for a mix with these weights: 1 where one weight is all; `lowest` where the shares' squares sum to a half or less, as for an even pair. */
export function mixScale(weights: readonly number[], lowest = LOWEST_SCALE): number {
  const total = weights.reduce((sum, weight) => sum + Math.abs(weight), 0);
  const concentration = weights.reduce((sum, weight) => sum + (weight / total) ** 2, 0);
  return lowest + (1 - lowest) * Math.max(2 * concentration - 1, 0);
}
