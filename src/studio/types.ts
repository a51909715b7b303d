/** What the studio tells of texts: plain data, for the server and for the page. */
import type { MapPoint } from "./events.js";

/** How a text is read. */
export interface Explanation {
  /** The text in pieces, with the share of its latent that was taken from each: over all slots, and by each. */
  pieces: { text: string; weight: number; slots: number[] }[];
  reconstruction: string;
  confidence: number;
  isKnown: boolean;
  longerThanSpan: boolean;
  nearest: (MapPoint & { similarity: number })[];
}

/** A text of a chain. */
export interface Step {
  /** Its place on the map. */
  x: number;
  y: number;
  /** The base's loss on it, nats per token: low where it reads as usual. */
  loss: number;
  /** How alike it is to the text before it, up to 1; of the first: 1. */
  toPrevious: number;
}

/** A run of `bigvae train`. */
export interface TrainingRun {
  /** Of its folder. */
  name: string;
  /** base, vae or router. */
  command: string;
  options: Readonly<Record<string, unknown>>;
  /** The last one that was logged. */
  step: number;
  /** Steps and values of each scalar, where they were asked for. */
  curves?: Record<string, [number, number][]>;
  /** What was written at the last evaluation. */
  samples?: Record<string, string>[];
}
