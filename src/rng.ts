/** Seeded randomness: xoroshiro128+ streams that fork by name, so that a row's noise does not depend on its neighbours. */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** Names a stream; plain data, so that it can be sent and saved. */
export type RngKey = readonly number[];

/** A stream of random numbers. The same seed and the same calls give the same numbers on every machine. */
export class Rng {
  readonly #generator;
  /** The name of this stream. */
  readonly key: RngKey;
  #spareNormal: number | undefined;

  private constructor(key: RngKey) {
    this.key = key;
    this.#generator = xoroshiro128plusFromState(key);
  }

  /** A stream from a whole number or a name. */
  static fromSeed(seed: number | string): Rng {
    const key = hash([0x9e3779b9, 0x243f6a88, 0xb7e15162, 0x2545f491], seed);
    return new Rng(key);
  }

  /** The stream of a key, from its start. */
  static fromKey(key: RngKey): Rng {
    return new Rng(key);
  }

  /** An independent stream named by `names`; it does not advance this one and does not depend on how far this one is. */
  fork(...names: (number | string)[]): Rng {
    const key = names.reduce<RngKey>(hash, this.key);
    return new Rng(key);
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return uniformFloat64(this.#generator);
  }

  /** A whole number in [0, bound). */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Standard normal (Marsaglia's polar method). */
  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spareNormal = v * scale;
      return u * scale;
    }
  }

  /** `length` standard normals as float32. */
  normals(length: number): Float32Array {
    return Float32Array.from({ length }, () => this.normal());
  }

  /** One of `items`, each as likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)]!;
  }

  /** A permutation of 0..length-1 (Fisher-Yates). */
  permutation(length: number): Uint32Array {
    const order = Uint32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }
}

/** Absorbs a number or a name into a 128-bit key; rounds of MurmurHash3's 32-bit finaliser over four lanes. */
function hash(key: RngKey, value: number | string): number[] {
  const words =
    typeof value === "string"
      ? [1, value.length, ...Array.from(value, (c) => c.codePointAt(0)!)]
      : [2, value | 0, Math.floor(value / 2 ** 32) | 0];
  let [a, b, c, d] = key as [number, number, number, number];
  for (const word of words) {
    a = mix(a ^ word);
    b = mix((b + a) | 0);
    c = mix(c ^ b);
    d = mix((d + c) | 0);
    a = (a + d) | 0;
  }
  return [a, b, c, d];
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
