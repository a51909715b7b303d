import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dequantize, GGML_TYPES, readableTypes } from "./ggufBlocks.js";
import { parseSafetensors } from "./safetensors.js";

// Made by gguf-py 0.19.0's quants.dequantize.
const path = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/quant.safetensors`;
const source = parseSafetensors(new Uint8Array(readFileSync(path)));
const TYPES = source.names.flatMap((name) => name.match(/^gguf\.(.*)\.bytes$/)?.[1] ?? []);
const typeOf = (name: string) => [...GGML_TYPES.values()].find((type) => type.name === name)!;

describe("dequantize", () => {
  it("knows every type of the reference set, and F32", () => {
    expect(readableTypes().sort()).toEqual(["F32", ...TYPES].sort());
  });

  it.each(TYPES)("%s to the bit", async (name) => {
    const { data } = await source.readRaw(`gguf.${name}.bytes`);
    const values = dequantize(typeOf(name), data as Uint8Array);
    const expected = await source.readFloat32(`gguf.${name}.values`);
    expect(new Int32Array(values.buffer, values.byteOffset, values.length)).toEqual(
      new Int32Array(expected.buffer, expected.byteOffset, expected.length),
    );
  });

  it("F32 as it is, whatever the alignment", () => {
    const values = Float32Array.of(1, -0, Number.NaN, 3e-45);
    const bytes = new Uint8Array(17);
    bytes.set(new Uint8Array(values.buffer), 1);
    expect(dequantize(typeOf("F32"), bytes.subarray(1))).toEqual(values);
  });
});
