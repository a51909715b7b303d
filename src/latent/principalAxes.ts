/** Principal component analysis: the directions in which vectors differ most, to draw them on a plane. */

/** A plane (or more) through a cloud of vectors. */
export interface PrincipalAxes {
  /** [D] */
  mean: Float32Array;
  /** Orthonormal, [D] each, that of the largest variance first. */
  axes: readonly Float32Array[];
}

/** Vectors that the axes are found from at most, evenly spaced: more change nothing that can be seen. */
const MOST = 4096;
const STEPS = 40;

/**
 * The first `count` principal axes of vectors [D], by power iteration, each with its largest value positive. Of fewer vectors than `count` + 1, or of
 * equal ones, the rest are coordinate axes.
 */
export function principalAxes(vectors: readonly Float32Array[], count: number): PrincipalAxes {
  const width = vectors[0]?.length ?? 0;
  const step = Math.max(1, vectors.length / MOST);
  const sample = Array.from({ length: Math.ceil(vectors.length / step) }, (_, i) => vectors[Math.floor(i * step)]!);
  const mean = new Float32Array(width);
  for (const vector of sample) for (let d = 0; d < width; d++) mean[d]! += vector[d]! / sample.length;
  const rows = sample.map((vector) => vector.map((value, d) => value - mean[d]!));
  const axes: Float32Array[] = [];
  while (axes.length < Math.min(count, width)) axes.push(nextAxis(rows, axes, width));
  return { mean, axes };
}

/** Coordinates of a vector along the axes. */
export function project({ mean, axes }: PrincipalAxes, vector: Float32Array): number[] {
  return axes.map((axis) => axis.reduce((sum, value, d) => sum + value * (vector[d]! - mean[d]!), 0));
}

/** The direction of the largest variance at right angles to some axes. */
function nextAxis(rows: readonly Float32Array[], axes: readonly Float32Array[], width: number): Float32Array {
  // Begins with the row farthest from the mean in what is left.
  let axis: Float32Array = new Float32Array(width);
  let largest = 0;
  for (const row of rows) {
    const rest = without(row, axes);
    const size = length(rest);
    if (size > largest) [axis, largest] = [rest, size];
  }
  if (largest < 1e-9) return coordinate(axes, width);
  for (let i = 0; i < STEPS; i++) {
    const next = new Float32Array(width);
    for (const row of rows) {
      const share = dot(row, axis);
      for (let d = 0; d < width; d++) next[d]! += share * row[d]!;
    }
    const rest = without(next, axes);
    const size = length(rest);
    if (size < 1e-12) break;
    axis = rest.map((value) => value / size);
  }
  const size = length(axis);
  const most = axis.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0);
  return axis.map((value) => (value / size) * Math.sign(most));
}

/** The first coordinate axis with something left beside some axes. */
function coordinate(axes: readonly Float32Array[], width: number): Float32Array {
  for (let d = 0; d < width; d++) {
    const rest = without(
      Float32Array.from({ length: width }, (_, i) => (i === d ? 1 : 0)),
      axes,
    );
    const size = length(rest);
    if (size > 0.5 / Math.sqrt(width)) return rest.map((value) => value / size);
  }
  return new Float32Array(width);
}

function without(vector: Float32Array, axes: readonly Float32Array[]): Float32Array {
  const rest = vector.slice();
  for (const axis of axes) {
    const share = dot(rest, axis);
    for (let d = 0; d < rest.length; d++) rest[d]! -= share * axis[d]!;
  }
  return rest;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}

function length(vector: Float32Array): number {
  return Math.sqrt(dot(vector, vector));
}
