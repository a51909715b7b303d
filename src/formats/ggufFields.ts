/** The keys of a llama in GGUF metadata: each is checked as it is read, and what is never read must be known to change nothing. */
import { BigVaeError } from "../errors.js";
import type { GgufMetadata } from "./gguf.js";
import type { GgufValue } from "./ggufCursor.js";
import { malformed } from "./malformed.js";
import { shorten } from "./strictJson.js";

const PREFIX = "llama.";

/** Keys that are not read, and the values under which they change nothing; "any" where llama.cpp does not read them for a llama either. */
const NEUTRAL: Readonly<Record<string, readonly GgufValue[] | "any">> = {
  "llama.attention.causal": [true],
  "llama.attention.layer_norm_epsilon": "any",
  "llama.attention.sliding_window": [0],
  "llama.expert_count": [0],
  "llama.expert_used_count": [0],
  "llama.rope.scale": [1],
  "llama.rope.scaling.attn_factor": [1],
  "llama.rope.scaling.finetuned": "any",
  "llama.rope.scaling.original_context_length": "any",
  "llama.tensor_data_layout": ["reference", "Meta AI original pth"],
  "llama.vocab_size": "any",
  "general.type": ["model"],
  "split.count": [0, 1],
};

export class GgufFields {
  readonly #read = new Set<string>();

  constructor(readonly metadata: GgufMetadata) {}

  value(key: string): GgufValue | undefined {
    this.#read.add(key);
    return this.metadata.get(key);
  }

  /** @throws BigVaeError("unsupported") for a list with one number per layer. */
  whole(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value === "number" && Number.isInteger(value) && value > 0) return value;
    if (typeof value === "object")
      throw new BigVaeError("unsupported", {
        subject: "GGUF file",
        expected: `one ${key} for all layers`,
        got: "one for each layer",
        remedy: "use a model whose layers are alike",
      });
    throw malformed("GGUF file", `${key} to be a whole number above 0`, shown(value));
  }

  /** fp32 0.00001 is 9.999999747378752e-6 as a double: seven digits give back what was meant. */
  decimal(key: string, fallback?: number): number {
    const value = this.value(key) ?? fallback;
    if (typeof value === "number" && value > 0 && Number.isFinite(value)) return Number(value.toPrecision(7));
    throw malformed("GGUF file", `${key} to be a number above 0`, shown(value));
  }

  /** An id; undefined where the file has none. */
  id(key: string): number | undefined {
    const value = this.value(key);
    return typeof value === "number" ? value : undefined;
  }

  /** @throws BigVaeError("unsupported") for a key of the architecture that nobody read and that may change the result. */
  refuseUnread(): void {
    for (const [key, value] of this.metadata) {
      const known = Object.hasOwn(NEUTRAL, key) ? NEUTRAL[key] : undefined;
      const neutral = known ?? (key.startsWith(PREFIX) ? [] : "any");
      if (this.#read.has(key) || neutral === "any" || neutral.includes(value)) continue;
      throw new BigVaeError("unsupported", {
        subject: "GGUF file",
        expected: `${shorten(key)} to be ${neutral.map(shown).join(" or ") || "left out"}`,
        got: shown(value),
        remedy: "use a file without it",
      });
    }
  }
}

/** A metadata value for an error message. */
export function shown(value: GgufValue | undefined): string {
  return typeof value === "number" ? `${value}` : shorten(JSON.stringify(value) ?? "none");
}
