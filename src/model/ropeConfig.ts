/** Rotary positions in config.json: their base and their scaling, as Transformers' modeling_rope_utils.py reads them. */
import type { Fields } from "./configFields.js";

/** Scalings of the rotary frequencies, by Transformers' names. */
export type RopeScaling =
  | { kind: "default" }
  | { kind: "linear"; factor: number }
  | { kind: "llama3"; factor: number; lowFreqFactor: number; highFreqFactor: number; originalMaxPositions: number }
  | {
      kind: "yarn";
      factor: number;
      betaFast: number;
      betaSlow: number;
      attentionFactor: number;
      originalMaxPositions: number;
    };

export interface RopeConfig {
  ropeTheta: number;
  ropeScaling: RopeScaling;
}

/** Fields of each kind of scaling. Any other field is unsupported. */
const FIELDS: Readonly<Record<RopeScaling["kind"], readonly string[]>> = {
  default: [],
  linear: ["factor"],
  llama3: ["factor", "low_freq_factor", "high_freq_factor"],
  yarn: ["factor", "beta_fast", "beta_slow", "attention_factor", "truncate"],
};
/** Fields of every kind; only llama3 and yarn use the original positions, the others ignore them. */
const COMMON = ["rope_type", "type", "rope_theta", "partial_rotary_factor", "original_max_position_embeddings"];

/**
 * Transformers 5 writes all into `rope_parameters`, earlier ones the base beside the other fields and the scaling into `rope_scaling`.
 * Throws "unsupported" for a scaling, or a field of one, that is not known here, and "format" where the two places differ.
 */
export function parseRope(fields: Fields, maxPositions: number): RopeConfig {
  const places = [fields.object("rope_scaling"), fields.object("rope_parameters")].filter(
    (place) => place !== undefined,
  );
  const [rope, ...more] = places.map((place) => parseParameters(fields, place, maxPositions));
  if (!rope) return { ropeTheta: fields.positive("rope_theta", 10000), ropeScaling: { kind: "default" } };
  if (more.some((other) => JSON.stringify(other) !== JSON.stringify(rope)))
    throw fields.error("rope_parameters", "as rope_scaling", JSON.stringify(fields.json.rope_parameters));
  return rope;
}

function parseParameters(fields: Fields, parameters: Fields, maxPositions: number): RopeConfig {
  parameters.expectOnly("partial_rotary_factor", 1);
  return { ropeTheta: parseTheta(fields, parameters), ropeScaling: parseScaling(parameters, maxPositions) };
}

function parseTheta(fields: Fields, parameters: Fields): number {
  const inner = fields.object("rope_parameters")?.json.rope_theta ?? parameters.json.rope_theta;
  const theta = fields.positive("rope_theta", (inner ?? 10000) as number);
  if (inner == null || inner === theta) return theta;
  throw fields.error("rope_theta", `${JSON.stringify(inner)}, as in rope_parameters`, `${theta}`);
}

function parseScaling(scaling: Fields, maxPositions: number): RopeScaling {
  const kind = kindOf(scaling);
  for (const name of Object.keys(scaling.json))
    if (!COMMON.includes(name) && !FIELDS[kind].includes(name)) scaling.expectOnly(name);
  const original = () => scaling.count("original_max_position_embeddings", { fallback: maxPositions });
  switch (kind) {
    case "default":
      return { kind };
    case "linear":
      return { kind, factor: scaling.positive("factor") };
    case "llama3":
      return {
        kind,
        factor: scaling.positive("factor"),
        lowFreqFactor: scaling.positive("low_freq_factor"),
        highFreqFactor: scaling.positive("high_freq_factor"),
        originalMaxPositions: original(),
      };
    case "yarn": {
      scaling.expectOnly("truncate", true);
      const factor = scaling.positive("factor");
      return {
        kind,
        factor,
        betaFast: scaling.positive("beta_fast", 32),
        betaSlow: scaling.positive("beta_slow", 1),
        attentionFactor: scaling.positive("attention_factor", factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1),
        originalMaxPositions: original(),
      };
    }
  }
}

function kindOf(scaling: Fields): RopeScaling["kind"] {
  const kind = scaling.json.rope_type ?? scaling.json.type ?? "default";
  if (typeof kind !== "string") throw scaling.error("rope_type", "a text", JSON.stringify(kind));
  if (Object.hasOwn(FIELDS, kind)) return kind as RopeScaling["kind"];
  throw scaling.unsupported("rope_type", "default, linear, llama3 or yarn", kind);
}

/** What parseRope reads as `rope_scaling`; null for plain rotations, as Transformers writes it. */
export function formatRopeScaling(scaling: RopeScaling): Record<string, unknown> | null {
  switch (scaling.kind) {
    case "default":
      return null;
    case "linear":
      return { rope_type: "linear", factor: scaling.factor };
    case "llama3":
      return {
        rope_type: "llama3",
        factor: scaling.factor,
        low_freq_factor: scaling.lowFreqFactor,
        high_freq_factor: scaling.highFreqFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
    case "yarn":
      return {
        rope_type: "yarn",
        factor: scaling.factor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalMaxPositions,
      };
  }
}
