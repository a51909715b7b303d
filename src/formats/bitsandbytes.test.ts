import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type QuantisedWeight, quantisedTensors } from "../../test/fixtures/bitsandbytes/build.js";
import { packedParts } from "../graph/index.js";
import { readRows } from "../weights/index.js";
import { parseSafetensors } from "./safetensors.js";
import { openSafetensorsFolder, writeSafetensors } from "./safetensorsFiles.js";
import type { OpenTensors, StoredTensor } from "./tensors.js";

// Made by bitsandbytes 0.50.2 (quantize_4bit, dequantize_4bit).
const path = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/quant.safetensors`;
const reference = parseSafetensors(new Uint8Array(readFileSync(path)));
const WEIGHTS = ["fp32", "odd", "bf16", "fp16"];
const DTYPES: Record<string, string> = { bf16: "bfloat16", fp16: "float16" };
const CASES = WEIGHTS.flatMap((name) => ["single", "double"].map((kind) => [name, kind] as const));
const NAME = "model.layers.0.mlp.up_proj.weight";

let folder: string;
let open: OpenTensors | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "bigvae-bnb-"));
});
afterEach(async () => {
  await open?.close();
  open = undefined;
  await rm(folder, { recursive: true });
});

/** A weight of the reference set. */
async function referenceWeight(name: string, kind: string): Promise<QuantisedWeight> {
  const at = `nf4.${name}.${kind}`;
  const data = async (part: string) => (await reference.readRaw(`${at}.${part}`)).data;
  const floats = (part: string) => reference.readFloat32(`${at}.${part}`);
  return {
    shape: reference.info(`nf4.${name}.weight`).shape as [number, number],
    dtype: DTYPES[name] ?? "float32",
    packed: (await data("packed")) as Uint8Array,
    absmax: (await data("absmax")) as Float32Array | Uint8Array,
    ...(kind === "double" && {
      nested: {
        absmax: await floats("nested_absmax"),
        code: await floats("nested_code"),
        offset: (await floats("offset"))[0]!,
      },
    }),
  };
}

async function openTensors(tensors: Map<string, StoredTensor>): Promise<OpenTensors> {
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  open = await openSafetensorsFolder(folder);
  return open;
}

const bits = (values: Float32Array) => new Int32Array(values.slice().buffer);

describe.each(CASES)("%s, %s quantisation", (name, kind) => {
  it("is one tensor of its shape, dequantised to the bit", async () => {
    const weight = await referenceWeight(name, kind);
    const source = await openTensors(quantisedTensors(NAME, weight));
    expect(source.names).toEqual([NAME]);
    expect(source.info(NAME)).toEqual({ dtype: "NF4", shape: weight.shape });
    const expected = await reference.readFloat32(`nf4.${name}.${kind}.dequantised`);
    expect(bits(await source.readFloat32(NAME))).toEqual(bits(expected));
    const [out, width] = weight.shape;
    for (const [begin, end] of [
      [1, 2],
      [2, out],
    ] as const)
      expect(bits(await source.readRows(NAME, begin, end))).toEqual(
        bits(expected.subarray(begin * width, end * width)),
      );
  });

  it("keeps its four bits where it is packed", async () => {
    const weight = await referenceWeight(name, kind);
    const packed = (await (await openTensors(quantisedTensors(NAME, weight))).readPacked?.(NAME))!;
    expect(packed).toMatchObject({ format: { kind: "nf4", block: 64 }, shape: weight.shape });
    expect(packed.parts.values!.data).toEqual(weight.packed);
    for (const [part, { shape }] of Object.entries(packedParts(packed.format, packed.shape)))
      expect(packed.parts[part]!.data.length).toBe(shape[0]);
    // The weight's own type rounds what is dequantised, and not what is packed.
    if (weight.dtype !== "float32") return;
    const expected = await reference.readFloat32(`nf4.${name}.${kind}.dequantised`);
    expect(bits(readRows(packed, 0, weight.shape[0]))).toEqual(bits(expected));
  });
});

it("reads blocks of other sizes", async () => {
  const { shape, packed } = await referenceWeight("fp32", "single");
  const absmax = Float32Array.from({ length: (shape[0] * shape[1]) / 128 }, (_, i) => i + 1);
  const source = await openTensors(quantisedTensors(NAME, { shape, dtype: "float32", packed, absmax, block: 128 }));
  const values = await source.readFloat32(NAME);
  for (const at of [0, 127, 128, values.length - 1])
    expect(Math.abs(values[at]!)).toBeLessThanOrEqual(absmax[Math.floor(at / 128)]!);
  expect(Math.max(...values.subarray(128, 256).map(Math.abs))).toBe(2);
});

describe("refused", () => {
  type Change = (tensors: Map<string, StoredTensor>) => unknown;
  const STATE = `${NAME}.quant_state.bitsandbytes__nf4`;
  const refuse = async (tensors: Map<string, StoredTensor>, kind: string, message: RegExp) =>
    expect(openTensors(tensors)).rejects.toMatchObject({ kind, message: expect.stringMatching(message) });

  it.each<[field: string, value: unknown, kind: string, message: RegExp]>([
    ["blocksize", 48, "format", /blocksize to be one of 32, 64.*, got 48/],
    ["blocksize", "64", "format", /got "64"/],
    ["quant_type", "fp4", "format", /quant_type to be "nf4", got "fp4"/],
    ["shape", [96, 129], "format", /expected 6192 elements of U8, got U8 of shape \[6144, 1\]/],
    ["shape", [2 ** 30, 2 ** 30], "format", /at most 2\^53 elements/],
    ["shape", [12288], "format", /shape to be two whole numbers above 0, got \[12288\]/],
    ["dtype", "float64", "format", /dtype to be float32 or float16 or bfloat16/],
    ["dtype", undefined, "format", /got none/],
    ["nested_offset", "0", "format", /nested_offset to be a finite number/],
    ["nested_blocksize", 64, "format", /nested_absmax" of .*expected 3 elements of F32, got F32 of shape \[1\]/],
    ["nested_dtype", "float16", "format", /nested_dtype to be "float32", got "float16"/],
    ["zero_point", 3, "unsupported", /zero_point to be left out/],
  ])("%s %j", async (field, value, kind, message) => {
    const weight = await referenceWeight("fp32", "double");
    await refuse(quantisedTensors(NAME, weight, { [field]: value }), kind, message);
  });

  it.each<[what: string, change: Change, kind: string, message: RegExp]>([
    ["a state of FP4", (t) => t.set(STATE.replace("nf4", "fp4"), t.get(STATE)!), "unsupported", /nf4, got fp4/],
    ["no absmax", (t) => t.delete(`${NAME}.absmax`), "mismatch", /a tensor ".*absmax", got none/],
    ["no packed values", (t) => t.delete(NAME), "mismatch", /a tensor ".*up_proj.weight", got none/],
    [
      "another code",
      (t) => t.set(`${NAME}.quant_map`, { dtype: "F32", shape: [16], data: new Float32Array(16) }),
      "unsupported",
      /the 16 values of NormalFloat, got others/,
    ],
    [
      "a state of a megabyte",
      (t) => t.set(STATE, { dtype: "U8", shape: [1 << 20], data: new Uint8Array(1 << 20) }),
      "format",
      /at most 65536 bytes/,
    ],
    [
      "packed values of another type",
      (t) => t.set(NAME, { dtype: "F16", shape: [3072], data: new Uint16Array(3072) }),
      "format",
      /6144 elements of U8, got F16 of shape \[3072\]/,
    ],
  ])("%s", async (_, change, kind, message) => {
    const tensors = quantisedTensors(NAME, await referenceWeight("fp32", "single"));
    change(tensors);
    await refuse(tensors, kind, message);
  });

  it("reading as stored", async () => {
    const source = await openTensors(quantisedTensors(NAME, await referenceWeight("fp32", "single")));
    await expect(source.readRaw(NAME)).rejects.toMatchObject({ kind: "unsupported" });
    await expect(source.readElements(NAME, 0, 1)).rejects.toMatchObject({ kind: "unsupported" });
  });
});
