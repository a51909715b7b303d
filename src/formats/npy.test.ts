import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseNpy, serializeNpy } from "./npy.js";

const joined = (chunks: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(chunks));
const table = { shape: [2, 3], data: Float32Array.of(1, -2.5, 3, 0, 0.125, 65504) };
/** As NumPy 2 writes numpy.array([1.5, -2], dtype=TYPE). */
const written = (header: string, data: ArrayBuffer) =>
  joined([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0),
    new TextEncoder().encode(`${header.padEnd(117)}\n`),
    new Uint8Array(data),
  ]);
const header = (type: string, shape = "(2,)", order = "False") =>
  `{'descr': '${type}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

describe("an array", () => {
  it.each([[[6]], [[2, 3]], [[1, 2, 3]]])("of shape %j comes back as it was", (shape) => {
    expect(parseNpy(joined(serializeNpy({ ...table, shape })))).toEqual({ ...table, shape });
  });

  it("has its data at a multiple of 64 bytes", () => {
    for (const rows of [1, 10, 1_000_000]) expect(serializeNpy({ ...table, shape: [rows, 3] })[0]!.length % 64).toBe(0);
  });

  it.each([
    ["<f2", Uint16Array.of(0x3e00, 0xc000).buffer],
    ["<f4", Float32Array.of(1.5, -2).buffer],
    ["<f8", Float64Array.of(1.5, -2).buffer],
  ])("of %s becomes fp32", (type, data) => {
    expect(parseNpy(written(header(type), data))).toEqual({ shape: [2], data: Float32Array.of(1.5, -2) });
  });

  it.each([
    ["no .npy at all", "format", new TextEncoder().encode("[1, 2]")],
    ["a cut header", "format", written(header("<f4"), new ArrayBuffer(8)).subarray(0, 60)],
    ["a value too few", "format", written(header("<f4"), new ArrayBuffer(4))],
    ["a shape of 10^12 rows", "format", written(header("<f4", "(1000000000000, 3)"), new ArrayBuffer(24))],
    [
      "a shape without end",
      "format",
      written(`{'descr': '<f4', 'fortran_order': False, 'shape': (${"1".repeat(40)}x`, new ArrayBuffer(8)),
    ],
    ["code in its header", "format", written("{'descr': __import__('os')}", new ArrayBuffer(8))],
    [
      "records",
      "unsupported",
      written("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }\n", new ArrayBuffer(8)),
    ],
    ["integers", "unsupported", written(header("<i4"), new ArrayBuffer(8))],
    ["big-endian floats", "unsupported", written(header(">f4"), new ArrayBuffer(8))],
    ["Fortran order", "unsupported", written(header("<f4", "(2,)", "True"), new ArrayBuffer(8))],
  ])("is refused for %s", (_, kind, bytes) => {
    expect(() => parseNpy(bytes, "z.npy")).toThrow(
      expect.objectContaining({ kind, message: expect.stringMatching(/^z\.npy: expected /) }),
    );
  });
});

const hasNumpy = (() => {
  try {
    execFileSync("python3", ["-c", "import numpy"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasNumpy)("NumPy", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bigvae-npy-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const python = (code: string) => execFileSync("python3", ["-c", code], { cwd: folder, encoding: "utf8" });

  it("reads what is written here", async () => {
    await writeFile(join(folder, "ours.npy"), joined(serializeNpy(table)));
    const printed = python("import numpy; a = numpy.load('ours.npy'); print(a.dtype, a.shape, a.ravel().tolist())");
    expect(printed.trim()).toBe("float32 (2, 3) [1.0, -2.5, 3.0, 0.0, 0.125, 65504.0]");
  });

  it.each(["float16", "float32", "float64"])("writes %s that is read here", async (type) => {
    python(`import numpy; numpy.save('theirs.npy', numpy.arange(6, dtype='${type}').reshape(2, 3))`);
    const { shape, data } = parseNpy(await readFile(join(folder, "theirs.npy")));
    expect([shape, Array.from(data)]).toEqual([
      [2, 3],
      [0, 1, 2, 3, 4, 5],
    ]);
  });
});
