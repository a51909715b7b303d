/** Every gradient rule against central differences in double precision, over random inputs. */
import { describe, expect, it } from "vitest";
import { openGraph, runGraph, sizeOfShape, tensor, uniforms } from "../../test/runGraph.js";
import { Rng } from "../rng.js";
import { gradientRules } from "./gradientRules.js";
import {
  add,
  addAtColumn,
  checkpoint,
  concat,
  constant,
  crossEntropy,
  div,
  exp,
  expand,
  gatherRows,
  gradients,
  greater,
  input,
  keepMask,
  log,
  lowRankLinear,
  matmul,
  maximum,
  mul,
  neg,
  type OpName,
  reduceSum,
  reshape,
  rmsNorm,
  rope,
  scatterRows,
  sigmoid,
  silu,
  slice,
  softmax,
  split,
  sqrt,
  sub,
  sumAll,
  transpose,
  type Value,
} from "./index.js";
import { topologicalOrder } from "./value.js";

type Inputs = Readonly<Record<string, Value>>;

/** y = build(inputs): the loss is sum(w y) with random w, differentiated with respect to every input. */
interface Case {
  formula: string;
  /** Shapes of the inputs, by name. */
  shapes: Readonly<Record<string, readonly number[]>>;
  /** The inputs are uniform in this range; default: -1..1. */
  range?: readonly [number, number];
  build(inputs: Inputs): Value;
}

const int64 = (values: readonly number[], ...shape: number[]) => constant(BigInt64Array.from(values, BigInt), shape);

const cases: Readonly<Record<Exclude<OpName, "input" | "constant" | "packedLinear" | "unpack">, readonly Case[]>> = {
  add: [
    { formula: "a + b", shapes: { a: [2, 3], b: [2, 3] }, build: ({ a, b }) => add(a!, b!) },
    { formula: "a + b, both broadcast", shapes: { a: [2, 1, 3], b: [4, 1] }, build: ({ a, b }) => add(a!, b!) },
    { formula: "a + a", shapes: { a: [3] }, build: ({ a }) => add(a!, a!) },
  ],
  sub: [{ formula: "a - b, b broadcast", shapes: { a: [2, 3], b: [3] }, build: ({ a, b }) => sub(a!, b!) }],
  mul: [
    { formula: "a b, a a scalar", shapes: { a: [], b: [2, 3] }, build: ({ a, b }) => mul(a!, b!) },
    { formula: "a b, both broadcast", shapes: { a: [2, 1], b: [1, 3] }, build: ({ a, b }) => mul(a!, b!) },
    { formula: "a^2", shapes: { a: [2, 2] }, build: ({ a }) => mul(a!, a!) },
  ],
  div: [
    {
      formula: "a / b, b broadcast",
      shapes: { a: [2, 3], b: [2, 1] },
      range: [1, 2],
      build: ({ a, b }) => div(a!, b!),
    },
    { formula: "a / b, a broadcast", shapes: { a: [3], b: [2, 3] }, range: [1, 2], build: ({ a, b }) => div(a!, b!) },
  ],
  maximum: [
    {
      formula: "max(a, b), b broadcast",
      shapes: { a: [2, 3], b: [3] },
      build: ({ a, b }) => maximum(a!, b!),
    },
    { formula: "max(a, 0.2)", shapes: { a: [2, 3] }, build: ({ a }) => maximum(a!, 0.2) },
  ],
  greater: [
    { formula: "x (a > b), no gradient to a and b", shapes: { a: [4] }, build: ({ a }) => mul(a!, greater(a!, 0.1)) },
  ],
  neg: [{ formula: "-x", shapes: { x: [3] }, build: ({ x }) => neg(x!) }],
  exp: [{ formula: "e^x", shapes: { x: [2, 3] }, build: ({ x }) => exp(x!) }],
  log: [{ formula: "log x", shapes: { x: [4] }, range: [0.5, 2], build: ({ x }) => log(x!) }],
  sqrt: [{ formula: "sqrt x", shapes: { x: [4] }, range: [0.5, 2], build: ({ x }) => sqrt(x!) }],
  sigmoid: [{ formula: "1 / (1 + e^-x)", shapes: { x: [5] }, range: [-4, 4], build: ({ x }) => sigmoid(x!) }],
  silu: [{ formula: "x / (1 + e^-x)", shapes: { x: [5] }, range: [-4, 4], build: ({ x }) => silu(x!) }],
  lowRankLinear: [
    {
      formula: "x (W + s B A)^T",
      shapes: { x: [4, 3], weight: [5, 3], a: [2, 3], b: [5, 2] },
      build: ({ x, weight, a, b }) => lowRankLinear(x!, weight!, a!, b!, 0.75),
    },
  ],
  matmul: [
    ...matmulCases("A B", [2, 3], [3, 4]),
    ...matmulCases("A_i B_i", [2, 2, 3], [2, 3, 4]),
    ...matmulCases("A_ij B_j, batch axes broadcast", [2, 1, 2, 3], [3, 3, 4]),
    { formula: "A A^T", shapes: { a: [2, 3] }, build: ({ a }) => matmul(a!, a!, { transB: true }) },
    { formula: "A B_i, A without batch", shapes: { a: [2, 3], b: [2, 3, 4] }, build: ({ a, b }) => matmul(a!, b!) },
    { formula: "A_i B, B without batch", shapes: { a: [2, 2, 3], b: [3, 4] }, build: ({ a, b }) => matmul(a!, b!) },
  ],
  softmax: [{ formula: "e^x / sum e^x", shapes: { x: [2, 2, 4] }, build: ({ x }) => softmax(x!) }],
  rmsNorm: [
    {
      formula: "x w / sqrt(mean x^2 + eps)",
      shapes: { x: [2, 2, 4], w: [4] },
      build: ({ x, w }) => rmsNorm(x!, w!, 1e-3),
    },
  ],
  rope: [
    {
      formula: "(x1 cos - x2 sin, x2 cos + x1 sin)",
      shapes: { x: [2, 2, 3, 4] },
      build: ({ x }) => {
        const angles = Array.from({ length: 10 }, (_, i) => 0.3 * i + 0.1);
        const dtype = x!.dtype as "float32" | "float64";
        const table = (f: (angle: number) => number) => constant(tensor(dtype, angles.map(f), [5, 2]).data, [5, 2]);
        return rope(x!, int64([0, 4, 2, 1, 1, 3], 2, 3), table(Math.cos), table(Math.sin));
      },
    },
  ],
  crossEntropy: [
    {
      formula: "log sum e^x - x[label], labels repeat",
      shapes: { x: [4, 3] },
      build: ({ x }) => crossEntropy(x!, int64([2, 0, 2, 1], 4)),
    },
  ],
  reshape: [{ formula: "the same elements", shapes: { x: [2, 6] }, build: ({ x }) => reshape(x!, [3, 1, 4]) }],
  transpose: [
    { formula: "y_kij = x_ijk, no involution", shapes: { x: [2, 3, 4] }, build: ({ x }) => transpose(x!, [2, 0, 1]) },
  ],
  concat: [
    {
      formula: "(a, b, a)",
      shapes: { a: [2, 1, 2], b: [2, 3, 2] },
      build: ({ a, b }) => concat([a!, b!, a!], -2),
    },
  ],
  slice: [
    { formula: "x[:, 1:3]", shapes: { x: [2, 4] }, build: ({ x }) => slice(x!, 1, 1, 3) },
    { formula: "x[:2]", shapes: { x: [3, 2] }, build: ({ x }) => slice(x!, 0, 0, 2) },
    { formula: "x[..., 2:]", shapes: { x: [2, 4] }, build: ({ x }) => slice(x!, -1, 2, 4) },
  ],
  split: [
    {
      formula: "(x1, x2, x3) with x1 and x3 used",
      shapes: { x: [2, 6] },
      build: ({ x }) => {
        const [first, , third] = split(x!, [2, 1, 3], int64([2, 1, 3], 3));
        return concat([mul(first!, first!), third!], 1);
      },
    },
    {
      formula: "(x1, nothing, x3)",
      shapes: { x: [2, 5] },
      build: ({ x }) => concat([...split(x!, [2, 0, 3], int64([2, 0, 3], 3))].reverse(), 1),
    },
  ],
  expand: [{ formula: "x repeated", shapes: { x: [3, 1] }, build: ({ x }) => expand(x!, [2, 3, 4]) }],
  gatherRows: [
    {
      formula: "x[ids], ids repeat",
      shapes: { x: [4, 3] },
      build: ({ x }) => gatherRows(x!, int64([1, 3, 1, 0, 1, 1], 2, 3)),
    },
  ],
  scatterRows: [
    {
      formula: "y[ids] += x, ids repeat",
      shapes: { x: [5, 2] },
      build: ({ x }) => scatterRows(x!, int64([1, 3, 1, 0, 1], 5), 4),
    },
  ],
  addAtColumn: [
    {
      formula: "x[m, columns[m]] += v[m]",
      shapes: { x: [3, 4], v: [3] },
      build: ({ x, v }) => addAtColumn(x!, int64([2, 0, 2], 3), v!),
    },
  ],
  reduceSum: [
    { formula: "sum over one axis", shapes: { x: [2, 3, 2] }, build: ({ x }) => reduceSum(x!, [1]) },
    { formula: "sum over several axes", shapes: { x: [2, 3, 2] }, build: ({ x }) => reduceSum(x!, [-1, 0]) },
    { formula: "sum over all", shapes: { x: [2, 3] }, build: ({ x }) => sumAll(x!) },
  ],
  keepMask: [
    {
      formula: "x mask, no gradient to the keys",
      shapes: { x: [3, 4] },
      build: ({ x }) => mul(x!, keepMask(keys(3, "rows"), keys(4, "columns"), 0.5, x!.dtype)),
    },
  ],
  checkpoint: [
    {
      formula: "log(1 + (a x)^2) twice, with a tied a",
      shapes: { x: [3], a: [3] },
      build: ({ x, a }) => {
        const layer = (value: Value) => log(add(mul(mul(a!, value), mul(a!, value)), 1));
        return checkpoint(checkpoint(mul(x!, a!), layer), layer);
      },
    },
  ],
};

/** Uniform 32-bit keys. */
function keys(count: number, name: string): Value {
  const rng = Rng.fromSeed(name);
  return constant(
    Int32Array.from({ length: count }, () => rng.integer(2 ** 32) | 0),
    [count],
  );
}

/** A product in each of the four forms, with a factor. */
function matmulCases(formula: string, a: readonly number[], b: readonly number[]): Case[] {
  const swap = (shape: readonly number[]) => [...shape.slice(0, -2), ...shape.slice(-2).reverse()];
  return [false, true].flatMap((transA) =>
    [false, true].map((transB) => ({
      formula: `0.75 ${formula}${transA ? ", A transposed" : ""}${transB ? ", B transposed" : ""}`,
      shapes: { a: transA ? swap(a) : a, b: transB ? swap(b) : b },
      build: (inputs: Inputs) => matmul(inputs.a!, inputs.b!, { transA, transB, alpha: 0.75 }),
    })),
  );
}

const STEP = 1e-5;

/** The loss and its gradients of a case in one precision, and the inputs in double precision. */
function lossOf({ shapes, range, build }: Case, dtype: "float32" | "float64") {
  const rng = Rng.fromSeed("gradient");
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, input(name, shape, dtype)]));
  const y = build(inputs);
  const shape = y.shape as readonly number[];
  const points = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, uniforms(rng.fork(name), shape, ...(range ?? []))]),
  );
  const weights = constant(tensor(dtype, uniforms(rng.fork("weights"), shape), shape).data, shape);
  return { y, loss: sumAll(mul(y, weights)), inputs, points };
}

const feedsOf = (points: Readonly<Record<string, readonly number[]>>, { shapes }: Case, dtype: "float32" | "float64") =>
  Object.fromEntries(Object.entries(points).map(([name, values]) => [name, tensor(dtype, values, shapes[name]!)]));

async function gradientsOf(each: Case, dtype: "float32" | "float64") {
  const { loss, inputs, points } = lossOf(each, dtype);
  const derivatives = gradients(loss, Object.values(inputs));
  const outputs = Object.fromEntries(Object.keys(inputs).map((name, i) => [`d_${name}`, derivatives[i]!]));
  return runGraph(outputs, feedsOf(points, each, dtype));
}

describe("gradient rules", () => {
  it("have a case each", () => {
    // Packed weights are of single precision alone: src/weights/weights.test.ts.
    const others = ["input", "constant", "packedLinear", "unpack"];
    const rules = Object.keys(gradientRules).filter((op) => !others.includes(op));
    expect(Object.keys(cases).sort()).toEqual(rules.sort());
  });

  const rows = Object.entries(cases).flatMap(([op, list]) => list.map((each) => [op, each.formula, each] as const));
  it.each(rows)("%s: %s", async (op, _formula, each) => {
    const { y, loss, inputs, points } = lossOf(each, "float64");
    expect(topologicalOrder([y]).map((node) => node.op)).toContain(op);
    const computed = await gradientsOf(each, "float64");
    const run = await openGraph({ loss });
    const lossAt = async (at: typeof points) => (await run(feedsOf(at, each, "float64"))).loss!.data[0]!;
    for (const name of Object.keys(inputs)) {
      const got = computed[`d_${name}`]!;
      expect(got.shape).toEqual(each.shapes[name]);
      for (let i = 0; i < sizeOfShape(each.shapes[name]!); i++) {
        const moved = (by: number) => ({ ...points, [name]: points[name]!.with(i, points[name]![i]! + by) });
        const expected = ((await lossAt(moved(STEP))) - (await lossAt(moved(-STEP)))) / (2 * STEP);
        expect(got.data[i], `d ${name}[${i}]`).toBeCloseTo(expected, 7);
      }
    }
  });

  it.each(rows)("%s: %s, the same in single precision with its fused kernels", async (_op, _formula, each) => {
    const [single, double] = [await gradientsOf(each, "float32"), await gradientsOf(each, "float64")];
    for (const [name, { data }] of Object.entries(double)) {
      for (const [i, value] of data.entries()) expect(single[name]!.data[i], `${name}[${i}]`).toBeCloseTo(value, 4);
    }
  });
});

describe("gradients", () => {
  it("of a value that the loss does not depend on are zero", async () => {
    const [x, unused] = [input("x", [2], "float64"), input("unused", [2, 3], "float64")];
    const [, zero] = gradients(sumAll(mul(x, x)), [x, unused]);
    const { d } = await runGraph({ d: zero! });
    expect([d!.shape, d!.data]).toEqual([
      [2, 3],
      [0, 0, 0, 0, 0, 0],
    ]);
  });

  it("with respect to a value inside the graph: y = x^2, loss = sum y^3, dloss/dy = 3 y^2", async () => {
    const x = input("x", [2], "float64");
    const y = mul(x, x);
    const [dy, dx] = gradients(sumAll(mul(y, mul(y, y))), [y, x]);
    const { dy: atY, dx: atX } = await runGraph({ dy: dy!, dx: dx! }, { x: tensor("float64", [1, 2], [2]) });
    expect([atY!.data, atX!.data]).toEqual([
      [3, 48],
      [6, 192],
    ]);
  });

  it("of the loss itself is one", async () => {
    const loss = sumAll(input("x", [2], "float64"));
    const { d } = await runGraph({ d: gradients(loss, [loss])[0]! });
    expect(d!.data).toEqual([1]);
  });

  it("refuse a loss of an output that no gradient flows through", () => {
    const [x, weight] = [input("x", [2, 3]), input("weight", [3])];
    const inverseRms = rmsNorm(x, weight, 1e-5).node.outputs[1]!;
    expect(() => gradients(sumAll(inverseRms), [x])).toThrow(
      "rmsNorm: expected a loss that depends on its first output",
    );
  });

  it("refuse a loss that is no scalar", () => {
    const x = input("x", [2]);
    expect(() => gradients(x, [x])).toThrow("gradients: expected a loss of shape [], got [2]");
  });
});
