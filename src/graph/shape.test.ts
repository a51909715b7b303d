/** Rules of shapes: properties over random shapes, and errors that name the op, what was expected and what was given. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { runGraph, sizeOfShape, tensor } from "../../test/runGraph.js";
import { BigVaeError } from "../errors.js";
import {
  add,
  addAtColumn,
  broadcastShapes,
  concat,
  constant,
  crossEntropy,
  expand,
  gatherRows,
  input,
  matmul,
  reduceSum,
  reshape,
  rmsNorm,
  rope,
  type Shape,
  scatterRows,
  sizeOf,
  slice,
  softmax,
  split,
  timesDim,
  transpose,
  type Value,
} from "./index.js";

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 });
/** A shape that broadcasts to `shape`: leading axes left out, others set to 1. */
const broadcastableTo = (shape: readonly number[]) =>
  fc
    .tuple(
      fc.integer({ min: 0, max: shape.length }),
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
    )
    .map(([skip, ones]) => shape.map((dim, axis) => (ones[axis] ? 1 : dim)).slice(skip));
/** A shape of rank 1 to 4 with an axis of it. */
const shapeAndAxis = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) => fc.tuple(fc.constant(shape), fc.integer({ min: 0, max: shape.length - 1 })));

const counting = (shape: readonly number[]) =>
  tensor(
    "float32",
    Array.from({ length: sizeOfShape(shape) }, (_, i) => i),
    shape,
  );

/** What `build` makes of 0, 1, 2 ... in the given shape. */
async function ofCounting(shape: readonly number[], build: (x: Value) => Value) {
  const y = build(input("x", shape));
  const { out } = await runGraph({ out: y }, { x: counting(shape) });
  expect(out!.shape).toEqual(y.shape);
  return { shape: out!.shape, data: out!.data };
}

const RUNS = { numRuns: 40 };

describe("properties", () => {
  it("broadcasting is commutative, and what expand and add give", () =>
    fc.assert(
      fc.asyncProperty(
        shapes.chain((shape) => fc.tuple(fc.constant(shape), broadcastableTo(shape))),
        async ([whole, part]) => {
          expect(broadcastShapes("add", whole, part)).toEqual(whole);
          expect(broadcastShapes("add", part, whole)).toEqual(whole);
          const expanded = await ofCounting(part, (x) => expand(x, whole));
          const zero = constant(new Float32Array(sizeOfShape(whole)), whole);
          expect(await ofCounting(part, (x) => add(x, zero))).toEqual(expanded);
          expect(await ofCounting(part, (x) => add(zero, x))).toEqual(expanded);
        },
      ),
      RUNS,
    ));

  it("reshaping keeps the elements in their order, there and back", () =>
    fc.assert(
      fc.asyncProperty(shapes, fc.array(fc.nat(), { minLength: 4, maxLength: 4 }), async (shape, order) => {
        // The dimensions in another order, with a 1: another shape of the same size.
        const other = [...shape, 1].map((dim, i) => ({ dim, key: order[i] ?? 0 })).sort((a, b) => a.key - b.key);
        const target = other.map(({ dim }) => dim);
        const there = await ofCounting(shape, (x) => reshape(x, target));
        expect(there).toEqual({ shape: target, data: Array.from(there.data.keys()) });
        expect(await ofCounting(shape, (x) => reshape(reshape(x, target), shape))).toEqual({ ...there, shape });
      }),
      RUNS,
    ));

  it("a transposition and its inverse give the value back", () =>
    fc.assert(
      fc.asyncProperty(
        shapes.chain((shape) =>
          fc.tuple(fc.constant(shape), fc.shuffledSubarray([...shape.keys()], { minLength: shape.length })),
        ),
        async ([shape, permutation]) => {
          const inverse = permutation.map((_, axis) => permutation.indexOf(axis));
          const there = await ofCounting(shape, (x) => transpose(x, permutation));
          expect(there.shape).toEqual(permutation.map((axis) => shape[axis]));
          const back = await ofCounting(shape, (x) => transpose(transpose(x, permutation), inverse));
          expect(back).toEqual({ shape, data: Array.from(back.data.keys()) });
        },
      ),
      RUNS,
    ));

  it("the two slices at any place, side by side, give the value back", () =>
    fc.assert(
      fc.asyncProperty(shapeAndAxis, fc.nat(), async ([shape, axis], cut) => {
        const length = shape[axis]!;
        fc.pre(length > 1);
        const at = 1 + (cut % (length - 1));
        const back = await ofCounting(shape, (x) =>
          concat([slice(x, axis, 0, at), slice(x, axis - shape.length, at, length)], axis),
        );
        expect(back).toEqual({ shape, data: Array.from(back.data.keys()) });
      }),
      RUNS,
    ));

  it("a concatenation sliced gives its parts back", () =>
    fc.assert(
      fc.asyncProperty(shapeAndAxis, fc.integer({ min: 1, max: 3 }), async ([shape, axis], copies) => {
        const length = shape[axis]!;
        const back = await ofCounting(shape, (x) =>
          slice(concat(Array(copies + 1).fill(x), axis), axis, copies * length, (copies + 1) * length),
        );
        expect(back).toEqual({ shape, data: Array.from(back.data.keys()) });
      }),
      RUNS,
    ));

  it("a reshape of nothing stays nothing", async () => {
    expect(await ofCounting([0, 3], (x) => reshape(x, [3, 0]))).toEqual({ shape: [3, 0], data: [] });
  });
});

describe("dimensions named at run time", () => {
  it("multiply by name", () => {
    expect(timesDim(2, 3)).toBe(6);
    expect(timesDim(1, "T")).toBe("T");
    expect(timesDim("B", "T")).toBe("B*T");
    expect(timesDim("B", 2)).toBe("B*2");
  });

  it("keep their product in a reshape, in any order", () => {
    expect(reshape(input("x", ["B", "T", 6]), ["T*B", 2, 3]).shape).toEqual(["T*B", 2, 3]);
    expect(() => reshape(input("x", ["B", 6]), ["T", 6])).toThrow(
      "reshape: expected as many elements as [B, 6], got [T, 6]",
    );
  });

  it("join in a concatenation", () => {
    expect(concat([input("x", ["B", "T"]), input("y", ["B", 3])], 1).shape).toEqual(["B", "T+3"]);
  });

  it("have no fixed size", () => {
    expect(() => sizeOf(["B", 2])).toThrow("shape: expected fixed dimensions, got [B, 2]; give B a number");
  });
});

describe("errors name the op, what was expected and what was given", () => {
  const x = (...shape: Shape) => input("x", shape);
  const ids = (...shape: Shape) => input("ids", shape, "int64");
  const cases: readonly [string, () => unknown][] = [
    ["add: expected shapes that broadcast, got [2, 3] and [2]", () => add(x(2, 3), x(2))],
    [
      "add: expected values of one floating-point type, got float32, float64",
      () => add(x(2), input("y", [2], "float64")),
    ],
    ["softmax: expected values of one floating-point type, got int64", () => softmax(ids(2))],
    ["matmul: expected inner dimensions that agree, got [2, 3] and [2, 3]", () => matmul(x(2, 3), x(2, 3))],
    [
      "matmul: expected inner dimensions that agree, got [2, 3] transposed and [3, 2]",
      () => matmul(x(2, 3), x(3, 2), { transA: true }),
    ],
    ["matmul: expected two values of rank 2 or more, got [2] and [2, 3]", () => matmul(x(2), x(2, 3))],
    ["matmul: expected shapes that broadcast, got [2] and [3]", () => matmul(x(2, 2, 2), x(3, 2, 2))],
    ["rmsNorm: expected a weight of shape [3], got [2]", () => rmsNorm(x(2, 3), x(2), 1e-5)],
    [
      "rope: expected [B, H, T, Dh], int64 [B, T], [P, Dh/2], [P, Dh/2], got [1, 1, 2, 4], int64 [1, 3], [5, 2], [5, 2]",
      () => rope(x(1, 1, 2, 4), ids(1, 3), x(5, 2), x(5, 2)),
    ],
    [
      "rope: expected [B, H, T, Dh], int64 [B, T], [P, Dh/2], [P, Dh/2], got [1, 1, 2, 4], float32 [1, 2], [5, 2], [5, 2]",
      () => rope(x(1, 1, 2, 4), x(1, 2), x(5, 2), x(5, 2)),
    ],
    [
      "crossEntropy: expected logits [M, V] and int64 labels [M], got [2, 3] and int64 [3]",
      () => crossEntropy(x(2, 3), ids(3)),
    ],
    ["reshape: expected as many elements as [2, 3], got [4]", () => reshape(x(2, 3), [4])],
    ["transpose: expected a permutation of 2 axes, got [0, 0]", () => transpose(x(2, 3), [0, 0])],
    ["concat: expected [2, 3] but for axis 1, got [3, 3]", () => concat([x(2, 3), x(3, 3)], 1)],
    ["concat: expected at least one value, got none", () => concat([], 0)],
    ["slice: expected a range within axis 1 of [2, 3], got 1..4", () => slice(x(2, 3), 1, 1, 4)],
    ["slice: expected an axis of a rank-2 value, got 2", () => slice(x(2, 3), 2, 0, 1)],
    ["split: expected int64 sizes of shape [2], got int64 [3]", () => split(x(2, 3), [1, 2], ids(3))],
    ["split: expected lengths that sum to 3, got [1, 3]", () => split(x(2, 3), [1, 3], ids(2))],
    ["expand: expected a shape that [2] broadcasts to, got [2, 1]", () => expand(x(2), [2, 1])],
    ["expand: expected shapes that broadcast, got [2] and [3]", () => expand(x(2), [3])],
    ["gatherRows: expected a table [V, D] and ids of int64, got [2, 3] and float32", () => gatherRows(x(2, 3), x(2))],
    [
      "scatterRows: expected rows [M, D] and int64 ids [M], got [2, 3] and int64 [3]",
      () => scatterRows(x(2, 3), ids(3), 4),
    ],
    [
      "addAtColumn: expected [M, V], int64 [M] and [M], got [2, 3], float32 [2] and [2]",
      () => addAtColumn(x(2, 3), x(2), x(2)),
    ],
    ["reduceSum: expected an axis of a rank-1 value, got 1", () => reduceSum(x(2), [1])],
    ["constant: expected 4 values, got 3", () => constant(new Float32Array(3), [4])],
  ];

  it.each(cases)("%s", (message, build) => {
    expect(build).toThrow(BigVaeError);
    const refusal = { kind: "internal", message: `${message}; correct what it is given` };
    expect(build).toThrow(expect.objectContaining(refusal));
  });
});
