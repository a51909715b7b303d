/**
 * The header of a GGUF file (ggml/docs/gguf.md), versions 2 and 3, little endian: metadata and the tensors' places.
 * Every length is checked against the file's size before anything is allocated. No file access here.
 */
import { BigVaeError } from "../errors.js";
import { GGML_TYPES, type GgmlType } from "./ggufBlocks.js";
import { GgufCursor, type GgufValue } from "./ggufCursor.js";
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
export function parseGguf(bytes: Uint8Array, fileSize: number, what = "The GGUF file"): GgufHeader {
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
    throw new BigVaeError("format", `${what} does not begin with "GGUF"; is it the right file?`);
  const version = cursor.uint32();
  if (version !== 0 && (version & 0xffff) === 0)
    throw new BigVaeError("unsupported", `${what} is big endian; convert it to little endian with gguf-py.`);
  if (version !== 2 && version !== 3)
    throw new BigVaeError(
      "unsupported",
      `${what} has GGUF version ${version}; expected 2 or 3: convert the model anew.`,
    );
}

/** Key length, type, one byte of value. */
const MIN_METADATA_BYTES = 8 + 4 + 1;
/** Name length, dimension count, type, offset. */
const MIN_TENSOR_BYTES = 8 + 4 + 4 + 8;

function readMetadata(cursor: GgufCursor, count: number, what: string): Map<string, GgufValue> {
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < count; i++) {
    const key = cursor.string(MAX_KEY);
    if (metadata.has(key))
      throw new BigVaeError("format", `${what} holds the metadata key ${JSON.stringify(key)} twice.`);
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
    if (places.has(name)) throw new BigVaeError("format", `${what} holds the tensor ${JSON.stringify(name)} twice.`);
    places.set(name, readTensorInfo(cursor, `Tensor ${JSON.stringify(name)} of ${what}`));
  }
  return places;
}

function readTensorInfo(cursor: GgufCursor, what: string): Place {
  const dimensions = cursor.uint32();
  if (dimensions > MAX_DIMENSIONS)
    throw new BigVaeError("format", `${what} has ${dimensions} dimensions, more than ${MAX_DIMENSIONS}.`);
  const shape = Array.from({ length: dimensions }, () => cursor.uint64()).reverse();
  if (shape.includes(0))
    throw new BigVaeError("format", `${what} has the shape [${shape.join(", ")}], which is empty.`);
  const typeId = cursor.uint32();
  const type = GGML_TYPES.get(typeId);
  if (!type) throw new BigVaeError("unsupported", `${what} has the unknown type ${typeId}; convert the model to Q8_0.`);
  const count = elementCount(shape, what);
  const rowLength = shape.at(-1) ?? 1;
  if (rowLength % type.blockLength !== 0)
    throw new BigVaeError(
      "format",
      `${what} has rows of ${rowLength}, no multiple of ${type.name}'s ${type.blockLength}.`,
    );
  const sizeBytes = (count / type.blockLength) * type.blockBytes;
  if (sizeBytes > cursor.fileSize)
    throw new BigVaeError("format", `${what} would take ${sizeBytes} bytes, but the file has ${cursor.fileSize}.`);
  return { type, shape, offset: cursor.uint64(), sizeBytes };
}

function alignmentOf(metadata: GgufMetadata, what: string): number {
  const alignment = metadata.get("general.alignment") ?? DEFAULT_ALIGNMENT;
  if (typeof alignment === "number" && alignment > 0 && alignment <= 2 ** 30 && Number.isInteger(Math.log2(alignment)))
    return alignment;
  throw new BigVaeError("format", `${what} has the alignment ${String(alignment)}; expected a power of two.`);
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
    if (begin !== at)
      throw new BigVaeError(
        "format",
        `Tensor ${JSON.stringify(name)} of ${what} begins at byte ${begin}, but ${at} is where the one before it ends.`,
      );
    if (end > fileSize)
      throw new BigVaeError(
        "format",
        `Tensor ${JSON.stringify(name)} of ${what} ends at byte ${end}, past the file's ${fileSize}; get the file again.`,
      );
    at = align(end, alignment);
  }
  if (fileSize > at)
    throw new BigVaeError("format", `${what} goes on for ${fileSize - at} bytes after its last tensor; get it again.`);
}
