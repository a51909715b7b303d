/** Messages between a caller and the thread that runs the engine: plain data, a few kinds, so that a process can stand there too. */
import type {
  Encoding,
  EngineOptions,
  PooledRow,
  Score,
  ScoreRow,
  TokenRow,
  WriteOptions,
  WriteRow,
} from "../engine/engine.js";
import type { Compute } from "../engine/int8.js";
import type { WriterName } from "../engine/sessions.js";
import type { ErrorDetail, ErrorKind } from "../errors.js";
import type { Device } from "../graph/index.js";
import type { AdapterRole } from "../vae/roles.js";
import type { Quant } from "../weights/index.js";

export interface OpenArguments {
  base: string;
  adapters: string | undefined;
  threads?: number;
  form?: EngineOptions["form"];
  quant?: Quant;
  /** "auto": by the machine. */
  compute?: Compute | "auto";
  /** Where the engine computes. */
  device?: Device;
  /** Most memory that the model may take. */
  memoryBytes?: number;
}

/** Calls by name: arguments and result. */
export interface Calls {
  open: { args: OpenArguments; result: EngineFacts };
  encode: { args: { rows: readonly TokenRow[] }; result: Encoding[] };
  embed: { args: { rows: readonly PooledRow[]; causal: boolean }; result: Float32Array[] };
  write: {
    args: { rows: readonly WriteRow[]; options: Omit<WriteOptions, "signal" | "onToken"> };
    result: number[][];
  };
  score: {
    args: { rows: readonly ScoreRow[]; writer: WriterName; context: readonly number[] };
    result: Score[];
  };
  close: { args: undefined; result: undefined };
}

export type CallName = keyof Calls;

/** What the caller knows of the model on the other side. */
export interface EngineFacts {
  maxPositions: number;
  /** Width of the base's hidden states. */
  hiddenSize: number;
  /** Values of all slots of a latent; 0 without adapters. */
  zDim: number;
  /** Values of a latent: zDim and, where there are several slots, the length of its text. */
  width: number;
  /** Slots of a latent. */
  slots: number;
  span: number;
  aeScale: number;
  /** Losses on spans of the kind that the model was trained on; unknown for a checkpoint that does not say. */
  usualLosses?: { decoder: number; base: number };
  /** What each adapter does, by name; none where the base is alone. */
  adapters: Readonly<Record<string, AdapterRole>>;
}

/** sha256 of a model's weights: what tells it from others. */
export interface ModelHashes {
  base: string;
  /** Of the head and all adapters; none of a base alone. */
  adapters?: string;
  /** Of the head and the encoder's adapter, which alone make the space of latents. */
  encoder?: string;
}

export type Request = { id: number; call: CallName; args: unknown } | { id: number; abort: true };

export type Reply =
  | { id: number; result: unknown }
  | { id: number; error: { kind: ErrorKind; detail: ErrorDetail } }
  | { id: number; aborted: true }
  | { id: number; token: { row: number; tokenId: number } };
