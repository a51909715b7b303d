/**
 * Weights in 4-bit NormalFloat as bitsandbytes saves them in safetensors (functional.py, QuantState.as_dict). Beside the packed bytes NAME lie NAME.absmax,
 * NAME.quant_map and NAME.quant_state.bitsandbytes__nf4, which is JSON in bytes; with double quantisation absmax is in 8 bits, and NAME.nested_absmax and
 * NAME.nested_quant_map say what these mean.
 */
import { BigVaeError, quote } from "../errors.js";
import { NF4_CODE, type PackedWeight, packedWeight, readRows } from "../weights/index.js";
import { narrowBFloat16, narrowFloat16, widenBFloat16, widenFloat16 } from "./halfFloats.js";
import { malformed } from "./malformed.js";
import { parseStrictJsonBytes, shorten } from "./strictJson.js";
import { type Dtype, elementCount, type OpenTensors } from "./tensors.js";

/** What `info` gives as the element type of such a weight. */
export const NF4 = "NF4";

const STATE = /^(.+)\.quant_state\.bitsandbytes__(.*)$/;
/** Bytes of JSON; bitsandbytes writes about 200. */
const MAX_STATE_BYTES = 65536;
/** Values per block that bitsandbytes has kernels for. */
const BLOCKS: readonly number[] = [32, 64, 128, 256, 512, 1024, 2048, 4096];

/** Dequantised values are rounded to the type that the weight had. */
const ROUNDINGS = {
  float32: (values: Float32Array) => values,
  float16: (values: Float32Array) => widenFloat16(narrowFloat16(values)),
  bfloat16: (values: Float32Array) => widenBFloat16(narrowBFloat16(values)),
} as const;

interface QuantState {
  readonly shape: readonly [out: number, width: number];
  readonly block: number;
  readonly dtype: keyof typeof ROUNDINGS;
  /** absmax of block i = code[q] nested_absmax[floor(i / block)] + offset */
  readonly nested?: { readonly block: number; readonly offset: number };
}

/**
 * The same files with each weight of bitsandbytes as one tensor: its values in fp32, or as it is packed. Only the states are read.
 * @throws BigVaeError: "format" where a state is malformed or does not fit its tensors, "mismatch" where one of these is missing, "unsupported" for FP4 and other types.
 */
export async function withNf4(source: OpenTensors, what: string): Promise<OpenTensors> {
  const states = new Map<string, QuantState>();
  for (const key of source.names) {
    const [, name, type] = STATE.exec(key) ?? [];
    if (name === undefined) continue;
    if (type !== "nf4") throw unsupported(`tensor ${quote(name)} of ${what}`, "the quantisation nf4", `${type}`);
    states.set(name, await readState(source, name, key, what));
  }
  if (states.size === 0) return source;
  const parts = new Set(Array.from(states, ([name, state]) => partNames(name, state)).flat());
  const refuseStored = (name: string) => {
    if (states.has(name))
      throw unsupported(`tensor ${quote(name)} of ${what}`, "a type of safetensors to read as stored", NF4);
  };
  const readFloat32 = (name: string) => {
    const state = states.get(name);
    return state ? readValues(source, name, state, 0, state.shape[0]) : source.readFloat32(name);
  };
  return {
    names: source.names.filter((name) => !parts.has(name)),
    metadata: source.metadata,
    info: (name) => {
      const state = states.get(name);
      return state ? { dtype: NF4, shape: state.shape } : source.info(name);
    },
    async readRaw(name) {
      refuseStored(name);
      return source.readRaw(name);
    },
    async readElements(name, ...range) {
      refuseStored(name);
      return source.readElements(name, ...range);
    },
    readFloat32,
    async readRows(name, begin, end) {
      const state = states.get(name);
      return state ? readValues(source, name, state, begin, end) : source.readRows(name, begin, end);
    },
    packedFormat(name) {
      const state = states.get(name);
      return state && { kind: "nf4", block: state.block };
    },
    async readPacked(name) {
      const state = states.get(name)!;
      return readBlocks(source, name, state, 0, blockCount(state), state.shape);
    },
    close: () => source.close(),
  };
}

/**
 * Checks that a base whose config.json says that bitsandbytes made it holds such weights.
 * @throws BigVaeError("mismatch") where it holds none.
 */
export function checkQuantized(config: object, source: Pick<OpenTensors, "names" | "info">, what: string): void {
  const said = (config as { quantization_config?: unknown }).quantization_config ?? undefined;
  if (said === undefined || source.names.some((name) => source.info(name).dtype === NF4)) return;
  throw new BigVaeError("mismatch", {
    subject: what,
    expected: "weights in nf4, as quantization_config of config.json says",
    got: "none",
    remedy: "check that the weights and config.json are of one model",
  });
}

function partNames(name: string, { nested }: QuantState): string[] {
  const beside = ["absmax", "quant_map", "quant_state.bitsandbytes__nf4"];
  return [...beside, ...(nested ? ["nested_absmax", "nested_quant_map"] : [])].map((part) => `${name}.${part}`);
}

function blockCount({ shape: [out, width], block }: QuantState): number {
  return Math.ceil((out * width) / block);
}

async function readState(source: OpenTensors, name: string, key: string, what: string): Promise<QuantState> {
  const bytes = source.info(key).shape.reduce((product, size) => product * size, 1);
  if (bytes > MAX_STATE_BYTES)
    throw malformed(`tensor ${quote(key)} of ${what}`, `at most ${MAX_STATE_BYTES} bytes`, bytes);
  checkPart(source, key, "U8", bytes, what);
  const { data } = await source.readRaw(key);
  const state = parseState(data as Uint8Array, `tensor ${quote(key)} of ${what}`);
  const count = elementCount(state.shape, `tensor ${quote(key)} of ${what}`);
  checkPart(source, name, "U8", Math.ceil(count / 2), what);
  checkPart(source, `${name}.absmax`, state.nested ? "U8" : "F32", blockCount(state), what);
  checkPart(source, `${name}.quant_map`, "F32", NF4_CODE.length, what);
  if (state.nested) {
    const blocks = Math.ceil(blockCount(state) / state.nested.block);
    checkPart(source, `${name}.nested_absmax`, "F32", blocks, what);
    checkPart(source, `${name}.nested_quant_map`, "F32", 256, what);
  }
  const code = await source.readFloat32(`${name}.quant_map`);
  // bitsandbytes multiplies by the values of its own, whatever the file says.
  if (!code.every((value, i) => Math.abs(value - NF4_CODE[i]!) <= 1e-6))
    throw unsupported(`tensor ${quote(`${name}.quant_map`)} of ${what}`, "the 16 values of NormalFloat", "others");
  return state;
}

/** The fields that bitsandbytes writes, each of its type; no others. */
function parseState(bytes: Uint8Array, what: string): QuantState {
  const json = parseStrictJsonBytes(bytes, what, 4);
  if (!(json instanceof Map)) throw malformed(what, "a JSON object", "something else");
  const take = <Value>(name: string, expected: string, holds: (value: unknown) => value is Value): Value => {
    const value: unknown = json.get(name);
    if (!holds(value)) throw malformed(what, `${name} to be ${expected}`, shorten(JSON.stringify(value) ?? "none"));
    json.delete(name);
    return value;
  };
  const isBlock = (value: unknown): value is number => BLOCKS.includes(value as number);
  const isShape = (value: unknown): value is [number, number] =>
    Array.isArray(value) && value.length === 2 && value.every((size) => Number.isSafeInteger(size) && size > 0);
  const isDtype = (value: unknown): value is keyof typeof ROUNDINGS => Object.hasOwn(ROUNDINGS, `${value}`);
  take("quant_type", '"nf4"', (value): value is string => value === "nf4");
  const block = take("blocksize", `one of ${BLOCKS.join(", ")}`, isBlock);
  const shape = take("shape", "two whole numbers above 0", isShape);
  const dtype = take("dtype", Object.keys(ROUNDINGS).join(" or "), isDtype);
  const isNested = json.has("nested_blocksize");
  const nested = isNested && {
    block: take("nested_blocksize", `one of ${BLOCKS.join(", ")}`, isBlock),
    offset: take("nested_offset", "a finite number", (value): value is number => Number.isFinite(value)),
  };
  if (isNested) take("nested_dtype", '"float32"', (value): value is string => value === "float32");
  const [other] = json.keys();
  if (other !== undefined) throw unsupported(what, `${shorten(other)} to be left out`, "a value");
  return { shape, block, dtype, ...(nested ? { nested } : {}) };
}

function checkPart(source: OpenTensors, name: string, dtype: Dtype, count: number, what: string): void {
  const found = source.info(name);
  if (found.dtype === dtype && elementCount(found.shape, quote(name)) === count) return;
  const got = `${found.dtype} of shape [${shorten(found.shape.join(", "))}]`;
  throw malformed(`tensor ${quote(name)} of ${what}`, `${count} elements of ${dtype}`, got);
}

/** Rows begin..end-1 in fp32. */
async function readValues(
  source: OpenTensors,
  name: string,
  state: QuantState,
  begin: number,
  end: number,
): Promise<Float32Array> {
  const { block, dtype, shape } = state;
  const [from, to] = [begin * shape[1], end * shape[1]];
  const first = Math.floor(from / block);
  const packed = await readBlocks(source, name, state, first, Math.ceil(to / block));
  const values = readRows(packed, 0, 1).subarray(from - first * block, to - first * block);
  return ROUNDINGS[dtype](values);
}

/** Blocks first..last-1 of the flattened weight, in a single row unless a shape is given. */
async function readBlocks(
  source: OpenTensors,
  name: string,
  state: QuantState,
  first: number,
  last: number,
  shape?: readonly [number, number],
): Promise<PackedWeight> {
  const { block } = state;
  const [from, to] = [first * block, Math.min(last * block, state.shape[0] * state.shape[1])];
  const values = (await source.readElements(name, from / 2, Math.ceil(to / 2))) as Uint8Array;
  const scales = await readScales(source, name, state, first, last);
  return packedWeight({ kind: "nf4", block }, shape ?? [1, to - from], { values, scales });
}

/** absmax of the blocks first..last-1. Each product and sum is rounded to fp32, as in bitsandbytes. */
async function readScales(
  source: OpenTensors,
  name: string,
  { nested }: QuantState,
  first: number,
  last: number,
): Promise<Float32Array> {
  const stored = await source.readElements(`${name}.absmax`, first, last);
  if (!nested) return stored as Float32Array;
  const absmax = await source.readFloat32(`${name}.nested_absmax`);
  const code = await source.readFloat32(`${name}.nested_quant_map`);
  const offset = Math.fround(nested.offset);
  return Float32Array.from(stored as Uint8Array, (q, i) => {
    const scale = absmax[Math.floor((first + i) / nested.block)]!;
    return Math.fround(code[q]! * scale) + offset;
  });
}

function unsupported(subject: string, expected: string, got: string): BigVaeError {
  return new BigVaeError("unsupported", {
    subject,
    expected,
    got: shorten(got),
    remedy: "use the model in nf4, or the dense one that it was made of",
  });
}
