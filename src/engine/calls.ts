/** What the engine is asked to write and to score, and its scores. */
import type { Latent } from "../latent/index.js";
import type { RngKey } from "../rng.js";
import type { ExpertShare } from "./experts.js";
import type { WriterName } from "./sessions.js";

/** What one row is written from. */
export interface WriteRow {
  /** Left out only when the base itself writes. */
  z?: Latent;
  /** Names the row's stream of random numbers, so that its tokens do not depend on the other rows. */
  rngKey: RngKey;
  /** New tokens of this row at most, where that is fewer than of the call. */
  nTokens?: number;
  /** In place of the call's. */
  cfgScale?: number;
  /** Adapters that it is written by in place of the writer's own, their outputs mixed; the guiding base stays the base. */
  experts?: readonly ExpertShare[];
}

export interface WriteOptions {
  /** An adapter by its name, or "base", which takes no z. The role of router reads z after the context, that of decoder before it. */
  writer: WriterName;
  /** Tokens that all rows continue. */
  context: readonly number[];
  /** What each row's text begins with, behind context and latent; writing goes on from there. */
  begun?: readonly number[];
  /** New tokens of a row, at most. */
  nTokens: number;
  /** Temperature of the tokens; 0 is greedy. */
  tau: number;
  /** logits = base + cfgScale * (writer - base); 1 leaves the base out. */
  cfgScale?: number;
  /** A row ends after this token. */
  stopId?: number;
  /** The stop token is never chosen: every row is nTokens long. */
  endless?: boolean;
  /** What the base reads in place of an empty context where it guides; default: the stop token. */
  beginId?: number;
  signal?: AbortSignal;
  /** Called with each row's new token, as it is written. */
  onToken?(row: number, id: number): void;
}

/** A text read under teacher forcing; one value for each target token. */
export interface Score {
  /** Natural logarithm of the token's probability. */
  logProbabilities: number[];
  /** Whether it was the most likely token. */
  greedy: boolean[];
  /** The most likely token at each place. */
  best: number[];
  /** The logarithm of its probability. */
  bestLogProbabilities: number[];
}

/** A row whose target's likelihood is asked for. */
export interface ScoreRow extends Omit<WriteRow, "rngKey"> {
  target: readonly number[];
}
