/**
 * The safetensors format (github.com/huggingface/safetensors): eight bytes of header length, a JSON header, the data.
 * Everything is checked against the file's size before anything is allocated. No file access here: this runs in a browser.
 */
import { BigVaeError, quote } from "../errors.js";
import { malformed, missingTensor } from "./malformed.js";
import { parseStrictJsonBytes, type StrictJson, shorten } from "./strictJson.js";
import {
  bytesPerElement,
  type Dtype,
  elementCount,
  isDtype,
  type StoredTensor,
  type TensorInfo,
  type TensorSource,
  toFloat32,
  viewBytes,
  viewElements,
} from "./tensors.js";

/** Bytes; upstream's MAX_HEADER_SIZE. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = "__metadata__";

/** One tensor's place: its bytes are [begin, end) counted from the file's start. */
export interface SafetensorsEntry extends TensorInfo {
  /** One of those that can be read; others are refused with "unsupported". */
  readonly dtype: Dtype;
  /** First byte. */
  readonly begin: number;
  /** The byte after the last. */
  readonly end: number;
}

/** What stands before the data. */
export interface SafetensorsHeader {
  /** By name, in the header's order. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
  /** `__metadata__`; empty where the file has none. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Where the data begins, from the file's first eight bytes.
 * @throws BigVaeError("format") where the header would pass 100 MB or the end of the file.
 */
export function safetensorsDataStart(firstBytes: Uint8Array, fileSize: number, what = "safetensors file"): number {
  if (fileSize < 8 || firstBytes.length < 8)
    throw malformed(what, "at least the 8 bytes of a header", `${fileSize} bytes`);
  const length = new DataView(firstBytes.buffer, firstBytes.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES))
    throw malformed(what, `a header of at most ${MAX_HEADER_BYTES} bytes`, `one of ${length} bytes`);
  if (8 + Number(length) > fileSize)
    throw malformed(what, `a header within the ${fileSize} bytes of the file`, `one of ${length} bytes`);
  return 8 + Number(length);
}

/**
 * Reads and checks the header. `bytes` starts at the file's start and holds at least the header; `fileSize` is the whole
 * file's. Tensors must fill the data without hole or overlap, in any order.
 * @throws BigVaeError("format") naming `what` and the cause.
 */
export function parseSafetensorsHeader(
  bytes: Uint8Array,
  fileSize: number,
  what = "safetensors file",
): SafetensorsHeader {
  const dataStart = safetensorsDataStart(bytes, fileSize, what);
  if (bytes.length < dataStart)
    throw new BigVaeError("internal", {
      subject: what,
      expected: `the ${dataStart} bytes of the header`,
      got: `${bytes.length} bytes`,
      remedy: "hand in all of them",
    });
  const json = parseStrictJsonBytes(bytes.subarray(8, dataStart), `header of ${what}`, 4);
  if (!(json instanceof Map)) throw malformed(`header of ${what}`, "a JSON object", "something else");
  const tensors = new Map<string, SafetensorsEntry>();
  let metadata: ReadonlyMap<string, string> = new Map();
  for (const [name, value] of json) {
    if (name === METADATA_KEY) metadata = parseMetadata(value, what);
    else tensors.set(name, parseEntry(value, dataStart, `tensor ${quote(name)} of ${what}`));
  }
  checkLayout(tensors, dataStart, fileSize, what);
  return { tensors, metadata };
}

function parseMetadata(value: StrictJson, what: string): Map<string, string> {
  if (!(value instanceof Map) || [...value.values()].some((item) => typeof item !== "string"))
    throw malformed(`${METADATA_KEY} of ${what}`, "an object of strings", "something else");
  return value as Map<string, string>;
}

function parseEntry(value: StrictJson, dataStart: number, what: string): SafetensorsEntry {
  const fields = value instanceof Map ? value : new Map<string, StrictJson>();
  const dtype = fields.get("dtype");
  const shape = fields.get("shape");
  const offsets = fields.get("data_offsets");
  if (fields.size !== 3 || !Array.isArray(shape) || !Array.isArray(offsets) || offsets.length !== 2)
    throw malformed(what, "exactly dtype, shape and two data_offsets", "something else");
  if (!isDtype(dtype))
    throw new BigVaeError("unsupported", {
      subject: what,
      expected: `a dtype of ${Object.keys(DTYPE_RANK).join(", ")}`,
      got: shorten(String(dtype)),
      remedy: "convert it to F32, F16 or BF16",
    });
  const sizeBytes = elementCount(shape, what) * bytesPerElement(dtype);
  const [begin, end] = offsets as [unknown, unknown];
  if (!isOffset(begin) || !isOffset(end) || end < begin)
    throw malformed(what, "data_offsets that are a range of bytes", `[${shorten(`${begin}, ${end}`)}]`);
  if (end - begin !== sizeBytes)
    throw malformed(
      what,
      `${sizeBytes} bytes for ${dtype} of shape [${shorten(shape.join(", "))}]`,
      `${end - begin} bytes`,
    );
  return { dtype, shape: shape as number[], begin: dataStart + begin, end: dataStart + end };
}

function isOffset(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function checkLayout(
  tensors: ReadonlyMap<string, SafetensorsEntry>,
  dataStart: number,
  fileSize: number,
  what: string,
): void {
  let at = dataStart;
  for (const [name, { begin, end }] of [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      throw malformed(
        `tensor ${quote(name)} of ${what}`,
        `a beginning at byte ${at}, where what is before it ends`,
        `byte ${begin}, ${begin < at ? "an overlap" : "after a hole"}`,
      );
    at = end;
  }
  if (at !== fileSize) throw malformed(what, `an end at byte ${at}, after its last tensor`, `${fileSize} bytes`);
}

/**
 * The file as the header's bytes and each tensor's, in order. As upstream: tensors by width, widest first, then by name,
 * and the header padded with spaces to a multiple of 8, so that every tensor is aligned. The same input gives the same bytes.
 */
export function safetensorsChunks(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array[] {
  const order = Object.keys(DTYPE_RANK);
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      order.indexOf(a.dtype) - order.indexOf(b.dtype) || (nameA < nameB ? -1 : Number(nameA > nameB)),
  );
  const fields: string[] = [];
  if (metadata && Object.keys(metadata).length > 0) {
    const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
    fields.push(`"${METADATA_KEY}":{${pairs.map((pair) => pair.map((s) => JSON.stringify(s)).join(":")).join(",")}}`);
  }
  let at = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (name === METADATA_KEY) throw unwritable(name, "a name that the format leaves free", "its own");
    if (elementCount(shape, `tensor ${name}`) !== data.length)
      throw unwritable(name, `as many elements as the shape [${shape.join(", ")}] holds`, data.length);
    const offsets = [at, (at += data.byteLength)];
    fields.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return [header, ...sorted.map(([, { data }]) => viewBytes(data))];
}

function unwritable(name: string, expected: string, got: string | number): BigVaeError {
  return new BigVaeError("internal", { subject: `tensor ${name}`, expected, got, remedy: "correct what is written" });
}

/** Upstream's order of dtypes, which puts wider ones first. */
const DTYPE_RANK = {
  I64: 0,
  F64: 1,
  F32: 2,
  I32: 3,
  BF16: 4,
  F16: 5,
  I16: 6,
  I8: 7,
  U8: 8,
  BOOL: 9,
} satisfies Record<Dtype, number>;

/** The whole file in one array; see `safetensorsChunks`. */
export function serializeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const chunks = safetensorsChunks(tensors, metadata);
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** A source of tensors over any way of reading a range of the file. */
export function safetensorsSource(
  header: SafetensorsHeader,
  readBytes: (begin: number, end: number) => Promise<Uint8Array>,
  what = "safetensors file",
): TensorSource & {
  /** The header's `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
} {
  const entry = (name: string) => {
    const found = header.tensors.get(name);
    if (!found) throw missingTensor(what, name);
    return found;
  };
  const readRaw = async (name: string): Promise<StoredTensor> => {
    const { dtype, shape, begin, end } = entry(name);
    return { dtype, shape, data: viewElements(await readBytes(begin, end), dtype) };
  };
  return {
    names: [...header.tensors.keys()],
    metadata: header.metadata,
    info: (name) => entry(name),
    readRaw,
    readFloat32: async (name) => toFloat32(await readRaw(name), `tensor ${quote(name)} of ${what}`),
  };
}

/** The tensors of a whole file in memory; F32 data are views of `bytes` where aligned. */
export function parseSafetensors(bytes: Uint8Array, what = "safetensors file") {
  const header = parseSafetensorsHeader(bytes, bytes.length, what);
  return safetensorsSource(header, async (begin, end) => bytes.subarray(begin, end), what);
}
