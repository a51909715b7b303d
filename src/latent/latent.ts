/** Arithmetic on latents: pure functions of float32 [Z]. */
import { BigVaeError } from "../errors.js";
import type { Rng } from "../rng.js";

/** A point z of the latent space: float32 [Z]. */
export type Latent = Float32Array;

/** What the encoder knows of a text's z: N(mean, s^2). */
export interface Posterior {
  /** [Z] */
  mean: Latent;
  /** log s^2 per dimension, [Z], of a model that learned it; default: 0, since s is 1 in BigVAE. */
  logVariance?: Latent;
}

/** Euclidean length. */
export function norm(z: Latent): number {
  return Math.sqrt(dot(z, z));
}

/** Sum of a_i b_i. Throws "mismatch" where the widths differ. */
export function dot(a: Latent, b: Latent): number {
  checkWidth(a, b);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Cosine of the angle between two latents; 0 where one has no length. */
export function cosine(a: Latent, b: Latent): number {
  const lengths = norm(a) * norm(b);
  return lengths === 0 ? 0 : dot(a, b) / lengths;
}

/** Euclidean distance between two latents. */
export function distance(a: Latent, b: Latent): number {
  return norm(weightedSum([a, b], [1, -1]));
}

/** z with the given length; a latent of no length stays as it is. */
export function rescale(z: Latent, length: number): Latent {
  const current = norm(z);
  return current === 0 ? z.slice() : z.map((value) => (value * length) / current);
}

/** mean + sqrt(tau) s eps with eps standard normal: a draw from the posterior where tau is 1, its mean where tau is 0. */
export function sample({ mean, logVariance }: Posterior, tau: number, rng: Rng): Latent {
  if (!(tau >= 0) || tau === Number.POSITIVE_INFINITY)
    throw new BigVaeError("usage", {
      subject: "sample",
      expected: "a variance tau of at least 0",
      got: tau,
      remedy: "1 is the posterior's own",
    });
  if (tau === 0) return mean.slice();
  const deviation = Math.sqrt(tau);
  const s = logVariance?.map((value) => Math.exp(value / 2));
  return mean.map((value, i) => value + deviation * (s?.[i] ?? 1) * rng.normal());
}

/** Random z of root mean square `scale` (ae_scale), the radius at which the decoder was trained. */
export function randomLatent(zDim: number, scale: number, rng: Rng): Latent {
  return rescale(rng.normals(zDim), scale * Math.sqrt(zDim));
}

/** (1 - t) a + t b */
export function lerp(a: Latent, b: Latent, t: number): Latent {
  return weightedSum([a, b], [1 - t, t]);
}

/**
 * From a to b along the arc between their directions (Shoemake 1985), the length going linearly from one to the other.
 * Throws "usage" for opposite latents, between which no arc is the shortest.
 */
export function slerp(a: Latent, b: Latent, t: number): Latent {
  if (![...a, ...b].every(Number.isFinite)) throwNonFinite([a, b]);
  const angle = Math.acos(Math.min(Math.max(cosine(a, b), -1), 1));
  if (Math.PI - angle < 1e-4) {
    throw new BigVaeError("usage", {
      subject: "slerp",
      expected: "two latents that are not opposite",
      got: "opposite ones",
      remedy: "use lerp, or go by a third",
    });
  }
  const length = (1 - t) * norm(a) + t * norm(b);
  if (angle < 1e-6) return rescale(lerp(a, b, t), length);
  const [wa, wb] = [Math.sin((1 - t) * angle), Math.sin(t * angle)];
  return rescale(weightedSum([rescale(a, 1), rescale(b, 1)], [wa, wb]), length);
}

/** lerp, then the length that goes linearly from that of a to that of b. */
export function normLerp(a: Latent, b: Latent, t: number): Latent {
  return rescale(lerp(a, b, t), (1 - t) * norm(a) + t * norm(b));
}

/** sum_i weights_i zs_i; weights may be negative. */
export function weightedSum(zs: readonly Latent[], weights: readonly number[]): Latent {
  checkWeights(zs, weights);
  const sum = new Float64Array(zs[0]!.length);
  for (const [i, z] of zs.entries()) {
    checkWidth(zs[0]!, z);
    for (let d = 0; d < sum.length; d++) sum[d]! += weights[i]! * z[d]!;
  }
  const mixed = Float32Array.from(sum);
  if (!mixed.every(Number.isFinite)) throwNonFinite(zs);
  return mixed;
}

function checkWeights(zs: readonly Latent[], weights: readonly number[]): void {
  if (zs.length === 0 || zs.length !== weights.length) {
    throw new BigVaeError("usage", {
      subject: "mix",
      expected: "as many weights as latents and at least one",
      got: `${weights.length} weights for ${zs.length} latents`,
      remedy: "give one weight each",
    });
  }
  const bad = weights.findIndex((weight) => !Number.isFinite(weight));
  if (bad >= 0)
    throw new BigVaeError("usage", {
      subject: "mix",
      expected: "finite weights",
      got: `${weights[bad]} at ${bad}`,
      remedy: "give a number",
    });
}

function throwNonFinite(zs: readonly Latent[]): never {
  const index = zs.findIndex((z) => !z.every(Number.isFinite));
  const got =
    index < 0 ? "weights that overflow" : `latent ${index + 1} with ${zs[index]!.find((x) => !Number.isFinite(x))}`;
  throw new BigVaeError("nonFinite", {
    subject: "mix",
    expected: "finite values",
    got,
    remedy: "check the latents and the weights",
  });
}

/** The mean of latents. */
export function average(zs: readonly Latent[]): Latent {
  return weightedSum(
    zs,
    zs.map(() => 1 / zs.length),
  );
}

/** The mean of their lengths. */
export function meanNorm(zs: readonly Latent[]): number {
  return zs.reduce((sum, z) => sum + norm(z), 0) / zs.length;
}

/** The weighted sum with the weighted mean of the lengths, by the absolute values of the weights. */
export function normKeptSum(zs: readonly Latent[], weights: readonly number[]): Latent {
  const sum = weightedSum(zs, weights);
  const total = weights.reduce((all, weight) => all + Math.abs(weight), 0);
  return rescale(
    sum,
    zs.reduce((length, z, i) => length + (Math.abs(weights[i]!) / total) * norm(z), 0),
  );
}

/** The latent with the least sum of weighted distances to all; the first of several. Default weights: 1. */
export function medoid(zs: readonly Latent[], weights: readonly number[] = zs.map(() => 1)): Latent {
  if (zs.length === 0)
    throw new BigVaeError("usage", {
      subject: "medoid",
      expected: "at least one latent",
      got: "none",
      remedy: "give some texts",
    });
  checkWeights(zs, weights);
  const sums = zs.map((z) => zs.reduce((sum, other, i) => sum + weights[i]! * distance(z, other), 0));
  return zs[sums.indexOf(Math.min(...sums))]!;
}

/** Root mean square of all values: MiniHF's ae_scale when given sampled z of a data set. */
export function rms(zs: readonly Latent[]): number {
  const count = zs.reduce((sum, z) => sum + z.length, 0);
  return Math.sqrt(zs.reduce((sum, z) => sum + dot(z, z), 0) / count);
}

function checkWidth(a: Latent, b: Latent): void {
  if (a.length === b.length) return;
  throw new BigVaeError("mismatch", {
    subject: "latents",
    expected: "one width",
    got: `${a.length} and ${b.length}`,
    remedy: "use latents of one model",
  });
}

/** Throws "mismatch" where z does not have `width` values, "nonFinite" for NaN and infinity; `what` names z. */
export function checkLatent(z: Latent, width: number, what: string): void {
  if (z.length !== width)
    throw new BigVaeError("mismatch", {
      subject: what,
      expected: `${width} values`,
      got: z.length,
      remedy: "use latents of this model",
    });
  const bad = z.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0)
    throw new BigVaeError("nonFinite", {
      subject: what,
      expected: "finite values",
      got: `${z[bad]} at ${bad}`,
      remedy: "check where it came from",
    });
}
