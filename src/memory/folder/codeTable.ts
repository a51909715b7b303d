/**
 * Vectors by the signs of their turned values, a bit each, and what is nearest among them: all codes are compared by the bits that differ, the best
 * of them by the query's own values against the signs (RaBitQ, Gao and Long 2024). Exact enough to choose what is compared by fp32 then.
 */
import { BigVaeError } from "../../errors.js";
import { Best } from "./best.js";
import { countDifferences } from "./hamming.js";
import { type Rotation, TURNED } from "./rotation.js";

/** A query: how near a vector v is to it is `pull <query, v> - push |v|^2`. */
export interface CodeQuery {
  vector: Float32Array;
  pull: number;
  push: number;
}

const CODE_BYTES = TURNED / 8;

/** Bytes of a vector: its id, its length, its gain and its code. */
export const ROW_BYTES = 8 + 4 + 4 + CODE_BYTES;

const PAGE = 65_536;
/** What WebAssembly can address: 33 million codes. */
const MOST_PAGES = 65_536;

/** Where codes begin; before them lie the query's code and the differences of a block. */
const CODES = PAGE;
const DIFFERENCES = 1024;
const BLOCK = 4096;

/** Looked at a second time, for each that is asked for and at the least. */
const SECOND_LOOK = 8;
const LEAST_SECOND_LOOK = 2048;

/** The cosine that two vectors have on average whose codes differ in so many bits. */
const COSINES = Float32Array.from({ length: TURNED + 1 }, (_, bits) => Math.cos((Math.PI * bits) / TURNED));

/** Rows in ascending order of their ids. */
export class CodeTable {
  count = 0;
  #ids = new Float64Array(BLOCK);
  #lengths = new Float32Array(BLOCK);
  /** What the product of a query with the signs is multiplied by to be that with the vector. */
  #gains = new Float32Array(BLOCK);
  readonly #memory = new WebAssembly.Memory({ initial: CODES / PAGE, maximum: MOST_PAGES });
  readonly #countDifferences = countDifferences(this.#memory, CODE_BYTES);

  constructor(readonly rotation: Rotation) {}

  /** Adds a vector. */
  add(id: number, vector: Float32Array): void {
    this.#reserve(this.count + 1);
    const row = this.count++;
    const turned = this.rotation.turn(vector);
    let [squares, sizes] = [0, 0];
    for (const value of turned) {
      squares += value * value;
      sizes += Math.abs(value);
    }
    this.#ids[row] = id;
    this.#lengths[row] = Math.sqrt(squares);
    this.#gains[row] = sizes === 0 ? 0 : squares / sizes;
    writeCode(turned, new Uint8Array(this.#memory.buffer, CODES + row * CODE_BYTES, CODE_BYTES));
  }

  /** Ids of about the `count` nearest, the nearest first. */
  search(query: CodeQuery, count: number): number[] {
    if (this.count === 0) return [];
    const turned = this.rotation.turn(query.vector);
    const rows = this.#likely(turned, query, Math.min(this.count, Math.max(LEAST_SECOND_LOOK, SECOND_LOOK * count)));
    const sums = signSums(turned);
    const codes = new Uint8Array(this.#memory.buffer, CODES, this.count * CODE_BYTES);
    const nearest = new Best(Math.min(this.count, count));
    for (const row of rows) {
      const product = this.#gains[row]! * signed(sums, codes, row * CODE_BYTES);
      nearest.add(row, query.pull * product - query.push * this.#lengths[row]! ** 2);
    }
    return nearest.ranked().map((row) => this.#ids[row]!);
  }

  has(id: number): boolean {
    let [from, to] = [0, this.count];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#ids[middle]! < id) from = middle + 1;
      else to = middle;
    }
    return from < this.count && this.#ids[from] === id;
  }

  /** Rows as bytes for a file: ids, lengths, gains and codes of all of them. */
  bytesOf(from: number, count: number): Uint8Array[] {
    const codes = new Uint8Array(this.#memory.buffer, CODES + from * CODE_BYTES, count * CODE_BYTES);
    const columns = [this.#ids, this.#lengths, this.#gains].map((column) => column.subarray(from, from + count));
    return [
      ...columns.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength)),
      codes,
    ];
  }

  /** Adds rows from such bytes. */
  addBytes(bytes: Uint8Array): void {
    const count = bytes.length / ROW_BYTES;
    this.#reserve(this.count + count);
    const from = this.count;
    this.count += count;
    let at = 0;
    for (const part of this.bytesOf(from, count)) {
      part.set(bytes.subarray(at, at + part.length));
      at += part.length;
    }
  }

  /** Rows whose codes are the best, in ascending order. */
  #likely(turned: Float32Array, { pull, push }: CodeQuery, most: number): Uint32Array {
    writeCode(turned, new Uint8Array(this.#memory.buffer, 0, CODE_BYTES));
    let squares = 0;
    for (const value of turned) squares += value * value;
    const scaledPull = pull * Math.sqrt(squares);
    const lengths = this.#lengths;
    const differences = new Uint16Array(this.#memory.buffer, DIFFERENCES, BLOCK);
    const best = new Best(most);
    let bound = Number.NEGATIVE_INFINITY;
    for (let from = 0; from < this.count; from += BLOCK) {
      const count = Math.min(BLOCK, this.count - from);
      this.#countDifferences(CODES + from * CODE_BYTES, count, DIFFERENCES);
      for (let i = 0; i < count; i++) {
        const length = lengths[from + i]!;
        const value = length * (scaledPull * COSINES[differences[i]!]! - push * length);
        if (value > bound) bound = best.add(from + i, value);
      }
    }
    return best.rows;
  }

  #reserve(count: number): void {
    if (count > this.#ids.length) {
      const capacity = Math.max(count, 2 * this.#ids.length);
      const larger = <T extends Float32Array | Float64Array>(fresh: T, old: T) => {
        fresh.set(old);
        return fresh;
      };
      this.#ids = larger(new Float64Array(capacity), this.#ids);
      this.#lengths = larger(new Float32Array(capacity), this.#lengths);
      this.#gains = larger(new Float32Array(capacity), this.#gains);
    }
    const missing = CODES + count * CODE_BYTES - this.#memory.buffer.byteLength;
    if (missing > 0) this.#grow(Math.ceil(missing / PAGE));
  }

  /** By an eighth at least, as long as there is room. */
  #grow(pages: number): void {
    const held = this.#memory.buffer.byteLength / PAGE;
    try {
      this.#memory.grow(Math.max(pages, Math.min(Math.ceil(held / 8), MOST_PAGES - held)));
    } catch (cause) {
      const got = `no memory for more than ${this.count}`;
      const remedy = "search with `exact`, which needs no index, or keep it in LanceDB";
      throw new BigVaeError(
        "unsupported",
        { subject: "memory: index", expected: "room for all spans", got, remedy },
        { cause },
      );
    }
  }
}

/** A bit for each value: whether it is below 0. */
function writeCode(turned: Float32Array, code: Uint8Array): void {
  for (let byte = 0; byte < CODE_BYTES; byte++) {
    let bits = 0;
    for (let bit = 0; bit < 8; bit++) if (turned[8 * byte + bit]! < 0) bits |= 1 << bit;
    code[byte] = bits;
  }
}

/** The sum of all values with the signs of a code. Two sums side by side take half of the time of one. */
function signed(sums: Float32Array, codes: Uint8Array, at: number): number {
  let [even, odd] = [0, 0];
  for (let byte = 0; byte < CODE_BYTES; byte += 2) {
    even += sums[(byte << 8) + codes[at + byte]!]!;
    odd += sums[((byte + 1) << 8) + codes[at + byte + 1]!]!;
  }
  return even + odd;
}

/** For each place of a code and each byte there: the sum of the eight values with these signs, [CODE_BYTES, 256]. */
function signSums(turned: Float32Array): Float32Array {
  const sums = new Float32Array(CODE_BYTES * 256);
  for (let byte = 0; byte < CODE_BYTES; byte++) {
    const at = 256 * byte;
    for (let bit = 0; bit < 8; bit++) sums[at]! += turned[8 * byte + bit]!;
    for (let bit = 0; bit < 8; bit++)
      for (let bits = 0; bits < 1 << bit; bits++)
        sums[at + (1 << bit) + bits] = sums[at + bits]! - 2 * turned[8 * byte + bit]!;
  }
  return sums;
}
