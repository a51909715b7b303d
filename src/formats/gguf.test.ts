import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GgufBuilder, TINY_METADATA, tinyModel } from "../../test/fixtures/gguf/build.js";
import { BigVaeError } from "../errors.js";
import { parseGguf } from "./gguf.js";

const make = () => new GgufBuilder();
const parse = (bytes: Uint8Array) => parseGguf(bytes, bytes.length);
/** Two tensors of 32 floats, the second at `offset`, and `dataBytes` of data. */
const two = (offset: number, dataBytes: number, type = 0, alignment?: number) => {
  const builder = make().header(2, alignment === undefined ? 0 : 1);
  if (alignment !== undefined) builder.entry("general.alignment", alignment);
  builder.tensor("a", [32], 0, 0).tensor("b", [32], type, offset);
  return builder
    .pad(alignment || 32)
    .data(new Uint8Array(dataBytes))
    .build();
};
const one = (shape: (number | bigint)[], type = 0, offset: number | bigint = 0) =>
  make().header(1, 0).tensor("a", shape, type, offset).pad().data(new Uint8Array(128)).build();

describe("parseGguf", () => {
  it("reads every type of value, lists and an empty file's header", () => {
    expect(parse(make().header(0, 0).pad().build())).toEqual({ metadata: new Map(), tensors: new Map() });
    const builder = make().header(0, 9, 2);
    builder.entry("text", "é").entry("list", ["a", ""]).entry("on", true).entry("number", 7).entry("float", 0.5);
    builder.text("u8").u32(0).u8(200).text("i64").u32(11).u64(-5n);
    builder
      .text("longs")
      .u32(9, 10)
      .u64(2)
      .u64(1, 2 ** 53 - 1);
    builder.text("flags").u32(9, 7).u64(2).u8(0, 1);
    expect([...parse(builder.pad().build()).metadata]).toEqual([
      ["text", "é"],
      ["list", ["a", ""]],
      ["on", true],
      ["number", 7],
      ["float", 0.5],
      ["u8", 200],
      ["i64", -5],
      ["longs", Float64Array.of(1, 2 ** 53 - 1)],
      ["flags", [false, true]],
    ]);
  });

  it("reads tensors with shapes outermost first, whatever the alignment", () => {
    const file = make().header(2, 1).entry("general.alignment", 8);
    file
      .tensor("b", [4, 3], 0, 0)
      .tensor("a", [32, 2], 8, 48)
      .pad(8)
      .data(new Uint8Array(48 + 68));
    const { tensors } = parse(file.build());
    expect(tensors.get("b")).toMatchObject({ shape: [3, 4] });
    expect(tensors.get("a")).toMatchObject({ shape: [2, 32], type: { name: "Q8_0" } });
    expect(tensors.get("a")!.end - tensors.get("a")!.begin).toBe(68);
  });

  it("treats __proto__ as a name like any other", () => {
    const { metadata, tensors } = parse(tinyModel({ __proto__x: [1], constructor: [1] }, { ["__proto__"]: 1, a: 2 }));
    expect(tensors.has("constructor")).toBe(true);
    expect(metadata.get("a")).toBe(2);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

/** After llama.cpp tests/test-gguf.cpp (handcrafted_file_type) and the bombs of its security advisories. */
const MALFORMED: [string, () => Uint8Array, RegExp][] = [
  ["an empty file", () => new Uint8Array(0), /expected 4 more bytes of the header, got the end of the file at 0;/],
  ["another magic", () => make().header(0, 0, 3, "GGML").build(), /the first bytes "GGUF", got others/],
  ["version 0", () => make().header(0, 0, 0).build(), /GGUF version 2 or 3, got 0;/],
  ["version 1", () => make().header(0, 0, 1).build(), /GGUF version 2 or 3, got 1;/],
  ["a future version", () => make().header(0, 0, 4).build(), /GGUF version 2 or 3, got 4;/],
  ["big endian", () => make().header(0, 0, 0x03000000).build(), /little-endian numbers, got big-endian ones/],
  [
    "2^64 - 1 tensors",
    () =>
      make()
        .header(2n ** 64n - 1n, 0)
        .build(),
    /no more tensors than .*, got 18446744073709551615;/,
  ],
  [
    "2^64 - 1 entries",
    () =>
      make()
        .header(0, 2n ** 64n - 1n)
        .build(),
    /no more metadata entries than .*, got 18446744073709551615;/,
  ],
  ["one entry too many", () => make().header(0, 2).entry("a", 1).build(), /metadata entries|middle/],
  [
    "a cut header",
    () => make().header(0, 0).build().subarray(0, 20),
    /8 more bytes of the header, got the end of the file at 20;/,
  ],
  [
    "a key of 2^63 bytes",
    () =>
      make()
        .header(0, 1)
        .u64(2n ** 63n, 0, 0)
        .build(),
    /no more bytes of text than the \d+ bytes left hold, got 9223372036854775808;/,
  ],
  [
    "a key of 70,000 bytes",
    () => make().header(0, 1).entry("k".repeat(70_000), 1).build(),
    /at most 65535 bytes, got 70000 bytes/,
  ],
  [
    "a key twice",
    () => make().header(0, 2).entry("a", 1).entry("a", 2).build(),
    /each metadata key once, got "a" twice/,
  ],
  [
    "an unknown value type",
    () => make().header(0, 1).text("a").u32(13, 0).build(),
    /a known type for "a", got type 13/,
  ],
  [
    "a list of lists",
    () => make().header(0, 1).text("a").u32(9, 9).u64(1).pad().build(),
    /"a" to be one value or an array, got an array of arrays; use a file without it/,
  ],
  [
    "a list of 2^61 numbers",
    () =>
      make()
        .header(0, 1)
        .text("a")
        .u32(9, 10)
        .u64(2n ** 61n)
        .build(),
    /no more numbers than .*, got 2305843009213693952;/,
  ],
  [
    "a list of 2^40 texts",
    () =>
      make()
        .header(0, 1)
        .text("a")
        .u32(9, 8)
        .u64(2n ** 40n)
        .build(),
    /no more texts than .*, got 1099511627776;/,
  ],
  [
    "a text of 2^62 bytes",
    () =>
      make()
        .header(0, 1)
        .text("a")
        .u32(8)
        .u64(2n ** 62n)
        .build(),
    /no more bytes of text than .*, got 4611686018427387904;/,
  ],
  ["a truth value of 2", () => make().header(0, 1).text("a").u32(7).u8(2).build(), /the truth value 0 or 1, got 2/],
  [
    "a number past 2^53",
    () =>
      make()
        .header(0, 1)
        .text("a")
        .u32(10)
        .u64(2n ** 53n)
        .build(),
    /a number within 2\^53, got/,
  ],
  ["alignment 0", () => two(128, 256, 0, 0), /general\.alignment to be a power of two, got 0/],
  ["alignment 12", () => two(128, 256, 0, 12), /general\.alignment to be a power of two, got 12/],
  [
    "an alignment that is text",
    () => make().header(0, 1).entry("general.alignment", "32").build(),
    /general\.alignment to be a power of two, got "32"/,
  ],
  [
    "a tensor name of 65 bytes",
    () => make().header(1, 0).tensor("n".repeat(65), [1], 0, 0).build(),
    /at most 64 bytes, got 65 bytes/,
  ],
  [
    "a tensor twice",
    () => make().header(2, 0).tensor("a", [32], 0, 0).tensor("a", [32], 0, 128).pad().data(new Uint8Array(256)).build(),
    /each tensor once, got "a" twice/,
  ],
  ["5 dimensions", () => one([2, 2, 2, 2, 2]), /at most 4 dimensions, got 5;/],
  [
    "2^32 - 1 dimensions",
    () =>
      make()
        .header(1, 0)
        .text("a")
        .u32(2 ** 32 - 1)
        .pad()
        .build(),
    /dimensions, got 4294967295;/,
  ],
  ["an empty dimension", () => one([32, 0]), /dimensions of at least 1, got \[0, 32\]/],
  ["a negative dimension", () => one([-1n]), /a number within 2\^53, got/],
  ["a product past 2^53", () => one([2 ** 30, 2 ** 30]), /at most 2\^53 elements, got/],
  ["a product that wraps to 0", () => one([2n ** 32n, 2n ** 32n]), /at most 2\^53 elements, got/],
  ["more bytes than the file", () => one([2 ** 40]), /at most the \d+ bytes of the file, got 4398046511104 bytes/],
  ["an unknown tensor type", () => one([32], 99), /llama\.cpp knows, got type 99/],
  ["a type that was removed", () => one([32], 4), /llama\.cpp knows, got type 4;/],
  ["rows that split a block", () => one([16], 8), /a multiple of 32, a block of Q8_0, got rows of 16/],
  [
    "an offset off the alignment",
    () => two(132, 256),
    /a beginning at byte \d+, where what is before it ends, got byte/,
  ],
  ["an overlap", () => two(96, 256), /a beginning at byte \d+, where what is before it ends, got byte/],
  ["a hole", () => two(160, 288), /a beginning at byte \d+, where what is before it ends, got byte/],
  ["an offset past 2^53", () => one([32], 0, 2n ** 60n), /a number within 2\^53, got/],
  ["too little data", () => two(128, 255), /an end within the \d+ bytes of the file, got byte/],
  [
    "another alignment than announced",
    () => two(128, 256, 0, 1024),
    /a beginning at byte \d+, where what is before it ends, got byte/,
  ],
  ["bytes after the last tensor", () => two(128, 256 + 64), /after its last tensor, got 64 bytes more/],
];

describe("parseGguf refuses", () => {
  it.each(MALFORMED)("%s", (_, build, message) => {
    const bytes = build();
    const start = process.cpuUsage();
    expect(() => parse(bytes)).toThrow(message);
    expect(process.cpuUsage(start).user / 1000).toBeLessThan(100);
    expect(() => parse(bytes)).toThrow(BigVaeError);
  });

  it("mutations and cuts of a sound file only with BigVaeError", () => {
    const sound = tinyModel(
      { "token_embd.weight": [32, 3], "output_norm.weight": [32] },
      { ...TINY_METADATA, l: ["a", "b"] },
    );
    const mutation = fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 });
    const property = fc.property(mutation, fc.option(fc.nat(sound.length)), (changes, cut) => {
      const bytes = sound.slice(0, cut ?? sound.length);
      for (const [at, byte] of changes) bytes[at % Math.max(1, bytes.length)] = byte;
      try {
        const { tensors } = parse(bytes);
        for (const { begin, end } of tensors.values()) expect(begin >= 0 && end <= bytes.length).toBe(true);
      } catch (error) {
        if (!(error instanceof BigVaeError)) throw error;
      }
    });
    fc.assert(property, { numRuns: 10_000 });
  });
});
