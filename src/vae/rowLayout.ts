/**
 * Where a latent stands in a row of tokens. Its slots are read before the text, so that every token sees all of them, but their
 * rotary positions are those of the parts of the text that they stand for. A single slot has the original layout: one position before the text.
 */
import { MASKED } from "../model/attention.js";
import type { WriterRole } from "./roles.js";

/** Rows of the rotary tables for each position: slots stand between whole positions. */
export function ropeSteps(slots: number): number {
  return slots > 1 ? 8 : 1;
}

/** c_j = (j + 1/2) T / k - 1/2: the middle of the part of a text of T tokens that slot j stands for, counted from its first token. [k] */
export function slotPlaces(slots: number, length: number): number[] {
  return Array.from({ length: slots }, (_, j) => ((j + 0.5) * length) / slots - 0.5);
}

/**
 * What is added to the pooling scores of a text: for slot j and token t, -((t - c_j) / w)^2 / 2 with w = max(T / k, 1), MASKED for
 * padding (mask 0). T and t count the tokens that are seen. One slot pools the whole text alike. Returns [k, time], row by row.
 */
export function poolBias(slots: number, mask: ArrayLike<number>, time = mask.length): Float32Array {
  const bias = new Float32Array(slots * time).fill(MASKED);
  let length = 0;
  for (let t = 0; t < mask.length; t++) length += mask[t]!;
  const places = slotPlaces(slots, length);
  const width = Math.max(length / slots, 1);
  let seen = 0;
  for (let t = 0; t < mask.length; t++) {
    if (!mask[t]) continue;
    for (const [j, place] of places.entries())
      bias[j * time + t] = slots === 1 ? 0 : -(((seen - place) / width) ** 2) / 2;
    seen++;
  }
  return bias;
}

/** A latent, the tokens before a text, and the text, as an adapter reads them. */
export interface RowLayout {
  /** Index of the first slot in the row: 0 for the decoder, behind the tokens before the text for the router. */
  slotsAt: number;
  /** Rotary positions of the slots, [k]. */
  slots: number[];
  /** Rotary positions of the tokens before the text. */
  before: number[];
  /** Rotary position of the first token of the text; the others follow. */
  first: number;
}

/**
 * The decoder reads z, prefix, text; the router context, z, text. `before` counts the tokens before the text, `gap` the positions
 * left empty in front of a decoded text without prefix, `length` is T, the tokens of the text that z stands for.
 */
export function rowLayout(
  writer: WriterRole,
  { slots, before, gap, length }: { slots: number; before: number; gap: number; length: number },
): RowLayout {
  const zFirst = writer === "decoder";
  const first = (zFirst ? Math.max(before, gap) : before) + 1;
  return {
    slotsAt: zFirst ? 0 : before,
    slots: slots === 1 ? [zFirst ? 0 : before] : slotPlaces(slots, length).map((place) => first + place),
    before: Array.from({ length: before }, (_, i) => (zFirst ? first - before : 0) + i),
    first,
  };
}
