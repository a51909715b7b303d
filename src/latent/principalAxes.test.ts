import { describe, expect, it } from "vitest";
import { Rng } from "../rng.js";
import { principalAxes, project } from "./principalAxes.js";

const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);

describe("principal axes", () => {
  it("are those that a cloud was stretched along, in the order of its variance", () => {
    const rng = Rng.fromSeed("cloud");
    // Orthonormal by construction: a rotation in two planes of four dimensions.
    const [c, s] = [Math.cos(0.7), Math.sin(0.7)];
    const basis = [
      [c, s, 0, 0],
      [-s, c, 0, 0],
      [0, 0, c, s],
      [0, 0, -s, c],
    ].map((axis) => Float32Array.from(axis));
    const deviations = [0.1, 5, 1, 2];
    const vectors = Array.from({ length: 3000 }, () => {
      const shares = rng.normals(4).map((value, k) => value * deviations[k]!);
      return Float32Array.from(
        { length: 4 },
        (_, d) => 7 + basis.reduce((sum, axis, k) => sum + shares[k]! * axis[d]!, 0),
      );
    });
    const found = principalAxes(vectors, 3);
    for (const [i, k] of [1, 3, 2].entries()) expect(Math.abs(dot(found.axes[i]!, basis[k]!))).toBeGreaterThan(0.999);
    const spread = (i: number) => {
      const values = vectors.map((vector) => project(found, vector)[i]!);
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    for (const [i, deviation] of [5, 2, 1].entries()) expect(spread(i) / deviation).toBeCloseTo(1, 1);
  });

  it.each([
    ["none", 0],
    ["one", 1],
    ["two", 2],
  ])("of %s vector(s) are orthonormal where there are any", (_, count) => {
    const vectors = Array.from({ length: count }, (_, i) => Float32Array.of(1, 2 + i, 3));
    const { axes } = principalAxes(vectors, 2);
    expect(axes).toHaveLength(count === 0 ? 0 : 2);
    for (const [i, a] of axes.entries())
      for (const [j, b] of axes.entries()) expect(dot(a, b)).toBeCloseTo(i === j ? 1 : 0, 5);
  });

  it("give distances back: a plane holds what lies in it", () => {
    const rng = Rng.fromSeed("plane");
    const [u, v] = [Float32Array.of(1, 1, 0, 0, 2), Float32Array.of(0, 1, -1, 1, 0)];
    const vectors = Array.from({ length: 50 }, () => {
      const [a, b] = rng.normals(2) as unknown as [number, number];
      return u.map((value, d) => 3 + a * value + b * v[d]!);
    });
    const found = principalAxes(vectors, 2);
    for (const vector of vectors) {
      const at = project(found, vector);
      const back = found.mean.map((value, d) => value + at[0]! * found.axes[0]![d]! + at[1]! * found.axes[1]![d]!);
      for (const [d, value] of back.entries()) expect(value).toBeCloseTo(vector[d]!, 3);
    }
  });
});
