/** Whether a written span arrived where it was sent: it is compared with the spans of texts that have nothing to do with it. */
import { type Latent, LatentSpace } from "../latent/index.js";
import type { Span } from "./spans.js";

/** What is near to what, by latents and by the base. */
export interface Views {
  space: LatentSpace;
  /** Of each span of the texts. */
  latents: readonly Latent[];
  bases: readonly Latent[];
}

/** Whether fewer than `share` of the other spans are as near to the span at `goal`: by latents, and by the base. */
export function arrived(
  { space, latents, bases }: Views,
  { z, base }: { z: Latent; base: Latent },
  goal: number,
  others: readonly number[],
  share: number,
) {
  const isNear = (all: readonly Latent[], own: Latent, similarity: (a: Latent, b: Latent) => number) => {
    const reached = similarity(own, all[goal]!);
    return others.filter((i) => similarity(all[i]!, all[goal]!) >= reached).length < share * others.length;
  };
  return {
    reached: isNear(latents, z, (a, b) => space.similarity(a, b)),
    reachedByBase: isNear(bases, base, (a, b) => LatentSpace.plain.similarity(a, b)),
  };
}

/** The distance from the goal within which a share of the other spans lies. */
export function nearestOf({ space, latents }: Views, goal: number, others: readonly number[], share: number): number {
  const distances = others.map((i) => 1 - space.similarity(latents[i]!, latents[goal]!)).sort((a, b) => a - b);
  return distances[Math.floor(share * distances.length)]!;
}

/** Sums of the similarities of neighbouring spans, text by text. */
export function ownCoherence(spans: readonly Span[], space: LatentSpace): number[][] {
  const byText = new Map<number, [number, number]>();
  for (const [i, { text, mean }] of spans.entries()) {
    const [total, count] = byText.get(text) ?? [0, 0];
    if (spans[i + 1]?.text === text) byText.set(text, [total + space.similarity(mean, spans[i + 1]!.mean), count + 1]);
  }
  return [...byText.values()];
}
