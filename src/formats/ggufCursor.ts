/** Reads GGUF's little-endian values one after another, each checked against the bytes left in the file. */
import { BigVaeError, quote } from "../errors.js";
import { malformed } from "./malformed.js";

/** A value of the metadata; numbers of 64 bits are within 2^53. */
export type GgufValue = number | boolean | string | readonly string[] | readonly boolean[] | GgufNumbers;
/** Arrays of 64-bit integers come as doubles, all within 2^53. */
type GgufNumbers =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Thrown where the bytes in memory end, but not the file: read at least `needed` bytes and parse again. */
export class MoreBytes extends Error {
  override readonly name = "MoreBytes";
  constructor(readonly needed: number) {
    super(`The header goes on to byte ${needed}.`);
  }
}

const STRING = 8;
const ARRAY = 9;
const BOOL = 7;

/** By the type's number: bytes and reader. */
const NUMBERS: ReadonlyMap<number, readonly [number, (view: DataView, at: number) => number | bigint]> = new Map([
  [0, [1, (view, at) => view.getUint8(at)]],
  [1, [1, (view, at) => view.getInt8(at)]],
  [2, [2, (view, at) => view.getUint16(at, true)]],
  [3, [2, (view, at) => view.getInt16(at, true)]],
  [4, [4, (view, at) => view.getUint32(at, true)]],
  [5, [4, (view, at) => view.getInt32(at, true)]],
  [6, [4, (view, at) => view.getFloat32(at, true)]],
  [10, [8, (view, at) => view.getBigUint64(at, true)]],
  [11, [8, (view, at) => view.getBigInt64(at, true)]],
  [12, [8, (view, at) => view.getFloat64(at, true)]],
]);

/** Arrays by the element type's number; 64-bit integers become doubles. */
const ARRAYS: ReadonlyMap<number, new (length: number) => GgufNumbers> = new Map<
  number,
  new (
    length: number,
  ) => GgufNumbers
>([
  [0, Uint8Array],
  [1, Int8Array],
  [2, Uint16Array],
  [3, Int16Array],
  [4, Uint32Array],
  [5, Int32Array],
  [6, Float32Array],
  [10, Float64Array],
  [11, Float64Array],
  [12, Float64Array],
]);

export class GgufCursor {
  at = 0;
  readonly #view: DataView;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(
    readonly bytes: Uint8Array,
    readonly fileSize: number,
    readonly what: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** @throws BigVaeError("format") beyond 2^53. */
  uint64(): number {
    return this.#safe(this.#view.getBigUint64(this.#take(8), true));
  }

  /** A number of things of at least `minBytes` each. */
  count(minBytes: number, things: string): number {
    const count = this.#view.getBigUint64(this.#take(8), true);
    const left = this.fileSize - this.at;
    if (count * BigInt(minBytes) > BigInt(left))
      this.#fail(`no more ${things} than the ${left} bytes left hold`, `${count}`);
    return Number(count);
  }

  string(maxBytes = Number.POSITIVE_INFINITY): string {
    const length = this.count(1, "bytes of text");
    if (length > maxBytes) this.#fail(`a name of at most ${maxBytes} bytes`, `${length} bytes`);
    const begin = this.#take(length);
    return this.#utf8.decode(this.bytes.subarray(begin, begin + length));
  }

  /** A metadata value of the type numbered `type`. */
  value(type: number, key: string): GgufValue {
    if (type === STRING) return this.string();
    if (type === BOOL) return this.#boolean();
    if (type === ARRAY) return this.#array(key);
    const [width, read] = NUMBERS.get(type) ?? this.#fail(`a known type for ${quote(key)}`, `type ${type}`);
    return this.#safe(read(this.#view, this.#take(width)));
  }

  #array(key: string): GgufValue {
    const type = this.uint32();
    if (type === STRING) return this.#list(this.count(8, "texts"), () => this.string());
    if (type === BOOL) return this.#list(this.count(1, "truth values"), () => this.#boolean());
    if (type === ARRAY)
      throw new BigVaeError("unsupported", {
        subject: this.what,
        expected: `${quote(key)} to be one value or an array`,
        got: "an array of arrays",
        remedy: "use a file without it",
      });
    const [width, read] = NUMBERS.get(type) ?? this.#fail(`a known type of array for ${quote(key)}`, `type ${type}`);
    const count = this.count(width, "numbers");
    const begin = this.#take(count * width);
    const values = new (ARRAYS.get(type)!)(count);
    for (let i = 0; i < count; i++) values[i] = this.#safe(read(this.#view, begin + i * width));
    return values;
  }

  /** Grows as it is read: room for `count` items would be taken before the first of them is known to be there. */
  #list<T>(count: number, read: () => T): T[] {
    const list: T[] = [];
    while (list.length < count) list.push(read());
    return list;
  }

  #boolean(): boolean {
    const byte = this.bytes[this.#take(1)]!;
    if (byte > 1) this.#fail("the truth value 0 or 1", byte);
    return byte === 1;
  }

  #safe(value: number | bigint): number {
    if (typeof value === "bigint" && (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER))
      this.#fail("a number within 2^53", `${value}`);
    return Number(value);
  }

  /** Steps over `length` bytes and returns where they begin. */
  #take(length: number): number {
    const end = this.at + length;
    if (end > this.fileSize)
      this.#fail(`${length} more bytes of the header`, `the end of the file at ${this.fileSize}`);
    if (end > this.bytes.length) throw new MoreBytes(end);
    const begin = this.at;
    this.at = end;
    return begin;
  }

  #fail(expected: string, got: string | number): never {
    throw malformed(`${this.what}, byte ${this.at}`, expected, got);
  }
}
