import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { uniforms, valuesOf } from "../../test/runGraph.js";
import { parseSafetensors } from "../formats/safetensors.js";
import { gradients, input, mul, type PackedFormat, packedInput, packedLinear, sumAll, unpack } from "../graph/index.js";
import { Rng } from "../rng.js";
import { onnxNodeRuntime } from "../runtime/onnxNode.js";
import { float32, type Runtime, type Session } from "../runtime/runtime.js";
import { balancedScales } from "./columns.js";
import { checkInt8, saturatesInInt8 } from "./int8Probe.js";
import { Packer, packColumns, packWeight, readRows, weightTensors } from "./weight.js";

// Made by bitsandbytes 0.50.2 (quantize_4bit, dequantize_4bit).
const path = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/quant.safetensors`;
const reference = parseSafetensors(new Uint8Array(readFileSync(path)));

const [OUT, IN, ROWS] = [48, 80, 5];
const FORMATS: readonly PackedFormat[] = [
  { kind: "blocks", bits: 8, block: 32 },
  { kind: "blocks", bits: 4, block: 32 },
  { kind: "nf4", block: 64 },
];
const nameOf = (format: PackedFormat) => (format.kind === "blocks" ? `blocks of ${format.bits} bits` : format.kind);
/** Largest error of a value over the largest of its block: half a step, or half the widest gap of the code. */
const HALF_STEP: Record<string, number> = { "blocks of 8 bits": 0.5 / 127, "blocks of 4 bits": 0.5 / 8, nf4: 0.153 };

const rng = Rng.fromSeed("packed weights");
const weight = Float32Array.from(uniforms(rng, [OUT, IN], -0.1, 0.1));
const x = Float32Array.from(uniforms(rng, [ROWS, IN]));

/** a [m, k] @ b [n, k] transposed */
function product(a: Float32Array, b: Float32Array, m: number, n: number, k: number): Float32Array {
  return Float32Array.from({ length: m * n }, (_, at) => {
    let sum = 0;
    for (let i = 0; i < k; i++) sum += a[Math.floor(at / n) * k + i]! * b[(at % n) * k + i]!;
    return sum;
  });
}

function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (got[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return Math.sqrt(error / size);
}

it.each(FORMATS.map((format) => [nameOf(format), format] as const))(
  "%s: unpacks to its values, to the bit",
  async (_, format) => {
    const packed = packWeight(weight, [OUT, IN], format);
    const values = await valuesOf(unpack(packedInput("w", format, [OUT, IN])), weightTensors("w", packed));
    // -0 is 0.
    expect(Float32Array.from(values)).toEqual(readRows(packed, 0, OUT).map((value) => value + 0));
  },
);

describe.each(FORMATS.map((format) => [nameOf(format), format] as const))("%s", (name, format) => {
  const packed = packWeight(weight, [OUT, IN], format);

  it("keeps each value to half a step, rows that end within a block too", () => {
    const rows = readRows(packed, 0, OUT);
    for (let row = 0; row < OUT; row++) {
      for (let i = 0; i < IN; i++) {
        const error = Math.abs(rows[row * IN + i]! - weight[row * IN + i]!);
        // Blocks of 4 bits reach -8 on one side and 7 on the other: a value at the far end is off by up to a whole step.
        const steps = name === "blocks of 4 bits" ? 2 : 1;
        expect(error).toBeLessThanOrEqual(0.1 * HALF_STEP[name]! * steps * 1.001);
      }
    }
    expect(readRows(packed, 7, 9)).toEqual(rows.subarray(7 * IN, 9 * IN));
  });

  it("rounds a matrix in pieces as it does at once", () => {
    const packer = new Packer([OUT, IN], format);
    for (const begin of [16, 0, 32]) packer.add(weight.subarray(begin * IN, (begin + 16) * IN), begin);
    expect(packer.weight).toEqual(packed);
  });

  it.each(["stored", "fed"])("multiplies as its values do, %s", async (how) => {
    const value = packedInput("w", format, [OUT, IN]);
    const tensors = weightTensors("w", packed);
    const stored = new Map(Object.entries(tensors).map(([part, { data }]) => [part, data as Uint8Array]));
    const y = packedLinear(input("x", [ROWS, IN]), value);
    const feeds = { x: float32(x, ROWS, IN), ...(how === "fed" ? tensors : {}) };
    const got = await valuesOf(y, feeds, how === "stored" ? { stored } : {});
    const expected = product(x, readRows(packed, 0, OUT), ROWS, OUT, IN);
    // MatMulNBits rounds x to int8 too.
    expect(relativeError(got, expected)).toBeLessThan(format.kind === "nf4" ? 1e-6 : 0.01);
  });
});

it.each(FORMATS.map((format) => [nameOf(format), format] as const))(
  "%s: the gradient of x is dy W",
  async (_, format) => {
    const packed = packWeight(weight, [OUT, IN], format);
    const value = input("x", [ROWS, IN]);
    const dy = Float32Array.from(uniforms(rng, [ROWS, OUT]));
    const loss = sumAll(mul(packedLinear(value, packedInput("w", format, [OUT, IN])), input("dy", [ROWS, OUT])));
    const [dx] = gradients(loss, [value]);
    const feeds = { x: float32(x, ROWS, IN), dy: float32(dy, ROWS, OUT), ...weightTensors("w", packed) };
    const rows = readRows(packed, 0, OUT);
    const transposed = Float32Array.from(
      { length: rows.length },
      (_, at) => rows[(at % OUT) * IN + Math.floor(at / OUT)]!,
    );
    expect(relativeError(await valuesOf(dx!, feeds), product(dy, transposed, ROWS, IN, OUT))).toBeLessThan(1e-6);
  },
);

const saturates = await saturatesInInt8(onnxNodeRuntime({ threads: 1 }));

// Where sums are cut off, `compute` int8 is refused.
describe.skipIf(saturates).each([
  ["one input 300 times as large as the others", 300, 17],
  ["inputs of like sizes", 1, 0],
])("columns of int8, %s", (_, largest, at) => {
  const unevenX = x.map((value, i) => (i % IN === at ? largest * value : value));
  const inputSizes = Float32Array.from({ length: IN }, (_, i) => (i === at ? largest : 1));
  const packed = packColumns(weight, [OUT, IN], { gradient: "int8", inputSizes });
  const value = () => packedInput("w", packed.format, [OUT, IN]);

  it("keep the product of each input with its weights to a step", () => {
    const rows = readRows(packed, 0, OUT);
    const errors = rows.map((value, i) => Math.abs(value - weight[i]!) * inputSizes[i % IN]!);
    // A step is the largest balanced weight of the output over 127: within sqrt(size) of the largest weight.
    expect(Math.max(...errors)).toBeLessThan((0.1 * largest * 1.01) / 127);
  });

  it("multiply forward and back as the matrix does, rows of any size", async () => {
    // One row is a thousand times as large as the others, one is zero.
    const sizes = [1, 1000, 1e-3, 0, 1];
    const rows = unevenX.map((each, i) => each * sizes[Math.floor(i / IN)]!);
    const dy = Float32Array.from(uniforms(rng, [ROWS, OUT]));
    const at = input("x", [ROWS, IN]);
    const y = packedLinear(at, value());
    const [dx] = gradients(sumAll(mul(y, input("dy", [ROWS, OUT]))), [at]);
    const feeds = { x: float32(rows, ROWS, IN), dy: float32(dy, ROWS, OUT), ...weightTensors("w", packed) };
    const expected = product(rows, weight, ROWS, OUT, IN);
    const got = await valuesOf(y, feeds);
    for (const row of [0, 1, 2, 4]) {
      const cut = (of: ArrayLike<number>) => Array.from(of).slice(row * OUT, (row + 1) * OUT);
      expect(relativeError(cut(got), cut(expected))).toBeLessThan(0.015);
    }
    expect(Array.from(got).slice(3 * OUT, 4 * OUT)).toEqual(new Array(OUT).fill(0));
    const transposed = Float32Array.from(
      { length: weight.length },
      (_, i) => weight[(i % OUT) * IN + Math.floor(i / OUT)]!,
    );
    expect(relativeError(await valuesOf(dx!, feeds), product(dy, transposed, ROWS, IN, OUT))).toBeLessThan(0.015);
  });
});

it("balanced scales divide a range evenly between inputs and weights", () => {
  const scales = balancedScales(Float32Array.of(4, 1, 9), Float32Array.of(1, -4, 9, -0.5, 2, 1));
  // sqrt(largest weight / size), over their geometric mean.
  const ratios = [Math.sqrt(1 / 4), Math.sqrt(4 / 1), Math.sqrt(9 / 9)];
  const mean = Math.cbrt(ratios[0]! * ratios[1]! * ratios[2]!);
  for (const [i, ratio] of ratios.entries()) expect(scales[i]).toBeCloseTo(ratio / mean, 6);
});

describe("nf4", () => {
  it.each(["fp32", "odd", "bf16", "fp16"])("is bitsandbytes' to the bit: %s", async (name) => {
    const values = await reference.readFloat32(`nf4.${name}.weight`);
    const { parts } = packWeight(values, [1, values.length], FORMATS[2]!);
    expect(parts.scales!.data).toEqual(await reference.readFloat32(`nf4.${name}.single.absmax`));
    expect(parts.values!.data).toEqual((await reference.readRaw(`nf4.${name}.single.packed`)).data);
  });

  it.each(["fp32", "odd"])("reads as bitsandbytes does, to the bit: %s", async (name) => {
    const values = await reference.readFloat32(`nf4.${name}.weight`);
    const shape = reference.info(`nf4.${name}.weight`).shape as [number, number];
    const packed = packWeight(values, shape, FORMATS[2]!);
    expect(readRows(packed, 0, shape[0])).toEqual(await reference.readFloat32(`nf4.${name}.single.dequantised`));
  });
});

it("int8 is refused where the machine cuts sums off", async () => {
  // A machine whose sums end at half of the true one.
  const machine = onnxNodeRuntime({ threads: 1 });
  const cutting: Runtime = {
    device: "cpu",
    async createSession(outputs, options) {
      const session = await machine.createSession(outputs, options);
      const run: Session["run"] = async (feeds) => {
        const { y } = await session.run(feeds);
        return {
          y: float32(
            (y!.data as Float32Array).map((value) => Math.min(value, 32)),
            ...y!.shape,
          ),
        };
      };
      return { run, release: () => session.release() };
    },
  };
  await expect(checkInt8(cutting)).rejects.toThrow(expect.objectContaining({ kind: "unsupported" }));
  if (!saturates) await checkInt8(machine);
});
