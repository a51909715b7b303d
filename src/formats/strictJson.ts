/**
 * JSON as RFC 8259 writes it, with what JSON.parse hides: a key twice is an error, and so is depth beyond a limit.
 * Objects come back as Maps, so that `__proto__` is a key like any other.
 */
import { BigVaeError } from "../errors.js";

/** A JSON value with its objects as Maps. */
export type StrictJson = null | boolean | number | string | StrictJson[] | Map<string, StrictJson>;

/**
 * Parses `text`.
 * @throws BigVaeError("format") naming `what`, the position and the cause.
 */
export function parseStrictJson(text: string, what: string, maxDepth = 64): StrictJson {
  const scanner = new Scanner(text, what, maxDepth);
  const value = scanner.value(0);
  scanner.end();
  return value;
}

/** The same from bytes, which must be UTF-8. */
export function parseStrictJsonBytes(bytes: Uint8Array, what: string, maxDepth = 64): StrictJson {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new BigVaeError("format", `${what} is not UTF-8; get the file again.`, { cause });
  }
  return parseStrictJson(text, what, maxDepth);
}

/** Plain objects and arrays from Maps; a key `__proto__` becomes an own property. */
export function toPlain(value: StrictJson): unknown {
  if (value instanceof Map) {
    const plain: Record<string, unknown> = {};
    for (const [key, item] of value)
      Object.defineProperty(plain, key, { value: toPlain(item), enumerable: true, writable: true, configurable: true });
    return plain;
  }
  return Array.isArray(value) ? value.map(toPlain) : value;
}

const WORDS: readonly [string, null | boolean][] = [
  ["true", true],
  ["false", false],
  ["null", null],
];
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const QUOTED = /"[^"\\]*(?:\\.[^"\\]*)*"/sy;

class Scanner {
  #at = 0;
  constructor(
    readonly text: string,
    readonly what: string,
    readonly maxDepth: number,
  ) {}

  value(depth: number): StrictJson {
    if (depth > this.maxDepth) this.#fail(`nests deeper than ${this.maxDepth} levels`);
    this.#space();
    const c = this.text[this.#at];
    if (c === "{") return this.#object(depth);
    if (c === "[") return this.#array(depth);
    if (c === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  end(): void {
    this.#space();
    if (this.#at < this.text.length) this.#fail("has something after its end");
  }

  #object(depth: number): Map<string, StrictJson> {
    const object = new Map<string, StrictJson>();
    this.#at++;
    if (this.#take("}")) return object;
    do {
      this.#space();
      const key = this.#string();
      if (object.has(key)) this.#fail(`holds the key ${JSON.stringify(shorten(key))} twice`);
      if (!this.#take(":")) this.#fail("lacks a colon");
      object.set(key, this.value(depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail("lacks a closing brace");
    return object;
  }

  #array(depth: number): StrictJson[] {
    const array: StrictJson[] = [];
    this.#at++;
    if (this.#take("]")) return array;
    do array.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) this.#fail("lacks a closing bracket");
    return array;
  }

  #string(): string {
    const quoted = this.#match(QUOTED);
    if (quoted === undefined) return this.#fail("lacks a string");
    try {
      return JSON.parse(quoted);
    } catch {
      return this.#fail("has a malformed string");
    }
  }

  #number(): number {
    const digits = this.#match(NUMBER);
    if (!digits) return this.#fail(this.#at < this.text.length ? "has an unexpected character" : "ends too early");
    return Number(digits);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.text);
    this.#at = SPACE.lastIndex;
  }

  #take(character: string): boolean {
    this.#space();
    if (this.text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #fail(cause: string): never {
    throw new BigVaeError("format", `${this.what} ${cause} at character ${this.#at}; get the file again.`);
  }
}

/** What a file holds, as part of an error: at most 80 characters of it. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
