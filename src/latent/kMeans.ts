/** Spherical k-means (Dhillon and Modha 2001): centres of vectors that are compared by their cosine. */
import type { Rng } from "../rng.js";
import { dot, type Latent, norm } from "./latent.js";

/** Rounds at most; a thousand keys settle within about twenty. */
const MOST_ROUNDS = 50;

/**
 * Up to `count` centres [W] of length 1, fewer where there are fewer distinct directions. The first ones are drawn as k-means++ draws them: each with a chance
 * in proportion to how far a vector is from those before it. Vectors of length 0 have no direction and are passed over.
 */
export function kMeans(vectors: readonly Latent[], count: number, rng: Rng): Latent[] {
  const units = vectors.flatMap((vector) => unitOf(vector) ?? []);
  let centres = firstCentres(units, count, rng);
  let nearest: number[] = [];
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const assigned = units.map((unit) => nearestOf(unit, centres));
    if (assigned.every((centre, i) => centre === nearest[i])) break;
    nearest = assigned;
    centres = centres.map((centre, c) => meanOf(units.filter((_, i) => assigned[i] === c)) ?? centre);
  }
  return centres;
}

function firstCentres(units: readonly Latent[], count: number, rng: Rng): Latent[] {
  const centres: Latent[] = [];
  /** 1 - the largest cosine with a centre, of each vector. */
  const far = units.map(() => 1);
  while (centres.length < count) {
    const total = far.reduce((sum, value) => sum + value, 0);
    if (!(total > 0)) break;
    let left = rng.uniform() * total;
    const at = far.findIndex((value) => value > 0 && (left -= value) <= 0);
    const centre = units[at < 0 ? far.findLastIndex((value) => value > 0) : at]!;
    centres.push(centre);
    for (const [i, unit] of units.entries()) {
      const distance = 1 - dot(unit, centre);
      far[i] = Math.min(far[i]!, distance > SAME ? distance : 0);
    }
  }
  return centres;
}

/** Directions that are as near are the same, within the rounding of single precision. */
const SAME = 1e-6;

function nearestOf(unit: Latent, centres: readonly Latent[]): number {
  const cosines = centres.map((centre) => dot(unit, centre));
  return cosines.indexOf(Math.max(...cosines));
}

/** The direction of the sum; none of no vectors, or where they cancel out. */
function meanOf(units: readonly Latent[]): Latent | undefined {
  const [first] = units;
  if (!first) return undefined;
  const sum = new Float32Array(first.length);
  for (const unit of units) for (let d = 0; d < sum.length; d++) sum[d]! += unit[d]!;
  return unitOf(sum);
}

function unitOf(vector: Latent): Latent | undefined {
  const length = norm(vector);
  return length > 0 ? vector.map((value) => value / length) : undefined;
}
