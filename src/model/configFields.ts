/** Fields of config.json, each checked as it is read. */
import { BigVaeError, type ErrorKind } from "../errors.js";

/** Limit far beyond any model: a larger value would be allocated before the weights show that it is wrong. */
const MAX_COUNT = 2 ** 24;

interface CountRule {
  /** Where the field is missing or null. */
  fallback?: number | undefined;
  max?: number;
}

export class Fields {
  constructor(
    readonly json: Readonly<Record<string, unknown>>,
    readonly path = "",
  ) {}

  positive(name: string, fallback?: number): number {
    const value = this.json[name] ?? fallback;
    if (typeof value === "number" && Number.isFinite(value) && value > 0) return value;
    throw this.error(name, "a positive number", JSON.stringify(value) ?? "nothing");
  }

  count(name: string, { fallback, max = MAX_COUNT }: CountRule = {}): number {
    const value = this.positive(name, fallback);
    if (!Number.isSafeInteger(value)) throw this.error(name, "a whole number", `${value}`);
    if (value > max) throw this.error(name, `at most ${max}`, `${value}`);
    return value;
  }

  /** Undefined where the field is missing or null. */
  flag(name: string): boolean | undefined {
    const value = this.json[name] ?? undefined;
    if (value === undefined || typeof value === "boolean") return value;
    throw this.error(name, "true or false", JSON.stringify(value));
  }

  /** The fields of an object; undefined where the field is missing or null. */
  object(name: string): Fields | undefined {
    const value = this.json[name] ?? undefined;
    if (value === undefined) return undefined;
    if (typeof value === "object" && !Array.isArray(value))
      return new Fields(value as Record<string, unknown>, `${this.path}${name}.`);
    throw this.error(name, "an object or null", JSON.stringify(value));
  }

  /** Throws "unsupported" unless the field is missing, null or one of `values`. */
  expectOnly(name: string, ...values: readonly (string | number | boolean)[]): void {
    const value = this.json[name] ?? undefined;
    if (value === undefined || (values as readonly unknown[]).includes(value)) return;
    throw this.unsupported(name, values.length > 0 ? values.join(" or ") : "left out", JSON.stringify(value));
  }

  error(name: string, expected: string, got: string): BigVaeError {
    return this.#refusal("format", name, expected, got, "take the file from the model's own folder");
  }

  unsupported(name: string, expected: string, got: string): BigVaeError {
    return this.#refusal("unsupported", name, expected, got, "choose a model that does without");
  }

  #refusal(kind: ErrorKind, name: string, expected: string, got: string, advice: string): BigVaeError {
    const shown = got.length > 80 ? `${got.slice(0, 80)}...` : got;
    return new BigVaeError(kind, {
      subject: "config.json",
      expected: `${this.path}${name} to be ${expected}`,
      got: shown,
      remedy: advice,
    });
  }
}
