/**
 * The header of a GGUF file (ggml/docs/gguf.md), versions 2 and 3, little endian: metadata and the tensors' places.
 * Every length is checked against the file's size before anything is allocated. No file access here.
 */
import { BigVaeError, quote } from "../errors.js";
import { GGML_TYPES, type GgmlType } from "./ggufBlocks.js";
import { GgufCursor, type GgufValue } from "./ggufCursor.js";
import { malformed } from "./malformed.js";
import { elementCount } from "./tensors.js";

/** By key: "general.architecture", "llama.block_count". */
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export interface GgufTensor {
  readonly type: GgmlType;
  /** Outermost first: [out, in]. The file has them the other way round. */
  readonly shape: readonly number[];
  /** Bytes from the file's start. */
  readonly begin: number;
  readonly end: number;
}

/** What stands before the data. */
export interface GgufHeader {
  readonly metadata: GgufMetadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const MAGIC = 0x46554747;
const MAX_DIMENSIONS = 4;
/** Bytes; GGML_MAX_NAME. */
const MAX_TENSOR_NAME = 64;
/** Bytes; the specification's. */
const MAX_KEY = 65535;
const DEFAULT_ALIGNMENT = 32;

/**
 * Reads and checks the header. `bytes` starts at the file's start; `fileSize` is the whole file's.
 * @throws BigVaeError("format") naming `what` and the cause, BigVaeError("unsupported") for other versions and types,
 * MoreBytes where `bytes` ends before the header does.
 */
export function parseGguf(bytes: Uint8Array, fileSize: number, what = "GGUF file"): GgufHeader {
  const cursor = new GgufCursor(bytes, fileSize, what);
  checkVersion(cursor, what);
  const tensorCount = cursor.count(MIN_TENSOR_BYTES, "tensors");
  const metadataCount = cursor.count(MIN_METADATA_BYTES, "metadata entries");
  const metadata = readMetadata(cursor, metadataCount, what);
  const places = readTensorInfos(cursor, tensorCount, what);
  const alignment = alignmentOf(metadata, what);
  const dataStart = align(cursor.at, alignment);
  const tensors = new Map<string, GgufTensor>();
  for (const [name, { type, shape, offset, sizeBytes }] of places)
    tensors.set(name, { type, shape, begin: dataStart + offset, end: dataStart + offset + sizeBytes });
  checkLayout(tensors, dataStart, alignment, fileSize, what);
  return { metadata, tensors };
}

function checkVersion(cursor: GgufCursor, what: string): void {
  if (cursor.uint32() !== MAGIC)
    throw new BigVaeError("format", {
      subject: what,
      expected: 'the first bytes "GGUF"',
      got: "others",
      remedy: "name a GGUF file, or get it again",
    });
  const version = cursor.uint32();
  if (version !== 0 && (version & 0xffff) === 0)
    throw new BigVaeError("unsupported", {
      subject: what,
      expected: "little-endian numbers",
      got: "big-endian ones",
      remedy: "convert it to little endian with gguf-py",
    });
  if (version !== 2 && version !== 3)
    throw new BigVaeError("unsupported", {
      subject: what,
      expected: "GGUF version 2 or 3",
      got: version,
      remedy: "convert the model again with a current converter",
    });
}

/** Key length, type, one byte of value. */
const MIN_METADATA_BYTES = 8 + 4 + 1;
/** Name length, dimension count, type, offset. */
const MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

function readMetadata(cursor: GgufCursor, count: number, what: string): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string(MAX_KEY);
    if (metadata.has(key)) throw malformed(what, "each metadata key once", `${quote(key)} twice`);
    metadata.set(key, cursor.value(cursor.uint32(), key));
  }
  return metadata;
}

interface Place {
  readonly type: GgmlType;
  readonly shape: number[];
  readonly offset: number;
  readonly sizeBytes: number;
}

function readTensorInfos(cursor: GgufCursor, count: number, what: string): Map<string, Place> {
  const places = new Map<string, Place>();
  for (let i = 0; i < count; i++) {
    const name = cursor.string(MAX_TENSOR_NAME);
    if (places.has(name)) throw malformed(what, "each tensor once", `${quote(name)} twice`);
    places.set(name, readTensorInfo(cursor, `tensor ${quote(name)} of ${what}`));
  }
  return places;
}

function readTensorInfo(cursor: GgufCursor, what: string): Place {
  const dimensions = cursor.uint32();
  if (dimensions > MAX_DIMENSIONS) throw malformed(what, `at most ${MAX_DIMENSIONS} dimensions`, dimensions);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64()).reverse();
  if (shape.includes(0)) throw malformed(what, "dimensions of at least 1", `[${shape.join(", ")}]`);
  const typeId = cursor.uint32();
  const type = GGML_TYPES.get(typeId);
  if (!type)
    throw new BigVaeError("unsupported", {
      subject: what,
      expected: "a type of element that llama.cpp knows",
      got: `type ${typeId}`,
      remedy: "convert the model to Q8_0",
    });
  const count = elementCount(shape, what);
  const rowLength = shape.at(-1) ?? 1;
  if (rowLength % type.blockLength !== 0)
    throw malformed(what, `rows of a multiple of ${type.blockLength}, a block of ${type.name}`, `rows of ${rowLength}`);
  const sizeBytes = (count / type.blockLength) * type.blockBytes;
  if (sizeBytes > cursor.fileSize)
    throw malformed(what, `at most the ${cursor.fileSize} bytes of the file`, `${sizeBytes} bytes`);
  return { type, shape, offset: cursor.uint64(), sizeBytes };
}

function alignmentOf(metadata: GgufMetadata, what: string): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment === "number" && alignment > 0 && alignment <= 2 ** 30 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw malformed(what, "general.alignment to be a power of two", JSON.stringify(alignment));
}

function align(at: number, alignment: number): number {
  return Math.ceil(at / alignment) * alignment;
}

/** Tensors lie one after another with only padding between, as every writer puts them. */
function checkLayout(
  tensors: ReadonlyMap<string, GgufTensor>,
  dataStart: number,
  alignment: number,
  fileSize: number,
  what: string,
): void {
  let at = dataStart;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin)) {
    const tensor = `tensor ${quote(name)} of ${what}`;
    if (begin !== at)
      throw malformed(tensor, `a beginning at byte ${at}, where what is before it ends`, `byte ${begin}`);
    if (end > fileSize) throw malformed(tensor, `an end within the ${fileSize} bytes of the file`, `byte ${end}`);
    at = align(end, alignment);
  }
  if (fileSize > at)
    throw malformed(what, `an end at byte ${at}, after its last tensor`, `${fileSize - at} bytes more`);
}
