/** Which space latents belong to: those of two spaces are never compared. */
import { BigVaeError } from "../errors.js";
import type { LatentShape } from "./latentSpace.js";

/** What tells a space from others. */
export interface SpaceIdentity extends LatentShape {
  /** sha256 of the base's weights. */
  base: string;
  /** sha256 of the head and of the encoder's adapter. */
  encoder: string;
}

/** The space of a model's latents, by the hashes of its weights. Throws "usage" for a base without adapters, which makes none. */
export function spaceOf({ base, encoder }: { base: string; encoder?: string }, shape: LatentShape): SpaceIdentity {
  const { zDim, slots, span } = shape;
  if (encoder !== undefined) return { base, encoder, zDim, slots, span };
  throw new BigVaeError("usage", {
    subject: "model",
    expected: "a model with adapters",
    got: "a base alone",
    remedy: "name their folder as `adapters`",
  });
}

const HASHES = ["base", "encoder"] as const;
const SIZES = ["zDim", "slots", "span"] as const;

/** Whether a value, read from a file, has the fields of an identity. */
export function isSpaceIdentity(value: unknown): value is SpaceIdentity {
  const fields = (value ?? {}) as Record<string, unknown>;
  return (
    HASHES.every((name) => typeof fields[name] === "string") &&
    SIZES.every((name) => Number.isSafeInteger(fields[name]))
  );
}

/** Throws "mismatch" where `given` is another space than `own`, that of `subject`. */
export function checkSameSpace(own: SpaceIdentity, given: SpaceIdentity, subject: string, remedy: string): void {
  if ([...HASHES, ...SIZES].every((field) => own[field] === given[field])) return;
  throw new BigVaeError("mismatch", {
    subject,
    expected: `latents of ${named(own)}`,
    got: `those of ${named(given)}`,
    remedy,
  });
}

function named({ base, encoder, zDim, slots }: SpaceIdentity): string {
  return `base ${base.slice(0, 12)}, encoder ${encoder.slice(0, 12)}, ${zDim} values in ${slots} slots`;
}
