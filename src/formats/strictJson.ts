/**
 * JSON by RFC 8259, stricter than JSON.parse: a repeated key is an error, and so is nesting beyond a limit.
 * Objects come back as Maps, so that `__proto__` is a key like any other.
 */
import { malformed } from "./malformed.js";

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
    throw malformed(what, "UTF-8", "other bytes", { cause });
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
    if (depth > this.maxDepth) this.#fail(`at most ${this.maxDepth} levels of nesting`, "more");
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
    if (this.#at < this.text.length) this.#fail("the end of the text");
  }

  #object(depth: number): Map<string, StrictJson> {
    const object = new Map<string, StrictJson>();
    this.#at++;
    if (this.#take("}")) return object;
    do {
      this.#space();
      const key = this.#string();
      if (object.has(key)) this.#fail("each key once", `${JSON.stringify(shorten(key))} twice`);
      if (!this.#take(":")) this.#fail("a colon");
      object.set(key, this.value(depth + 1));
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail("a comma or a closing brace");
    return object;
  }

  #array(depth: number): StrictJson[] {
    const array: StrictJson[] = [];
    this.#at++;
    if (this.#take("]")) return array;
    do array.push(this.value(depth + 1));
    while (this.#take(","));
    if (!this.#take("]")) this.#fail("a comma or a closing bracket");
    return array;
  }

  #string(): string {
    const quoted = this.#match(QUOTED);
    if (quoted === undefined) return this.#fail("a string");
    try {
      return JSON.parse(quoted);
    } catch {
      return this.#fail("a string as JSON writes it", "another one");
    }
  }

  #number(): number {
    const digits = this.#match(NUMBER);
    if (!digits) return this.#fail("a value");
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

  #fail(expected: string, got = this.#next()): never {
    throw malformed(`${this.what}, character ${this.#at}`, expected, got);
  }

  /** The next character, for an error message. */
  #next(): string {
    const code = this.text.codePointAt(this.#at);
    return code === undefined ? "the end of the text" : JSON.stringify(String.fromCodePoint(code));
  }
}

/** Text of a file for an error message, cut to 80 characters. */
export function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
