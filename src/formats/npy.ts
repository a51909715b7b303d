/** NumPy's .npy: one array of floats, in C order. https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { BigVaeError } from "../errors.js";
import { bytesPerElement, toFloat32, viewBytes, viewElements } from "./tensors.js";

/** An array of floats with its shape, the last dimension fastest. */
export interface NpyArray {
  /** Outermost first. */
  shape: readonly number[];
  /** Row by row. */
  data: Float32Array;
}

const MAGIC = [0x93, ...new TextEncoder().encode("NUMPY")];
/** The data begin at a multiple of it. */
const ALIGNMENT = 64;
const HEADER =
  /^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(((?:\d+,\s*)*\d*)\)\s*,?\s*\}\s*$/;
/** The descriptor of an array of records is a list. */
const STRUCTURED = /^\{\s*'descr':\s*\[\(/;

/** Floats by their descriptor. */
const FLOATS: Readonly<Record<string, "F16" | "F32" | "F64">> = { "<f2": "F16", "<f4": "F32", "<f8": "F64" };

/**
 * Reads an array; its size is checked against the bytes before anything is allocated.
 * @throws BigVaeError("format") for a damaged file, "unsupported" for other than little-endian floats in C order.
 */
export function parseNpy(bytes: Uint8Array, what = "The .npy file"): NpyArray {
  const fail = (expected: string, got: string): never => {
    throw new BigVaeError("format", {
      subject: what,
      expected,
      got,
      remedy: "save it again with numpy.save",
    });
  };
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) return fail("a .npy file", "other bytes at its beginning");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLong = bytes[6]! >= 2;
  const start = isLong ? 12 : 10;
  if (bytes.length < start) return fail("a header", `${bytes.length} bytes`);
  const end = start + (isLong ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) return fail(`a header of ${end} bytes`, `a file of ${bytes.length}`);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, end));
  const unsupported = (got: string): never => {
    throw new BigVaeError("unsupported", {
      subject: what,
      expected: "little-endian floats in C order",
      got,
      remedy: 'save numpy.ascontiguousarray(array, dtype="float32")',
    });
  };
  if (STRUCTURED.test(header)) unsupported("records of several fields");
  const [, type = "", order, dimensions = ""] = HEADER.exec(header) ?? fail("a header of one array", header.trim());
  const dtype = FLOATS[type] ?? unsupported(type);
  if (order === "True") unsupported(`${type} in Fortran order`);
  const shape = Array.from(dimensions.matchAll(/\d+/g), ([digits]) => Number(digits));
  const size = shape.reduce((product, dimension) => product * dimension, bytesPerElement(dtype));
  if (size !== bytes.length - end) return fail(`${size} bytes of values`, `${bytes.length - end}`);
  const data = viewElements(bytes.subarray(end), dtype);
  return {
    shape,
    data: dtype === "F64" ? Float32Array.from(data as Float64Array) : toFloat32({ dtype, shape, data }, what),
  };
}

/** The bytes of a .npy file of version 1.0. */
export function serializeNpy({ shape, data }: NpyArray): Uint8Array[] {
  const dimensions = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${dimensions}), }`;
  const unpadded = MAGIC.length + 4 + header.length + 1;
  const text = `${header}${" ".repeat((ALIGNMENT - (unpadded % ALIGNMENT)) % ALIGNMENT)}\n`;
  const start = new Uint8Array([
    ...MAGIC,
    1,
    0,
    text.length & 0xff,
    text.length >> 8,
    ...new TextEncoder().encode(text),
  ]);
  return [start, viewBytes(data)];
}
