/** Lowering: the fused kernels of single precision equal compositions of basic ops in double precision. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openGraph, runGraph, sizeOfShape, tensor, uniforms, valuesOf } from "../../test/runGraph.js";
import { Rng } from "../rng.js";
import { float32, int64 as int64Tensor } from "../runtime/runtime.js";
import {
  add,
  concat,
  constant,
  crossEntropy,
  div,
  exp,
  gatherRows,
  input,
  log,
  type MatmulOptions,
  matmul,
  mul,
  neg,
  reduceMean,
  reduceSum,
  reshape,
  rmsNorm,
  rope,
  scalar,
  scatterRows,
  silu,
  slice,
  split,
  sqrt,
  sub,
  toOnnx,
  transpose,
  type Value,
} from "./index.js";

type Inputs = Readonly<Record<string, Value>>;
type Points = Readonly<Record<string, readonly number[]>>;

/** Largest difference of two graphs over the same inputs, one in single precision and one in double. */
async function difference(
  shapes: Readonly<Record<string, readonly number[]>>,
  fused: (inputs: Inputs) => Value,
  composed: (inputs: Inputs) => Value,
  points: Points = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, uniforms(Rng.fromSeed(name), shape, -2, 2)]),
  ),
): Promise<number> {
  const [single, double] = await Promise.all(
    [["float32", fused] as const, ["float64", composed] as const].map(([dtype, build]) => {
      const entries = Object.entries(shapes);
      const y = build(Object.fromEntries(entries.map(([name, shape]) => [name, input(name, shape, dtype)])));
      const feeds = Object.fromEntries(entries.map(([name, shape]) => [name, tensor(dtype, points[name]!, shape)]));
      return valuesOf(y, feeds);
    }),
  );
  expect(single!.length).toBe(double!.length);
  return single!.reduce((worst, value, i) => Math.max(worst, Math.abs(value - double![i]!)), 0);
}

const ids = (values: readonly number[], ...shape: number[]) => constant(BigInt64Array.from(values, BigInt), shape);
const sigmoidOf = (x: Value) => div(scalar(1, x), add(exp(neg(x)), 1));

/** [.., M, K] and [.., K, N] by elementwise products and a sum over K. */
function productOf(a: Value, b: Value, { transA = false, transB = false, alpha = 1 }: MatmulOptions): Value {
  const swap = (x: Value, on: boolean) => {
    const axes = [...x.shape.keys()];
    return on ? transpose(x, [...axes.slice(0, -2), axes.length - 1, axes.length - 2]) : x;
  };
  const [left, right] = [swap(a, transA), swap(b, transB)];
  const terms = mul(reshape(left, [...left.shape, 1]), reshape(right, right.shape.toSpliced(-2, 0, 1)));
  const sum = reduceSum(terms, [-2]);
  return mul(reshape(sum, sum.shape.toSpliced(-2, 1)), alpha);
}

describe("fused kernels equal compositions of basic ops", () => {
  it("silu: x / (1 + e^-x)", async () => {
    const points = { x: [-30, -5, -1, -1e-3, 0, 1e-3, 1, 5, 30] };
    expect(
      await difference(
        { x: [9] },
        ({ x }) => silu(x!),
        ({ x }) => mul(x!, sigmoidOf(x!)),
        points,
      ),
    ).toBeLessThan(1e-6);
  });

  it("rmsNorm: x w / sqrt(mean x^2 + eps)", async () => {
    const composed = ({ x, w }: Inputs) => div(mul(x!, w!), sqrt(add(reduceMean(mul(x!, x!), -1), 1e-5)));
    expect(await difference({ x: [2, 3, 8], w: [8] }, ({ x, w }) => rmsNorm(x!, w!, 1e-5), composed)).toBeLessThan(
      1e-6,
    );
  });

  it("rope: a rotation of the pairs (i, i + Dh/2) by the angle of the position", async () => {
    const positions = [0, 3, 1, 7, 2, 2];
    const at = (table: Value) => reshape(gatherRows(table, ids(positions, 2, 3)), [2, 1, 3, 2]);
    const composed = ({ x, cos, sin }: Inputs) => {
      const [first, second] = [slice(x!, 3, 0, 2), slice(x!, 3, 2, 4)];
      const [c, s] = [at(cos!), at(sin!)];
      return concat([sub(mul(first, c), mul(second, s)), add(mul(second, c), mul(first, s))], 3);
    };
    const fused = ({ x, cos, sin }: Inputs) => rope(x!, ids(positions, 2, 3), cos!, sin!);
    expect(await difference({ x: [2, 3, 3, 4], cos: [8, 2], sin: [8, 2] }, fused, composed)).toBeLessThan(1e-6);
  });

  it("crossEntropy: log sum e^x - x[label]", async () => {
    const onehot = [0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0];
    const composed = ({ x }: Inputs) => {
      const label = reduceSum(mul(x!, constant(Float64Array.from(onehot), [4, 3])), [1]);
      return reshape(sub(log(reduceSum(exp(x!), [1])), label), [4]);
    };
    const fused = ({ x }: Inputs) => crossEntropy(x!, ids([2, 0, 2, 1], 4));
    expect(await difference({ x: [4, 3] }, fused, composed)).toBeLessThan(1e-6);
  });

  it("crossEntropy of logits beyond the range of exp", async () => {
    const x = constant(Float32Array.from([1000, 0, -1000, 0]), [2, 2]);
    expect(await valuesOf(crossEntropy(x, ids([1, 0], 2)))).toEqual([1000, 1000]);
  });

  const batches = fc.constantFrom<[number[], number[]]>(
    [[], []],
    [[2], [2]],
    [[2], [1]],
    [[], [3]],
    [[3], []],
    [[2, 1], [3]],
    [
      [2, 3],
      [2, 3],
    ],
  );
  const size = fc.integer({ min: 1, max: 4 });
  it("matmul: sum over k of a_mk b_kn, in all forms", () =>
    fc.assert(
      fc.asyncProperty(
        fc.record({ batch: batches, m: size, k: size, n: size, transA: fc.boolean(), transB: fc.boolean() }),
        fc.constantFrom(1, 0.125, -2),
        async ({ batch, m, k, n, transA, transB }, alpha) => {
          const a = [...batch[0], ...(transA ? [k, m] : [m, k])];
          const b = [...batch[1], ...(transB ? [n, k] : [k, n])];
          const options = { transA, transB, alpha };
          const worst = await difference(
            { a, b },
            (inputs) => matmul(inputs.a!, inputs.b!, options),
            (inputs) => productOf(inputs.a!, inputs.b!, options),
          );
          expect(worst).toBeLessThan(1e-5);
        },
      ),
      { numRuns: 80 },
    ));

  it.each([[[2, 1, 3]], [[0, 6, 0]], [[0, 0, 6]]])("split into parts of %j", async (lengths) => {
    const x = input("x", ["B", "C+S+T"]);
    const [c, s, t] = split(x, ["C", "S", "T"], input("sizes", [3], "int64"));
    const values = Float32Array.from({ length: 12 }, (_, i) => i);
    const feeds = { x: float32(values, 2, 6), sizes: int64Tensor(lengths, 3) };
    const parts = await runGraph({ c: c!, s: s!, t: t! }, feeds);
    let start = 0;
    for (const [i, name] of ["c", "s", "t"].entries()) {
      const part = [0, 1].flatMap((row) => Array.from(values.subarray(6 * row + start, 6 * row + start + lengths[i]!)));
      expect([parts[name]!.shape, parts[name]!.data]).toEqual([[2, lengths[i]], part]);
      start += lengths[i]!;
    }
  });
});

describe("a graph in its session", () => {
  it("computes the same with weights stored beside the bytes as with weights fed", async () => {
    const [x, w] = [input("x", [3, 4]), input("w", [2, 4])];
    const y = matmul(x, w, { transB: true });
    const rng = Rng.fromSeed("stored");
    // Views into larger buffers, as weights read from one file are.
    const view = (size: number) => rng.normals(size + 5).subarray(3, 3 + size);
    const [xs, ws] = [view(12), view(8)];
    const fed = await valuesOf(y, { x: float32(xs, 3, 4), w: float32(ws, 2, 4) });
    const options = { stored: new Map([["w", ws]]) };
    expect(toOnnx({ y }, options).inputs.map(({ name }) => name)).toEqual(["x"]);
    expect(await valuesOf(y, { x: float32(xs, 3, 4) }, options)).toEqual(fed);
  });

  it("takes any size for a named dimension", async () => {
    const x = input("x", ["B", "T", 2]);
    const y = reshape(mul(reshape(x, ["B*T", 2]), 2), ["B*T*2"]);
    const run = await openGraph({ y, turned: transpose(x, [1, 0, 2]), joined: concat([x, x], 1) });
    for (const [b, t] of [
      [1, 1],
      [2, 3],
      [3, 0],
    ] as const) {
      const values = Float32Array.from({ length: b * t * 2 }, (_, i) => i);
      const outputs = await run({ x: float32(values, b, t, 2) });
      expect([outputs.y!.shape, Array.from(outputs.y!.data)]).toEqual([[b * t * 2], Array.from(values, (v) => 2 * v)]);
      expect([outputs.turned!.shape, outputs.joined!.shape]).toEqual([
        [t, b, 2],
        [b, 2 * t, 2],
      ]);
    }
  });

  it("gives one value under several names, and an input as it came", async () => {
    const x = input("x", [2]);
    const outputs = await runGraph({ a: neg(x), b: neg(x), same: x }, { x: tensor("float32", [1, 2], [2]) });
    expect(Object.values(outputs).map(({ data }) => data)).toEqual([
      [-1, -2],
      [-1, -2],
      [1, 2],
    ]);
  });

  it("stores constants of every type", async () => {
    const values = [
      Float32Array.of(1.5),
      Float64Array.of(1.5),
      BigInt64Array.of(-3n),
      Int32Array.of(-3),
      Uint8Array.of(1),
    ];
    const outputs = await runGraph(
      Object.fromEntries(values.map((data, i) => [`y${i}`, reshape(constant(data, [1]), [])])),
    );
    expect(Object.values(outputs).map(({ dtype, data }) => [dtype, data[0]])).toEqual([
      ["float32", 1.5],
      ["float64", 1.5],
      ["int64", -3],
      ["int32", -3],
      ["bool", 1],
    ]);
  });

  it("has the same bytes each time it is written", () => {
    const write = () => toOnnx({ y: silu(matmul(input("a", [2, 3]), input("b", [3, 2]))) }).bytes;
    expect(write()).toEqual(write());
  });

  it("refuses two inputs of one name, and outputs that take an input's", () => {
    expect(() => toOnnx({ y: add(input("x", [2]), input("x", [2])) })).toThrow(
      "toOnnx: expected one input of each name, got x twice",
    );
    expect(() => toOnnx({ x: neg(input("x", [2])) })).toThrow(
      "toOnnx: expected outputs named otherwise than inputs and stored weights, got x",
    );
  });

  it("refuses stored values of another size", () => {
    const stored = new Map([["w", new Float32Array(3)]]);
    expect(() => toOnnx({ y: neg(input("w", [2, 2])) }, { stored })).toThrow(
      "toOnnx: expected 4 values for the stored w, got 3",
    );
  });

  it("refuses a reshape with two dimensions to compute", () => {
    const y = reshape(input("x", ["B*T", 4]), ["B", "T", 4]);
    expect(() => toOnnx({ y })).toThrow(
      "reshape: expected at most one dimension to compute at run time, got [B*T, 4] to [B, T, 4]",
    );
  });

  it("scatters repeated rows in the same order each time", async () => {
    const count = 64;
    const rows = tensor("float32", uniforms(Rng.fromSeed("rows"), [count, 2]), [count, 2]);
    const run = await openGraph({ y: scatterRows(input("x", [count, 2]), ids(Array(count).fill(1), count), 3) });
    const [first, second] = [await run({ x: rows }), await run({ x: rows })];
    expect(first.y!.data).toEqual(second.y!.data);
    expect(sizeOfShape(first.y!.shape)).toBe(6);
  });
});
