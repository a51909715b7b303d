/**
 * The space that a model's latents live in. A latent of one slot is a plain vector. With several slots its last value is the length of
 * its text, log(T / span): it is mixed like the others, but carries no noise and keeps its value when a latent is given another norm.
 */
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";
import { EVEN_SCALE, mixScale } from "./guidance.js";
import {
  average,
  dot,
  type Latent,
  lerp,
  meanNorm,
  medoid,
  norm,
  normKeptSum,
  normLerp,
  type Posterior,
  randomLatent,
  rescale,
  sample,
  slerp,
  weightedSum,
} from "./latent.js";

/** Sizes of a space. */
export interface LatentShape {
  /** Values of all slots together. */
  zDim: number;
  /** Slots of a latent, k. */
  slots: number;
  /** Tokens of a span. */
  span: number;
}

/** Limits of the stored length, in spans: values beyond them come from extrapolation. */
const [SHORTEST, LONGEST] = [1 / 64, 8];

/** Arithmetic on the latents of one model. */
export class LatentSpace {
  /** Plain vectors of any width: the space of a model that does not name its own. */
  static readonly plain = new LatentSpace({ zDim: 0, slots: 1, span: 64 });

  /** Values of a latent: those of the slots, and the length where there are several. */
  readonly width: number;

  constructor(
    /** Sizes of the space. */
    readonly shape: LatentShape,
  ) {
    const { zDim, slots } = shape;
    if (zDim % slots !== 0)
      throw new BigVaeError("usage", {
        subject: "latent",
        expected: `a width that ${slots} slots share evenly`,
        got: zDim,
        remedy: `give a multiple of ${slots}`,
      });
    this.width = zDim + (slots > 1 ? 1 : 0);
  }

  /** Whether a latent says how long its text is. */
  get hasLength(): boolean {
    return this.shape.slots > 1;
  }

  /** The values of the slots without the length: a view [Z]. */
  content(z: Latent): Latent {
    return this.hasLength ? z.subarray(0, this.shape.zDim) : z;
  }

  /** The values of each slot: k views [Z / k]. */
  slots(z: Latent): Latent[] {
    const { zDim, slots } = this.shape;
    if (slots === 1) return [z];
    const width = zDim / slots;
    return Array.from({ length: slots }, (_, j) => z.subarray(j * width, (j + 1) * width));
  }

  /** Tokens of the text that z stands for, not rounded; the span where z does not say. */
  lengthOf(z: Latent): number {
    if (!this.hasLength) return this.shape.span;
    return this.shape.span * Math.min(Math.max(Math.exp(z[this.shape.zDim]!), SHORTEST), LONGEST);
  }

  /** Values of the slots [Z] as a latent of a text of `length` tokens. */
  withLength(content: Latent, length: number): Latent {
    return this.#join(content, Math.log(length / this.shape.span));
  }

  /** The same slots for a text of `length` tokens; the latent as it is where it does not say. */
  ofLength(z: Latent, length: number): Latent {
    return this.hasLength ? this.withLength(this.content(z), length) : z;
  }

  /**
   * The vector by which a latent is searched, mapped and compared by topic: the mean of its slots [Z / k]. Two texts on one topic share
   * words at other places, which the plain cosine of their latents does not see. The latent itself where there is one slot.
   */
  key(z: Latent): Latent {
    return this.shape.slots === 1 ? z : average(this.slots(z));
  }

  /** z with its key moved by `share` of the way to that of `other`: every slot moves alike, so that what tells slots apart stays. */
  towardKey(z: Latent, other: Latent, share: number): Latent {
    return this.#moveKey(z, this.key(other), share);
  }

  /** z with that key, every slot moved alike. */
  withKey(z: Latent, key: Latent): Latent {
    return this.#moveKey(z, key, 1);
  }

  /**
   * How alike two latents are: the cosine of each slot with the nearest slot of the other, averaged both ways. From -1 to 1; the plain
   * cosine where there is one slot.
   */
  similarity(a: Latent, b: Latent): number {
    return bestMatch(this.slots(a).map(unit), this.slots(b).map(unit));
  }

  /** mean + sqrt(tau) s eps: a draw from the posterior where tau is 1, its mean where tau is 0. */
  sample({ mean, logVariance }: Posterior, tau: number, rng: Rng): Latent {
    return this.#onContent(mean, (content) =>
      sample({ mean: content, ...(logVariance ? { logVariance } : {}) }, tau, rng),
    );
  }

  /** A random z of root mean square `scale`, as wide as `like`, for a text of one span. */
  random(like: Latent, scale: number, rng: Rng): Latent {
    return this.#join(randomLatent(this.content(like).length, scale, rng), 0);
  }

  /** Euclidean length of the slots' values. */
  norm(z: Latent): number {
    return norm(this.content(z));
  }

  /** The mean of their norms. */
  meanNorm(zs: readonly Latent[]): number {
    return meanNorm(this.#contents(zs));
  }

  /** z with the given norm. */
  rescale(z: Latent, norm: number): Latent {
    return this.#onContent(z, (content) => rescale(content, norm));
  }

  /** (1 - t) a + t b. */
  lerp(a: Latent, b: Latent, t: number): Latent {
    return lerp(a, b, t);
  }

  /** From a to b along the arc between their directions (`slerp`). */
  slerp(a: Latent, b: Latent, t: number): Latent {
    return this.#join(slerp(this.content(a), this.content(b), t), this.#lerpLength(a, b, t));
  }

  /** lerp, then the norm that goes linearly from that of a to that of b. */
  normLerp(a: Latent, b: Latent, t: number): Latent {
    return this.#join(normLerp(this.content(a), this.content(b), t), this.#lerpLength(a, b, t));
  }

  /** sum_i weights_i zs_i, with the weighted mean of the lengths: two texts added are not half as long. */
  weightedSum(zs: readonly Latent[], weights: readonly number[]): Latent {
    return this.#join(weightedSum(this.#contents(zs), weights), this.#meanLength(zs, weights));
  }

  /** The weighted sum with the weighted mean of the norms (`normKeptSum`). */
  normKeptSum(zs: readonly Latent[], weights: readonly number[]): Latent {
    return this.#join(normKeptSum(this.#contents(zs), weights), this.#meanLength(zs, weights));
  }

  /** The latent whose slots have the least weighted distance to those of all (`medoid`). */
  medoid(zs: readonly Latent[], weights?: readonly number[]): Latent {
    const contents = this.#contents(zs);
    return zs[contents.indexOf(medoid(contents, weights))]!;
  }

  /** The guidance scale of a mix (`mixScale`). A model of one slot is not guided by default, as the original. */
  mixScale(weights: readonly number[], even = this.hasLength ? EVEN_SCALE : 1): number {
    return mixScale(weights, even);
  }

  #moveKey(z: Latent, to: Latent, share: number): Latent {
    const from = this.key(z);
    return this.#onContent(z, (content) =>
      content.map((value, i) => value + share * (to[i % to.length]! - from[i % from.length]!)),
    );
  }

  #contents(zs: readonly Latent[]): Latent[] {
    return zs.map((z) => this.content(z));
  }

  /** sum_i w_i l_i / sum_i w_i of the stored lengths; with |w_i| where the weights do not sum to more than 0. */
  #meanLength(zs: readonly Latent[], weights: readonly number[]): number {
    if (!this.hasLength) return 0;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const shares = total > 0 ? weights : weights.map(Math.abs);
    const whole = shares.reduce((sum, share) => sum + share, 0);
    return zs.reduce((sum, z, i) => sum + (shares[i]! / whole) * z[this.shape.zDim]!, 0);
  }

  #lerpLength(a: Latent, b: Latent, t: number): number {
    const at = this.shape.zDim;
    return this.hasLength ? (1 - t) * a[at]! + t * b[at]! : 0;
  }

  #onContent(z: Latent, change: (content: Latent) => Latent): Latent {
    return this.#join(change(this.content(z)), this.hasLength ? z[this.shape.zDim]! : 0);
  }

  #join(content: Latent, logLength: number): Latent {
    if (!this.hasLength) return content;
    const z = new Float32Array(this.width);
    z.set(content);
    z[this.shape.zDim] = logLength;
    return z;
  }
}

function unit(z: Latent): Latent {
  return rescale(z, 1);
}

/** Mean over the slots of both of the cosine to the nearest slot of the other; slots of norm 1. */
function bestMatch(a: readonly Latent[], b: readonly Latent[]): number {
  const nearestOfB = new Float64Array(b.length).fill(-1);
  let sum = 0;
  for (const slot of a) {
    let nearest = -1;
    for (const [j, other] of b.entries()) {
      const cosine = dot(slot, other);
      nearest = Math.max(nearest, cosine);
      nearestOfB[j] = Math.max(nearestOfB[j]!, cosine);
    }
    sum += nearest;
  }
  return (sum + nearestOfB.reduce((total, value) => total + value, 0)) / (a.length + b.length);
}
