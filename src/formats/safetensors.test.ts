import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BigVaeError } from "../errors.js";
import { parseSafetensors, parseSafetensorsHeader, serializeSafetensors } from "./safetensors.js";
import type { StoredTensor } from "./tensors.js";

const reference = `${process.env.BIGVAE_REFERENCE ?? "test/fixtures/reference"}/tiny-mistral`;

/** A file of this header and `dataBytes` zeros; `length` as announced. */
function file(json: string | Uint8Array, dataBytes = 0, length?: bigint): Uint8Array {
  const header = typeof json === "string" ? new TextEncoder().encode(json) : json;
  const bytes = new Uint8Array(8 + header.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(header.length), true);
  bytes.set(header, 8);
  return bytes;
}
const tensor = (fields: object) => JSON.stringify({ t: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...fields } });
const parse = (bytes: Uint8Array) => parseSafetensorsHeader(bytes, bytes.length);

/** After upstream's tests/test_simple.py, lib.rs and the Trail of Bits audit. */
const MALFORMED: [string, () => Uint8Array, RegExp][] = [
  ["an empty file", () => new Uint8Array(0), /at least the 8 bytes of a header, got 0 bytes/],
  ["seven bytes", () => new Uint8Array(7), /at least the 8 bytes of a header, got 7 bytes/],
  [
    "a header of 2^63 bytes",
    () => file("{}", 0, 2n ** 63n),
    /at most 100000000 bytes, got one of 9223372036854775808 bytes/,
  ],
  [
    "a header of 100 MB and a byte",
    () => file("{}", 0, 100_000_001n),
    /at most 100000000 bytes, got one of 100000001 bytes/,
  ],
  ["a header past the end", () => file("{}", 0, 3n), /a header within the 10 bytes of the file, got one of 3 bytes/],
  ["an empty header", () => file(""), /expected a value, got the end of the text/],
  ["a header that is not UTF-8", () => file(Uint8Array.of(0x7b, 0xff, 0x7d)), /expected UTF-8, got other bytes/],
  ["a header that is no JSON", () => file("{"), /expected a string, got the end of the text/],
  ["a header that is a list", () => file("[]"), /a JSON object, got something else/],
  ["two values", () => file("{}{}"), /expected the end of the text, got/],
  ["zeros after the JSON", () => file("{}\0"), /expected the end of the text, got/],
  ["depth", () => file(`{"t":${"[".repeat(1_000_000)}`), /at most 4 levels of nesting, got more/],
  ["a tensor twice", () => file('{"t":{},"t":{}}'), /each key once, got "t" twice/],
  [
    "a field twice",
    () => file('{"t":{"dtype":"F32","dtype":"F64","shape":[],"data_offsets":[0,4]}}', 4),
    /each key once, got "dtype" twice/,
  ],
  ["a tensor that is null", () => file('{"t":null}'), /exactly dtype, shape and two data_offsets, got something else/],
  [
    "a missing shape",
    () => file(tensor({ shape: undefined }), 8),
    /exactly dtype, shape and two data_offsets, got something else/,
  ],
  [
    "an extra field",
    () => file(tensor({ more: 1 }), 8),
    /exactly dtype, shape and two data_offsets, got something else/,
  ],
  ["an unknown dtype", () => file(tensor({ dtype: "F8_E4M3" }), 8), /a dtype of I64, .*, got F8_E4M3/],
  [
    "a dtype of Object.prototype",
    () => file(tensor({ dtype: "constructor" }), 8),
    /a dtype of I64, .*, got constructor/,
  ],
  ["a negative dimension", () => file(tensor({ shape: [-2] }), 8), /whole numbers of at least 0, got -2/],
  ["a fractional dimension", () => file(tensor({ shape: [0.5] }), 8), /whole numbers of at least 0, got 0\.5/],
  ["a dimension as text", () => file(tensor({ shape: ["2"] }), 8), /whole numbers of at least 0, got "2"/],
  [
    "a product past 2^53",
    () => file(tensor({ shape: [2 ** 27, 2 ** 27] }), 8),
    /at most 2\^53 elements, got \[134217728, 134217728\]/,
  ],
  [
    "a product that passes 2^53 before a 0",
    () => file(tensor({ shape: [2 ** 52, 2 ** 52, 0] }), 8),
    /at most 2\^53 elements/,
  ],
  [
    "a shape that does not fit the bytes",
    () => file(tensor({ shape: [3] }), 8),
    /12 bytes for F32 of shape \[3\], got 8 bytes/,
  ],
  ["offsets backwards", () => file(tensor({ data_offsets: [8, 0] }), 8), /a range of bytes, got \[8, 0\]/],
  ["negative offsets", () => file(tensor({ data_offsets: [-8, 0] }), 8), /a range of bytes, got \[-8, 0\]/],
  [
    "offsets past 2^53",
    () => file('{"t":{"dtype":"U8","shape":[0],"data_offsets":[1e300,1e300]}}'),
    /a range of bytes, got \[1e\+300, 1e\+300\]/,
  ],
  [
    "three offsets",
    () => file(tensor({ data_offsets: [0, 4, 8] }), 8),
    /exactly dtype, shape and two data_offsets, got something else/,
  ],
  ["too little data", () => file(tensor({}), 7), /an end at byte 70, after its last tensor, got 69 bytes/],
  ["data after the last tensor", () => file(tensor({}), 9), /an end at byte 70, after its last tensor, got 71 bytes/],
  [
    "a hole",
    () =>
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}',
        3,
      ),
    /after a hole/,
  ],
  ["a hole at the start", () => file(tensor({ data_offsets: [4, 12] }), 12), /after a hole/],
  [
    "an overlap",
    () =>
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}',
        3,
      ),
    /where what is before it ends, got byte \d+, an overlap/,
  ],
  [
    "the same bytes twice",
    () =>
      file(
        '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
        2,
      ),
    /an overlap/,
  ],
  ["metadata that is not text", () => file('{"__metadata__":{"a":1}}'), /an object of strings, got something else/],
];

describe("parseSafetensorsHeader refuses", () => {
  it.each(MALFORMED)("%s", (_, build, message) => {
    const bytes = build();
    const start = process.cpuUsage();
    expect(() => parse(bytes)).toThrow(message);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(100);
    expect(() => parse(bytes)).toThrow(BigVaeError);
  });

  it("mutations of a sound file only with BigVaeError, and never reads past the file", () => {
    const sound = serializeSafetensors(
      new Map<string, StoredTensor>([
        ["a", { dtype: "F32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
        ["b.c", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
      ]),
      { format: "pt" },
    );
    const mutation = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    const property = fc.property(mutation, fc.option(fc.nat(sound.length)), (changes, cut) => {
      const bytes = sound.slice();
      for (const [at, byte] of changes) bytes[at] = byte;
      const part = bytes.subarray(0, cut ?? bytes.length);
      try {
        for (const { begin, end } of parse(part).tensors.values()) expect(begin >= 0 && end <= part.length).toBe(true);
      } catch (error) {
        if (!(error instanceof BigVaeError)) throw error;
      }
    });
    fc.assert(property, { numRuns: 10_000 });
  });
});

describe("serializeSafetensors", () => {
  const metadata = { format: "pt", __proto__x: "é" };
  const tensors = new Map<string, StoredTensor>([
    ["u8", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 3) }],
    ["__proto__", { dtype: "F32", shape: [2, 1], data: Float32Array.of(1.5, Number.NaN) }],
    ["i64", { dtype: "I64", shape: [1], data: BigInt64Array.of(-1n) }],
    ["half", { dtype: "F16", shape: [], data: Uint16Array.of(0x3c00) }],
    ["brain", { dtype: "BF16", shape: [1], data: Uint16Array.of(0x3f80) }],
    ["empty", { dtype: "I32", shape: [0, 7], data: new Int32Array(0) }],
    ["double", { dtype: "F64", shape: [1], data: Float64Array.of(0.1) }],
    ["flag", { dtype: "BOOL", shape: [1], data: Uint8Array.of(1) }],
  ]);

  it("gives back what it wrote, aligned, and the same bytes in any order", async () => {
    const bytes = serializeSafetensors(tensors, metadata);
    expect(serializeSafetensors(new Map([...tensors].reverse()), metadata)).toEqual(bytes);
    const source = parseSafetensors(bytes);
    expect([...source.names].sort()).toEqual([...tensors.keys()].sort());
    for (const [name, tensor] of tensors) expect(await source.readRaw(name)).toEqual(tensor);
    expect(source.metadata).toEqual(new Map(Object.entries(metadata)));
    expect(new DataView(bytes.buffer).getBigUint64(0, true) % 8n).toBe(0n);
    expect(await source.readFloat32("half")).toEqual(Float32Array.of(1));
    expect(await source.readFloat32("brain")).toEqual(Float32Array.of(1));
    expect((await source.readFloat32("__proto__")).buffer).toBe(bytes.buffer);
    await expect(source.readFloat32("i64")).rejects.toThrow(/expected F32, F16 or BF16, got I64/);
    expect(() => source.info("toString")).toThrow(/a tensor "toString", got none/);
  });

  it.each(["base/model.safetensors", "adapters/vae.safetensors", "cases.safetensors"])(
    "writes %s to the byte as upstream",
    async (name) => {
      const bytes = new Uint8Array(readFileSync(`${reference}/${name}`));
      const source = parseSafetensors(bytes);
      const copy = new Map<string, StoredTensor>();
      for (const tensor of source.names) copy.set(tensor, await source.readRaw(tensor));
      expect(Buffer.compare(serializeSafetensors(copy, Object.fromEntries(source.metadata)), bytes)).toBe(0);
    },
  );

  it("reads unaligned files", async () => {
    const bytes = serializeSafetensors(tensors);
    const moved = new Uint8Array(bytes.length + 1);
    moved.set(bytes, 1);
    expect(await parseSafetensors(moved.subarray(1)).readRaw("double")).toEqual(tensors.get("double"));
  });

  it("refuses elements that do not fit the shape", () => {
    const wrong = new Map<string, StoredTensor>([["t", { dtype: "F32", shape: [3], data: new Float32Array(2) }]]);
    expect(() => serializeSafetensors(wrong)).toThrow(/the shape \[3\] holds, got 2;/);
  });
});
